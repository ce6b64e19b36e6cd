"""What people set up, row by row: locked, checked and signed, on what they have read."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Model, ProtectedError, QuerySet

from versioning.services import constraints, locks, teams
from versioning.services.actors import Actor
from versioning.services.errors import FieldError, Invalid, ServiceError
from versioning.services.lookups import one
from versioning.services.transactions import one_transaction

Row = TypeVar("Row", bound=Model)


class ChangedSince(ServiceError):
    """The row is not what it was when it was read; look again."""

    code = "changed-since"
    status = 412


class StillUsed(ServiceError):
    """Something else needs the row."""

    code = "still-used"


def row_of(rows: QuerySet[Row]) -> Row:
    """Return the one row there is. Raises NotFound."""
    return one(rows, missing=_none_of(rows))


def revision_of(row: Model) -> str:
    """Return a short hash of all that a row holds, as it was read from the database."""
    held = {field.attname: field.value_to_string(row) for field in type(row)._meta.concrete_fields}
    text = json.dumps(held, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@one_transaction
def add(row: Row, *, actor: Actor) -> Row:
    """Check and save a new row, and return it as it is stored. Raises Invalid and NotAllowed."""
    teams.refuse_outsider_of(row, actor=actor)
    actor.sign(row)
    save_checked(row)
    row.refresh_from_db()
    return row


@one_transaction
def change(
    rows: QuerySet[Row],
    *,
    changes: Mapping[str, Any],
    actor: Actor,
    revision: str | None = None,
) -> Row:
    """Set the given fields of the one row there is, and return it as it is stored.

    ``revision`` is what ``revision_of`` gave when the row was read; None takes any. Raises
    NotFound, ChangedSince, Invalid and NotAllowed.
    """
    row = _locked(rows, revision)
    set_fields(row, changes)
    # Whose it was, its address has told; whose it becomes, only the new value does.
    teams.refuse_outsider_of(row, actor=actor)
    actor.sign(row)
    save_checked(row)
    row.refresh_from_db()
    return row


@one_transaction
def remove(rows: QuerySet[Any], *, actor: Actor, revision: str | None = None) -> None:
    """Remove the one row there is. Raises NotFound, ChangedSince and StillUsed."""
    row = _locked(rows, revision)
    actor.sign(row)
    try:
        row.delete()
    except ProtectedError as error:
        raise StillUsed(f"{row} is still used, so it can't be removed.") from error


def set_fields(row: Model, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, value)


def check(row: Model) -> None:
    """Check a row. Raises Invalid with an error for each field that can't be used."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise Invalid(str(error.messages[0]), _field_errors(error)) from error


def save_checked(row: Model) -> None:
    """Check and save a row. Raises Invalid with an error for each field that can't be used."""
    check(row)
    try:
        row.save()
    except IntegrityError as error:
        if not constraints.is_duplicate(error):
            raise
        raise Invalid("Somebody else has just added the same thing.") from error


def _field_errors(error: ValidationError) -> list[FieldError]:
    return [
        FieldError(
            pointer="" if field == "__all__" else f"/{field}",
            code=problem.code or "invalid",
            detail=" ".join(problem.messages),
        )
        for field, problems in error.error_dict.items()
        for problem in problems
    ]


def _locked(rows: QuerySet[Row], revision: str | None) -> Row:
    row = locks.hold_one(rows, missing=_none_of(rows))
    if revision is not None and revision != revision_of(row):
        raise ChangedSince(
            f"Somebody has changed this {row._meta.verbose_name} since you read it. Nothing was "
            "changed: look again."
        )
    return row


def _none_of(rows: QuerySet[Any]) -> str:
    return f"There is no such {rows.model._meta.verbose_name}."
