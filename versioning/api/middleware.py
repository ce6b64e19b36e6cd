"""Each request has an id: in the answer's header, in problems and in the log."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "X-Request-ID"
_USABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id_of(request: HttpRequest) -> str:
    """Return the request's id: the caller's own where it can be used, else a new one."""
    known = getattr(request, "request_id", None)
    if known is None:
        given = request.headers.get(HEADER, "")
        known = given if _USABLE.fullmatch(given) else uuid.uuid4().hex
        request.request_id = known  # type: ignore[attr-defined]
    return str(known)


class RequestIdMiddleware:
    """Put the request's id into every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        id = request_id_of(request)
        response = self.get_response(request)
        response[HEADER] = id
        return response
