"""One transaction, made again from its start where the database broke it off."""

import random
import threading
import time
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

# The database breaks one of two off, so the other is through: the next attempt mostly succeeds.
ATTEMPTS = 4
PAUSE_S = 0.05
"""The most that is waited before the second attempt; longer before each further one."""

MOST_HELD_S, GAP_S = 0.5, 0.25
"""A row of transactions leaves a gap after so long: whoever waits for SQLite's write lock doesn't
queue, but looks every now and then, in the end every 100 ms (``sqlite3_busy_timeout``), and would
never find it free between two transactions that follow at once. The gap is two of these looks:
of several who wait, one finds it taken by another."""

BROKEN_OFF = frozenset({"40P01", "40001"})
"""PostgreSQL's codes of a deadlock and of a serialisation failure."""


def one_transaction(work: Callable[P, R]) -> Callable[P, R]:
    """Make a function one transaction: all of it takes effect or nothing.

    It is made again where the database broke it off for another's sake, so it must read anew
    what it decides on. Called within a transaction it is a part of that one: only the outermost
    can be made again, since all that came before is undone, too.
    """

    @wraps(work)
    def in_one(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return work(*args, **kwargs)
        attempts_left = ATTEMPTS - 1
        while True:
            _turn.let_others()
            began = None
            try:
                with transaction.atomic():
                    began = time.monotonic()
                    return work(*args, **kwargs)
            except OperationalError as error:
                if not attempts_left or not was_broken_off(error):
                    raise
            finally:
                if began is not None:
                    _turn.had(since=began)
            time.sleep(random.uniform(0, PAUSE_S * (ATTEMPTS - attempts_left)))  # noqa: S311
            attempts_left -= 1

    return in_one


class _Turn(threading.local):
    """For how long this thread had SQLite's one write lock without a gap for others."""

    held_s = 0.0
    ended = 0.0
    """When its last transaction ended, by the monotonic clock."""

    def had(self, *, since: float) -> None:
        self.ended = time.monotonic()
        self.held_s += self.ended - since

    def let_others(self) -> None:
        if time.monotonic() - self.ended >= GAP_S:
            self.held_s = 0.0
        elif self.held_s > MOST_HELD_S and connection.vendor == "sqlite":
            time.sleep(GAP_S)
            self.held_s = 0.0


_turn = _Turn()


def is_open() -> bool:
    """Say whether this thread has a transaction open; a test's own around it doesn't count."""
    blocks: Iterable[Any] = connection.atomic_blocks
    return any(not block._from_testcase for block in blocks)


def was_broken_off(error: OperationalError) -> bool:
    """Say whether the database ended a good transaction, so that it may be made again."""
    return getattr(error.__cause__, "sqlstate", None) in BROKEN_OFF
