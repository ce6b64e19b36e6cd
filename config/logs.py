"""Lines of the log: for people or as JSON, each with the id of the request that it is about.

The id goes with a request into the tasks that it starts, and into those that they start.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_request_id: ContextVar[str] = ContextVar("request_id", default="")
HEADER = "hotswap_request_id"
"""Of a message to a worker."""


class RequestIdFilter(logging.Filter):
    """Give a record ``request_id``; empty outside of any request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _request_id.get()
        return True


class RequestIdOfLogMiddleware:
    """Have what is logged during a request bear its id, which RequestIdMiddleware chose."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        _request_id.set(str(getattr(request, "request_id", "")))
        return self.get_response(request)


@receiver(request_finished)
def forget(**_: Any) -> None:
    """The thread's next request has an id of its own. Django itself logs after all middleware."""
    _request_id.set("")


@before_task_publish.connect
def send_along(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Write the id into the message."""
    if headers is not None and _request_id.get():
        headers[HEADER] = _request_id.get()


@task_prerun.connect
def take_up(task: Any = None, **_: Any) -> None:
    """Go on with the id that came with the message: its headers become the request's attributes."""
    _request_id.set(str(getattr(task.request, HEADER, None) or _request_id.get()))


@task_postrun.connect
def put_down(task: Any = None, **_: Any) -> None:
    """A worker's next task has an id of its own; one that runs within a request keeps that."""
    if not task.request.is_eager:
        _request_id.set("")
