"""Samples on their way to the server: a bounded buffer and one thread in the background."""

import contextlib
import logging
import os
import random
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hotswap_client.transport import BUSY, Reply, Transport, Unreachable

logger = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
SPOILT = frozenset({400, 413, 422})
"""Statuses after which a batch is sent in smaller parts, so that one item spoils only itself."""


@dataclass(frozen=True)
class Stats:
    """What became of the items so far. ``dropped`` never reached the server."""

    queued: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    dropped: int = 0


class Outbox:
    """Takes items at once, sends them later; when it is full, new items are dropped and counted."""

    def __init__(
        self, transport: Transport, *, path: str, capacity: int, batch: int, every_s: float
    ) -> None:
        self._transport = transport
        self._path = path
        self._capacity = capacity
        self._batch = batch
        self._every_s = every_s
        self._start_afresh()
        if hasattr(os, "register_at_fork"):
            # The thread doesn't live on in a forked worker, and its items are the parent's to send.
            os.register_at_fork(after_in_child=self._start_afresh)

    def _start_afresh(self) -> None:
        self._items: deque[Mapping[str, Any]] = deque()
        self._stats = Stats()
        self._changed = threading.Condition()
        self._sending = 0
        self._size = self._batch
        self._hurry = False
        self._flushes = 0
        self._complained = 0
        self._reason = ""
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def stats(self) -> Stats:
        with self._changed:
            return replace(self._stats, queued=len(self._items) + self._sending)

    def put(self, item: Mapping[str, Any]) -> bool:
        """Queue an item; return False where it was dropped. Never blocks on the network."""
        with self._changed:
            if self._closed or len(self._items) >= self._capacity:
                self._count(dropped=1)
                return False
            if self._thread is None and not self._start():
                self._count(dropped=1)
                return False
            self._items.append(item)
            if len(self._items) in (1, self._size):
                self._changed.notify_all()  # the first starts the clock, a full batch goes at once
            return True

    def drop(self) -> None:
        """Count an item that could not be queued at all."""
        with self._changed:
            self._count(dropped=1)

    def _start(self) -> bool:
        thread = threading.Thread(target=self._run, name="hotswap-outbox", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # too many threads, or the interpreter is going down
            return False
        self._thread = thread
        return True

    def flush(self, timeout_s: float) -> bool:
        """Send what is queued now; return whether all of it was sent in time."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._hurry = True
            self._flushes += 1
            self._changed.notify_all()
            while self._items or self._sending:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return True

    def close(self, timeout_s: float) -> bool:
        """Flush, then take nothing more; what could not be sent counts as dropped."""
        done = self.flush(timeout_s)
        with self._changed:
            self._closed = True
            self._count(dropped=len(self._items))
            self._items.clear()
            self._changed.notify_all()
        return done

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            batch = self._take()
            if batch is None:
                return
            again_in_s = self._send(batch)
            if again_in_s is None:
                wait_s = FIRST_WAIT_S
                continue
            self._put_back(batch)
            if again_in_s:
                self._pause(max(again_in_s, random.uniform(wait_s / 2, wait_s)))  # noqa: S311
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    def _take(self) -> list[Mapping[str, Any]] | None:
        """Return the next batch once it is full or its time has come; None at the end."""
        with self._changed:
            while not self._items:
                if self._closed:
                    return None
                self._hurry = False
                self._changed.wait()
            if len(self._items) < self._size and not (self._hurry or self._closed):
                self._changed.wait(self._every_s)
            size = min(self._size, len(self._items))
            batch = [self._items.popleft() for _ in range(size)]
            self._sending = len(batch)
            return batch

    def _send(self, batch: list[Mapping[str, Any]]) -> float | None:
        """Send a batch; None when it is done with, else in how many seconds to send it again."""
        if not batch:
            return None
        try:
            reply = self._transport.post(self._path, batch)
        except Unreachable:
            return FIRST_WAIT_S
        except (TypeError, ValueError, RecursionError):
            return self._refused(batch, 400)  # an item that JSON can't carry
        if reply.status in BUSY:
            return max(_retry_after(reply), FIRST_WAIT_S)
        if reply.status != 200:
            return self._refused(batch, reply.status)
        self._size = min(self._size * 2, self._batch)
        self._complained = 0
        self._say_why(reply)
        self._done(**_receipt(reply, len(batch)))
        return None

    def _say_why(self, reply: Reply) -> None:
        """Log the first reason for which the server refused single items, unless said before."""
        with contextlib.suppress(Unreachable, KeyError, TypeError, IndexError):
            refused = reply.json()["rejected"]
            reason = str(refused[0]["detail"])
            if reason != self._reason:
                self._reason = reason
                logger.warning("Hotswap refused %s items: %s", len(refused), reason)

    def _refused(self, batch: list[Mapping[str, Any]], status: int) -> float | None:
        if status in SPOILT and len(batch) > 1:
            self._size = max(1, len(batch) // 2)
            return 0.0
        if status != self._complained:
            self._complained = status
            logger.warning("Hotswap answered %s: %s items are dropped", status, len(batch))
        self._done(dropped=len(batch))
        return None

    def _put_back(self, batch: list[Mapping[str, Any]]) -> None:
        with self._changed:
            self._sending = 0
            if self._closed:
                self._count(dropped=len(batch))
                return
            self._items.extendleft(reversed(batch))
            while len(self._items) > self._capacity:
                self._items.pop()
                self._count(dropped=1)

    def _pause(self, seconds: float) -> None:
        """Wait, at most until somebody flushes or closes: that is worth one more try at once."""
        with self._changed:
            if not self._closed:
                flushes = self._flushes
                self._changed.wait_for(
                    lambda: self._closed or self._flushes != flushes, min(seconds, LONGEST_WAIT_S)
                )

    def _done(self, **counts: int) -> None:
        with self._changed:
            self._sending = 0
            self._count(**counts)
            self._changed.notify_all()

    def _count(self, **counts: int) -> None:
        now = {name: getattr(self._stats, name) + more for name, more in counts.items()}
        self._stats = replace(self._stats, **now)


def _retry_after(reply: Reply) -> float:
    with contextlib.suppress(ValueError):
        return min(max(float(reply.headers.get("retry-after") or 0), 0.0), LONGEST_WAIT_S)
    return 0.0


def _receipt(reply: Reply, sent: int) -> dict[str, int]:
    try:
        body = reply.json()
        return {
            "accepted": int(body["accepted"]),
            "duplicates": int(body["duplicates"]),
            "rejected": len(body["rejected"]),
        }
    except (Unreachable, KeyError, TypeError, ValueError):
        return {"accepted": sent}
