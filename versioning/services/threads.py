"""Threads that go on with what the one which began them was about."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from versioning.services import stopping


class ThreadPool(ThreadPoolExecutor):
    """A pool whose work knows its request: lines of the log bear its id, spans are of its trace."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(copy_context().run, fn, *args, **kwargs)

    def __exit__(self, *error: object) -> None:
        """Wait for what was begun, but not in a worker that has to end."""
        ends = stopping.is_overdue()
        self.shutdown(wait=not ends, cancel_futures=ends)
