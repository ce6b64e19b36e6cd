"""What one question to a provider has taken so far, however many requests it needs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DatedAnswer:
    """When somebody was asked and had answered, by this machine's clock, and by theirs."""

    host: str
    sent: datetime
    received: datetime
    said: datetime


@dataclass(slots=True)
class Conversation:
    """One listing: when it began, and what its pages held. ``providers.http`` sets the limits."""

    began: float = field(default_factory=time.monotonic)
    bytes_read: int = 0
    values_read: int = 0
    dated: DatedAnswer | None = None
    """The last answer that said when it was made."""


_current: ContextVar[Conversation | None] = ContextVar("_current", default=None)


def current() -> Conversation:
    """Return the conversation that a request belongs to; one of its own where nothing began one."""
    return _current.get() or Conversation()


@contextmanager
def begun() -> Iterator[None]:
    """Count all requests that are made within as one conversation, also those of one within."""
    if _current.get() is not None:
        yield
        return
    token = _current.set(Conversation())
    try:
        yield
    finally:
        _current.reset(token)
