"""Which law of the database a statement broke: told by the constraint's name, never guessed."""

from functools import cache

from django.apps import apps
from django.db import IntegrityError
from django.db.models import UniqueConstraint

_UNIQUE, _FOREIGN_KEY = "23505", "23503"
"""PostgreSQL's codes."""


def broke(error: IntegrityError, name: str) -> bool:
    """Say whether the statement broke the unique constraint of this name."""
    told = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    if told is not None:
        return bool(told == name)
    return is_duplicate(error) and _columns_told(error) == _columns_of(name)


def is_duplicate(error: IntegrityError) -> bool:
    """Say whether a row with the same unique values is there already."""
    return _is(error, _UNIQUE, "UNIQUE constraint failed")


def is_missing(error: IntegrityError) -> bool:
    """Say whether a row that was referred to is not there."""
    return _is(error, _FOREIGN_KEY, "FOREIGN KEY constraint failed")


def _is(error: IntegrityError, sqlstate: str, sqlite_says: str) -> bool:
    told = getattr(error.__cause__, "sqlstate", None)
    return bool(told == sqlstate) if told is not None else str(error).startswith(sqlite_says)


def _columns_told(error: IntegrityError) -> frozenset[str]:
    """Return the columns that SQLite names, as ``table.column``: it tells no constraint's name."""
    _, _, columns = str(error).partition(": ")
    return frozenset(column.strip() for column in columns.split(","))


@cache
def _columns_of(name: str) -> frozenset[str]:
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, UniqueConstraint) and constraint.name == name:
                table = model._meta.db_table
                fields = (model._meta.get_field(field) for field in constraint.fields)
                return frozenset(f"{table}.{field.column}" for field in fields)  # type: ignore[union-attr]
    raise LookupError(f"There is no unique constraint {name}.")
