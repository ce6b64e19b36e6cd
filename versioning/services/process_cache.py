"""When what was read from the database may be kept in the process."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.signals import post_migrate

Row = tuple[Any, ...]


def may_keep() -> bool:
    """Whether what is read now is committed: inside a transaction it may still be undone."""
    return not connection.in_atomic_block


def forget_after_migration(forget: Callable[[], None]) -> None:
    """Have ``forget`` called after a migration or flush: the rows may be others then."""

    def on_migration(**_: object) -> None:
        forget()

    post_migrate.connect(on_migration, weak=False)


class Fingerprint:
    """One row just as the database gives it: while it is the same, what was made of it holds.

    Asking costs a fifth of reading the row through the ORM, since the SQL is made once; and
    no process ever answers with what another has changed.
    """

    def __init__(self, rows: Callable[..., QuerySet[Any, Any]], *, parameters: int) -> None:
        """``rows`` takes so many texts and returns the values of one row at most."""
        self._rows = rows
        self._parameters = parameters
        self._made: tuple[str, list[tuple[int | None, Any]]] | None = None

    def read(self, *texts: str) -> Row | None:
        """Return the row's values; None where there is no such row."""
        sql, values = self._made or self._make()
        with connection.cursor() as cursor:
            cursor.execute(sql, [own if at is None else texts[at] for at, own in values])
            row: Row | None = cursor.fetchone()
        return row

    def _make(self) -> tuple[str, list[tuple[int | None, Any]]]:
        """Make the SQL once, and note which text each of its parameters takes, if any."""
        marks = [f"<{place}>" for place in range(self._parameters)]
        sql, found = self._rows(*marks).query.sql_with_params()
        self._made = sql, [(marks.index(own) if own in marks else None, own) for own in found]
        return self._made
