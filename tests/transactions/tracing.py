"""Which rows a transaction locks, in which order; and two of them in step."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Barrier, BrokenBarrierError
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model, QuerySet

from versioning.services import locks

TABLES = {model._meta.db_table: model for model in apps.get_models()}
WAITS_S = 0.05
"""How long one waits for the other's next statement, which the database may hold up."""


def is_locking(sql: str) -> bool:
    return sql[:6] in ("UPDATE", "DELETE", "INSERT") or " FOR " in sql[-60:]


def locked_by(sql: str) -> type[Model] | None:
    """Return the table whose present rows a statement locks."""
    words = sql.split()
    if words[0] == "UPDATE":
        return TABLES.get(words[1].strip('"'))
    if words[:2] == ["DELETE", "FROM"]:
        return TABLES.get(words[2].strip('"'))
    return None


class Trace:
    """The tables whose rows each transaction locked, in the order of the first lock of each."""

    def __init__(self) -> None:
        self.transactions: list[list[type[Model]]] = []
        self.taken: set[type[Model]] = set()

    def begin(self) -> None:
        self.transactions.append([])

    def note(self, model: type[Model]) -> None:
        self.taken.add(model)
        if connection.in_atomic_block and model not in self.transactions[-1]:
            self.transactions[-1].append(model)

    def note_statement(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        model = locked_by(str(sql))
        if model is not None:
            self.note(model)
        return execute(sql, params, many, context)


@contextmanager
def traced(monkeypatch: Any) -> Iterator[Trace]:
    """Note what is locked: by ``locks``, which SQLite leaves out of the SQL, and by changes."""
    trace = Trace()
    set_autocommit, hold = connection.set_autocommit, locks.hold

    def begins(autocommit: bool, *args: Any, **kwargs: Any) -> None:
        if not autocommit:
            trace.begin()
        set_autocommit(autocommit, *args, **kwargs)

    def held(rows: QuerySet[Any], **kwargs: Any) -> QuerySet[Any]:
        if rows.model in locks._WAY_TO_MODEL:
            trace.note(locks.TrackedModel)
        trace.note(rows.model)
        return hold(rows, **kwargs)

    def taken(rows: QuerySet[Any]) -> None:
        held(rows)

    with monkeypatch.context() as patch, connection.execute_wrapper(trace.note_statement):
        patch.setattr(connection, "set_autocommit", begins)
        patch.setattr(locks, "hold", held)
        patch.setattr(locks, "take", taken)
        yield trace


class InStep:
    """Two threads that make their locking statements turn by turn, where the database lets them.

    So each holds its first lock before the other asks for its second, and so on: two orders
    that differ meet.
    """

    def __init__(self) -> None:
        self._together = Barrier(2)

    def wait(self, timeout: float = WAITS_S) -> None:
        try:
            self._together.wait(timeout=timeout)
        except BrokenBarrierError:
            # The other is held up, or done: go on alone, and meet it later.
            self._together.reset()

    def wait_before_locking(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        if is_locking(str(sql)):
            self.wait()
        return execute(sql, params, many, context)

    @contextmanager
    def joined(self) -> Iterator[None]:
        with ExitStack() as stack:
            if connection.features.has_select_for_update:
                stack.enter_context(connection.execute_wrapper(self.wait_before_locking))
            self.wait(timeout=10)
            yield
