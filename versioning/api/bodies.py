"""Bodies that come in pieces, read to their end before anybody asks how long they are."""

import tempfile
from collections.abc import Callable
from typing import IO, Any

from django.conf import settings
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from gunicorn.http.errors import ParseException

from versioning.api.problems import Problem, refusal

# Beyond it the body waits on disk: a few large uploads at once must not fill the memory.
KEPT_IN_MEMORY = 1024 * 1024
_PIECE = 64 * 1024


class PiecesMiddleware:
    """Give a body that comes in pieces (``Transfer-Encoding: chunked``) a length.

    Django and Django REST framework take a body without a Content-Length for an empty one: a
    change would be answered with success and change nothing. So it is read here, for every
    address. Where the server can't tell its end it is refused (411), where it breaks off (400).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_TRANSFER_ENCODING" not in request.META:
            return self.get_response(request)
        with tempfile.SpooledTemporaryFile(max_size=KEPT_IN_MEMORY) as whole:
            try:
                _give_length(request, whole)
            except Problem as error:
                return refusal(request, error)
            return self.get_response(request)


def _give_length(request: HttpRequest, whole: IO[bytes]) -> None:
    """Put the whole body in the place of its pieces. Raises Problem (411, 413 or 400)."""
    if not request.META.get("wsgi.input_terminated"):
        raise Problem(411, "length-required", "Send the body with its Content-Length.")
    most = int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    size = _copy(request.META["wsgi.input"], whole, most=most)
    whole.seek(0)
    # LimitedStream is what WSGIRequest itself reads from.
    request._stream = LimitedStream(whole, size)  # type: ignore[assignment,arg-type]
    request.META["CONTENT_LENGTH"] = str(size)
    del request.META["HTTP_TRANSFER_ENCODING"]
    if "headers" in request.__dict__:  # cached by whoever looked at them before us
        del request.__dict__["headers"]


def _copy(pieces: Any, whole: IO[bytes], *, most: int) -> int:
    size = 0
    try:
        while piece := pieces.read(_PIECE):
            size += len(piece)
            if size > most:
                raise Problem(413, "too-large", f"A body may have {most} bytes.")
            whole.write(piece)
    except (OSError, ParseException) as error:
        raise Problem(
            400, "unreadable-body", "The body broke off, or its pieces can't be told apart."
        ) from error
    return size
