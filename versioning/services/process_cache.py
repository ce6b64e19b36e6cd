"""When what was read from the database may be kept in the process."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.db.models.signals import post_migrate

from versioning.services import generation

Row = tuple[Any, ...]
KEPT_SECONDS = 1.5
"""How long a change by another machine, or by other software, may stay unseen."""

# Names come from whoever asks: without a bound an endless list of them would fill the memory.
MOST_KEPT = 10_000


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

    A row is asked for again when any process of this machine has changed one of the tables
    (see ``generation``), and after KEPT_SECONDS, since other machines may have.
    """

    def __init__(self, rows: Callable[..., QuerySet[Any, Any]], *, parameters: int) -> None:
        """``rows`` takes so many texts and returns the values of one row at most."""
        self._rows = rows
        self._parameters = parameters
        self._made: _Question | None = None
        self._kept: dict[tuple[str, ...], tuple[bytes, float, Row | None]] = {}

    def read(self, *texts: str) -> Row | None:
        """Return the row's values; None where there is no such row."""
        mark = generation.mark() if may_keep() else None
        if mark is None:
            return self.fetch(*texts)
        now = time.monotonic()
        kept = self._kept.get(texts)
        if kept is not None and kept[0] == mark and now - kept[1] < KEPT_SECONDS:
            return kept[2]
        row = self.fetch(*texts)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[texts] = mark, now, row
        return row

    def fetch(self, *texts: str) -> Row | None:
        """Return the row's values as they are now; None where there is no such row."""
        made = self._made or self._make()
        parameters = [own if at is None else texts[at] for at, own in made.parameters]
        with connection.cursor() as cursor:
            cursor.execute(made.sql, parameters)
            row: Row | None = cursor.fetchone()
        return row

    def _make(self) -> "_Question":
        """Make the SQL once, and note which text each of its parameters takes, if any."""
        marks = [f"<{place}>" for place in range(self._parameters)]
        sql, found = self._rows(*marks).query.sql_with_params()
        parameters = [(marks.index(own) if own in marks else None, own) for own in found]
        self._made = _Question(sql, parameters)
        return self._made


class _Question(NamedTuple):
    sql: str
    parameters: list[tuple[int | None, Any]]
    """Which of the caller's texts each takes; None for a value of its own, which follows."""
