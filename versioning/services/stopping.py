"""Whether this worker was asked to end: long work then stops, for the next worker to go on with."""

import mmap
import time
from collections.abc import Callable

GRACE_S = 8.0
"""So long what others were asked may still answer: a worker is killed after 20 s by ``make up``."""

# Anonymous and shared: the process that is asked isn't one that works, it has forked those. No lock
# is needed to read a byte, so one that is killed as it reads leaves nothing locked behind.
_mark = mmap.mmap(-1, 1)
_seen_s: float | None = None
"""When this process first saw that it was asked."""


class AskedToStop(Exception):
    """The worker ends, and nobody waits for the rest: the tables say what is left."""


def ask() -> None:
    """Have all processes of this worker stop at their next look."""
    _mark[0] = 1


def is_asked() -> bool:
    global _seen_s
    asked = _mark[0] == 1
    if asked and _seen_s is None:
        _seen_s = time.monotonic()
    return asked


def is_overdue() -> bool:
    """Say whether it was asked so long ago that nothing may be waited for any more."""
    return is_asked() and _seen_s is not None and time.monotonic() - _seen_s >= GRACE_S


def in_parts(step: Callable[[], int]) -> int:
    """Do something in parts, each whole, until none is left; return the sum of what they return.

    What is left when the worker is asked to end, the next one's does.
    """
    done = 0
    while not is_asked() and (some := step()):
        done += some
    return done


def forget() -> None:
    """Take it back; for processes that outlive a worker, such as tests."""
    global _seen_s
    _mark[0] = 0
    _seen_s = None
