"""A connection is cut when its time is up, whatever goes on over it.

A socket's own time-out bounds the wait for the next byte only. A peer that sends one now and then,
in its greeting of TLS, its headers or its body, or takes as slowly what it is sent, would hold a
worker for hours.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Protocol, TypeVar

Address = TypeVar("Address")
Failures = tuple[type[Exception], ...]


class Connected(Protocol):
    """What has a connection: a socket, or what TLS made of one."""

    def fileno(self) -> int: ...


class Deadline:
    """Cut the guarded connection when time is up; ``expired`` says that it is."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._ends_at = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def guard(self, connected: Connected) -> None:
        """Cut this connection when time is up, in place of the one before it.

        By a handle of its own: whoever makes TLS of a socket takes its handle from it.
        """
        handle = socket.socket(fileno=os.dup(connected.fileno()))
        self._hold(handle)
        if self.expired:
            self._cut()

    def left_s(self) -> float:
        """Return how many seconds are left, none of them where time is up."""
        return max(0.0, self._ends_at - time.monotonic())

    def stop(self) -> None:
        self._timer.cancel()
        self._hold(None)

    def _hold(self, handle: socket.socket | None) -> None:
        with self._lock:
            former, self._socket = self._socket, handle
        if former is not None:
            former.close()

    def _cut(self) -> None:
        self.expired = True
        with self._lock:
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


def connected_to_one(
    addresses: Sequence[Address], connect: Callable[[Address], socket.socket], *, fails: Failures
) -> socket.socket:
    """Connect to the first address that answers, and have that cut at the deadline of the whole.

    ``fails`` are the errors after which the next one is tried; the last one's own is raised.
    """
    *others, last = addresses
    for address in others:
        with contextlib.suppress(*fails):
            return guarded(connect(address))
    return guarded(connect(last))


def guarded(connected: socket.socket) -> socket.socket:
    """Have a connection cut at the deadline of the whole, if there is one, and return it."""
    if whole := current():
        whole.guard(connected)
    return connected


_current: ContextVar[Deadline | None] = ContextVar("_current", default=None)


def current() -> Deadline | None:
    """Return the deadline of what this thread does, None where it has none."""
    return _current.get()


@contextlib.contextmanager
def ends_within(seconds: float) -> Iterator[Deadline]:
    """Give what is done meanwhile so many seconds: connections that are guarded are cut then."""
    deadline = Deadline(seconds)
    token = _current.set(deadline)
    try:
        yield deadline
    finally:
        deadline.stop()
        _current.reset(token)
