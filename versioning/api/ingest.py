"""The way in for samples and scores: plain views, since a second holds thousands of samples."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, ParamSpec

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from versioning.api.authentication import key_of
from versioning.api.problems import Problem, problem, problem_response
from versioning.api.views.samples import SamplesView
from versioning.models import ApiKey
from versioning.services import clock, sample_settings
from versioning.services.errors import Busy
from versioning.services.lock_timeouts import waiting_at_most
from versioning.services.samples import ingestion, late_scores
from versioning.services.samples.incoming import (
    Rejected,
    ScoreIn,
    TooLarge,
    UnreadableBody,
    decode_samples,
    decode_scores,
)

P = ParamSpec("P")
MOST_AT_ONCE = 64 * 1024 * 1024
"""Bytes of bodies that one process works on; a sample takes about ten times its JSON in memory."""

PATIENCE = timedelta(seconds=3)
"""How long a batch waits for another writer, before its client is asked to send it again."""

_UNPACKED = 10
"""How many times its size a gzip body is taken for, before it is unpacked."""

_GZIP = 31  # window bits of zlib that mean gzip with its header


class Room:
    """Bounds the bodies that this process works on at the same time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken = 0

    @contextmanager
    def taken_by(self, request: HttpRequest) -> Iterator[None]:
        """Take room for a request's body. Raises Busy when there is none.

        Whoever comes when all is free gets in, however large.
        """
        size = self._size_of(request)
        with self._lock:
            if self._taken and self._taken + size > MOST_AT_ONCE:
                raise Busy("Too many batches at once: send this one again.", retry_after_s=1)
            self._taken += size
        try:
            yield
        finally:
            with self._lock:
                self._taken -= size

    @staticmethod
    def _size_of(request: HttpRequest) -> int:
        most = sample_settings.most_bytes()
        told = int(request.META.get("CONTENT_LENGTH") or most)
        return min(most, told * _UNPACKED if "Content-Encoding" in request.headers else told)


room = Room()


def ingest_view(
    *methods: str,
    read_by: Callable[..., HttpResponseBase] | None = None,
) -> Callable[
    [Callable[Concatenate[HttpRequest, ApiKey, datetime, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Make a view for keys with the scope ingest; its errors become problems.

    ``read_by`` is the view of the same address that answers GET; it has its own rules.
    """
    allowed = methods if read_by is None else ("GET", *methods)

    def decorate(
        view: Callable[Concatenate[HttpRequest, ApiKey, datetime, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if read_by is not None and request.method in ("GET", "HEAD"):
                return read_by(request, *args, **kwargs)
            now = clock.now()
            try:
                if request.method not in methods:
                    return _wrong_method(request, allowed)
                key = _key_of(request, now=now)
                with room.taken_by(request), waiting_at_most(PATIENCE):
                    return view(request, key, now, *args, **kwargs)
            except Exception as error:
                response = problem_response(error, {"request": request})
                if response is None:
                    raise
                if response.status_code == 401:
                    response["WWW-Authenticate"] = 'Bearer realm="hotswap"'
                return response

        if read_by is not None:
            answer.__dict__ |= read_by.__dict__  # the description finds what it reads by
        return answer

    return decorate


@ingest_view("POST", read_by=SamplesView.as_view())
def performance_samples(request: HttpRequest, key: ApiKey, now: datetime) -> HttpResponse:
    """Take in one sample or a batch: {accepted, duplicates, rejected}."""
    items = decode_samples(read_body(request), most=sample_settings.most_items())
    return _json(ingestion.accept(items, api_key_id=key.pk, now=now))


@ingest_view("POST", "PATCH")
def scores(request: HttpRequest, key: ApiKey, now: datetime) -> HttpResponse:
    """Take in late scores by request id: {accepted, pending, rejected}."""
    items = decode_scores(read_body(request), most=sample_settings.most_items())
    return _json(late_scores.attach(items, api_key_id=key.pk, now=now))


@ingest_view("POST", "PATCH")
def scores_of_request(
    request: HttpRequest, key: ApiKey, now: datetime, *, request_id: str
) -> HttpResponse:
    """Take in the score of the request in the address; the body is {quality} or {signals}."""
    body = read_body(request)
    if body.lstrip()[:1] != b"{":
        raise UnreadableBody("Send one JSON object: {quality} or {signals}.")
    try:
        fields = {"request_id": request_id} | msgspec.json.decode(body, type=dict[str, Any])
        item: ScoreIn | Rejected = msgspec.convert(fields, ScoreIn)
    except msgspec.ValidationError as error:
        item = Rejected(0, "invalid-field", str(error))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableBody(f"The body is not JSON: {error}.") from error
    if isinstance(item, ScoreIn) and item.request_id != request_id:
        item = Rejected(0, "invalid-field", f"request_id: the address names {request_id}.")
    return _json(late_scores.attach([item], api_key_id=key.pk, now=now))


def read_body(request: HttpRequest) -> bytes:
    """Return the body, unpacked if it is gzip.

    Raises TooLarge for more than the settings allow, packed or unpacked, Unreadable for a body
    that breaks off and for broken gzip, Problem for another encoding (415). Nothing larger is
    ever held in memory. A body that came in pieces is whole here: see ``bodies``.
    """
    most = sample_settings.most_bytes()
    too_large = TooLarge(f"A body holds at most {most:,} bytes: send the batch in parts.")
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        raise too_large
    try:
        body: bytes = request.read(most + 1)
    except OSError as error:
        raise UnreadableBody("The body broke off, or its pieces can't be told apart.") from error
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "gzip":
        unpacker = zlib.decompressobj(_GZIP)
        try:
            body = unpacker.decompress(body, most + 1)
        except zlib.error as error:
            raise UnreadableBody(f"The body is not gzip: {error}.") from error
        if len(body) <= most and not unpacker.eof:
            raise UnreadableBody("The gzip body ends too early.")
    elif encoding != "identity":
        raise Problem(415, "unsupported-encoding", "Send the body plain or as gzip.")
    if len(body) > most:
        raise too_large
    return body


def _key_of(request: HttpRequest, *, now: datetime) -> ApiKey:
    key = key_of(request, now=now)
    if key is None:
        raise Problem(
            401,
            "not-authenticated",
            "Send a key that is neither revoked nor expired: `Authorization: Bearer hs_...`.",
        )
    if ApiKey.Scope.INGEST not in key.scopes:
        raise Problem(403, "not-allowed", "This key lacks the scope ingest.")
    return key


def _wrong_method(request: HttpRequest, methods: tuple[str, ...]) -> HttpResponse:
    return problem(
        request,
        status=405,
        code="method-not-allowed",
        detail=f"Send {' or '.join(methods)}.",
        headers={"Allow": ", ".join(methods)},
    )


def _json(answer: object) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")
