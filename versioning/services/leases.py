"""What a worker has claimed is its own for a minute, and for longer while it goes on renewing that.

A worker that died renews nothing: at the next sweep after its lease another takes its work up. One
that is slow keeps it, since whatever waits for others, or goes through many rows, renews in
between. Whoever lost it all the same finds so at its next step, and stops.
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from versioning.services import stopping
from versioning.services.stopping import AskedToStop

LEASE = timedelta(minutes=1)
"""Longer than any step between two renewals: some hundred rows, or a database out of reach."""

RENEW_EVERY = timedelta(seconds=15)
"""So a worker that misses two renewals still has its work."""

LOOK_EVERY_S = 1.0
"""How often somebody who waits for others looks up from that."""


class LeaseLost(Exception):
    """Another worker has taken the work over: nothing more of it may be written here."""


@dataclass(slots=True)
class _Holding:
    """What a worker has claimed; ``extend`` has it last until a moment, or raises LeaseLost."""

    extend: Callable[[datetime], None]
    now: datetime
    began_s: float = field(default_factory=monotonic)
    renewed_s: float = field(default_factory=monotonic)

    def renew(self) -> None:
        at_s = monotonic()
        if at_s - self.renewed_s >= RENEW_EVERY.total_seconds():
            self.renewed_s = at_s
            self.extend(self.now + timedelta(seconds=at_s - self.began_s) + LEASE)


_holding: ContextVar[_Holding | None] = ContextVar("_holding", default=None)


@contextmanager
def held(extend: Callable[[datetime], None], *, now: datetime) -> Iterator[None]:
    """Have ``renew`` extend what was claimed at ``now``; called again within, that comes first."""
    token = _holding.set(_Holding(extend, now))
    try:
        yield
    finally:
        _holding.reset(token)


def renew() -> None:
    """Extend what is held, where it is time to: between two steps, outside any transaction.

    Raises LeaseLost. Nothing where nothing is held, such as for somebody who waits for an answer.
    """
    holding = _holding.get()
    if holding is not None:
        holding.renew()


def as_completed(futures: Collection[Future[Any]]) -> Iterator[Future[Any]]:
    """Yield what threads do as it ends, and renew meanwhile.

    Raises LeaseLost, and AskedToStop where the worker can't wait for the rest.
    """
    left = set(futures)
    while left:
        done, left = wait(left, timeout=LOOK_EVERY_S, return_when=FIRST_COMPLETED)
        renew()
        yield from done
        if left and stopping.is_overdue():
            raise AskedToStop
