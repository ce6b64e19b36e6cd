"""Nobody asks a provider while others wait for what the asker holds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_alone: ContextVar[bool] = ContextVar("alone", default=False)
_holds: list[Callable[[], bool]] = []


class HoldsOthersUp(RuntimeError):
    """A request was to be sent within a database transaction: a fault of the caller's."""


def never_while(holds: Callable[[], bool]) -> None:
    """Send nothing while ``holds`` says yes in the thread that asks. Told once, at the start."""
    _holds.append(holds)


@contextmanager
def nobody_waits() -> Iterator[None]:
    """Let requests be sent all the same: only where a world is made that nobody uses yet."""
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


def refuse_if_others_wait() -> None:
    """Raise HoldsOthersUp where the caller holds what others wait for, such as a transaction.

    An answer may take minutes, and a server's only write lock would be held as long. Called
    before each request; a leader of threads calls it itself, since they hold nothing.
    """
    if not _alone.get() and any(holds() for holds in _holds):
        raise HoldsOthersUp(
            "Ask providers outside any transaction: others would wait until they answer."
        )
