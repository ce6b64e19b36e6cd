"""Room for calls to providers while somebody waits for the answer: a few at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

AT_ONCE = 2
"""In one process. A web process has four threads or more, and a provider may be silent for long:
so half of them go on answering everybody else."""

_room = BoundedSemaphore(AT_ONCE)


class NoRoom(Exception):
    """Others wait for their providers; try again in a moment."""

    def __init__(self) -> None:
        super().__init__("Other calls to providers wait for their answers: try again.")


@contextmanager
def slot() -> Iterator[None]:
    """Take room for one call. Raises NoRoom at once where others have taken it all."""
    if not _room.acquire(blocking=False):
        raise NoRoom
    try:
        yield
    finally:
        _room.release()
