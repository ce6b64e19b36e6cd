"""One declaration for each operation: it reads the input, guards the door and is the docs."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from versioning.api import parsing, teams
from versioning.api.permissions import Operation, operation_of
from versioning.api.problems import CONTENT_TYPE, Problem
from versioning.api.serializers.problems import ProblemSerializer
from versioning.models import ApiKey
from versioning.services import clock, idempotency
from versioning.services.actors import Actor
from versioning.services.idempotency import StoredAnswer
from versioning.services.lock_timeouts import waiting_at_most

Form = type[Serializer[Any]]
Handler = Callable[..., Any]
Answer = TypeVar("Answer", bound=HttpResponseBase)

UNVERSIONED, V1 = "/api/", "/api/v1/"
"""The addresses of the original system stay beside those that the description tells."""

_ADDRESSES = {"Location", "Link"}
_UNVERSIONED_PATH = re.compile(f"(?<=^<){UNVERSIONED}(?!v1/)|^{UNVERSIONED}(?!v1/)")

LONGEST_KEY = 200
PATIENCE = timedelta(seconds=5)
"""How long a change waits for another writer: its thread answers nobody else meanwhile."""

UNCHANGED = OpenApiResponse(description="The answer that you have still holds.")
READ = "versioning.view_trackedmodel"
APPROVE = "versioning.approve_upgrade"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read: who asks, when, and for what."""

    request: Request
    actor: Actor
    now: datetime
    query: dict[str, Any]
    body: dict[str, Any]

    @property
    def if_match(self) -> str | None:
        """The one ETag of If-Match, without quotes; None where any will do."""
        given = self.request.headers.get("If-Match", "").strip()
        if given in ("", "*"):
            return None
        if "," in given:
            raise Problem(400, "bad-header", "Give one ETag in If-Match: what you have read.")
        return given.removeprefix("W/").strip('"')


class ApiView(APIView):
    """A view whose methods are operations, at an address with a version and at one without."""

    parser_classes: Sequence[type[BaseParser]] = (parsing.JsonParser,)
    most_bytes = parsing.MOST_BYTES
    metadata_class = None
    tags: ClassVar[Sequence[str]] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if "\0" in request.path:
            raise Problem(404, "not-found", "There is nothing at this address.")
        # Before anything else does: the guard against forged requests would read it bit by bit.
        parsing.raw_body(request._request, most=self.most_bytes)
        super().initial(request, *args, **kwargs)
        rule = operation_of(self, str(request.method))
        if rule is not None:
            teams.let_in(request, changes=rule.scope != ApiKey.Scope.READ, parts=kwargs)
        if any(isinstance(part, int) and part > parsing.LARGEST for part in kwargs.values()):
            # No row has such an id, and SQLite's driver raises where it is asked for one.
            raise Problem(404, "not-found", "There is nothing at this address.")

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        return by_the_way_it_came(request._request, answer)


def by_the_way_it_came(request: HttpRequest, answer: Answer) -> Answer:
    """Let whoever came by the version go on by it: change the addresses in an answer's headers."""
    if request.path.startswith(V1):
        for name in _ADDRESSES & set(answer.headers):
            answer[name] = _UNVERSIONED_PATH.sub(V1, answer[name], count=1)
    return answer


def operation(
    *,
    id: str,
    tag: str,
    summary: str,
    answer: Form | None,
    status: int = 200,
    query: Form | None = None,
    body: Form | None = None,
    scope: str = ApiKey.Scope.READ,
    permission: str = READ,
    problems: Sequence[int] = (),
    headers: Sequence[OpenApiParameter] = (),
    examples: Sequence[OpenApiExample] = (),
    may_be_unchanged: bool = False,
    file_types: Sequence[str] = (),
    first: Callable[..., object] | None = None,
    asks_others: bool = False,
    shown_once: Sequence[str] = (),
) -> Callable[[Handler], Handler]:
    """Make a view's method an operation: it is called with ``Asked`` and the path's parts.

    ``may_be_unchanged``: it answers If-None-Match with 304.
    ``file_types`` are the media types of a file that a GET hands out, or a POST takes in; the
    handler reads it itself. A PATCH, and a POST that makes something (201), must be told at
    least one field.

    With an Idempotency-Key the handler runs in one transaction. ``first`` is what must outlive
    its refusal, and is called before; one that ``asks_others``, and changes nothing, runs in none.
    Fields that are ``shown_once`` are not kept for it: a replay has them empty.
    """

    def decorate(handler: Handler) -> Handler:
        method = handler.__name__
        changes = method in ("post", "patch")
        takes_in, hands_out = changes and bool(file_types), not changes and bool(file_types)
        may_be_empty = method == "post" and status != HTTPStatus.CREATED

        @wraps(handler)
        def read_and_answer(view: ApiView, request: Request, **parts: Any) -> Any:
            asked = Asked(
                request=request,
                actor=_actor_of(request),
                now=clock.now(),
                query=parsing.read_query(request, query),
                body=parsing.read_body(request, body, may_be_empty=may_be_empty)
                if changes and not takes_in
                else {},
            )
            key = request.headers.get("Idempotency-Key") if method == "post" else None
            with waiting_at_most(PATIENCE) if method != "get" else nullcontext():
                if key is None:
                    return handler(view, asked, **parts)
                if first is not None:
                    first(asked, **parts)
                once = idempotency.answer_after_asking if asks_others else idempotency.answer_once
                return _answer_once(
                    asked, key, lambda: handler(view, asked, **parts), once=once, hides=shown_once
                )

        read_and_answer.operation = Operation(scope, permission)  # type: ignore[attr-defined]
        parameters: list[Any] = [*([query] if query else []), *_headers_of(method, headers)]
        usual = {400, 401, 403, 404, 406, 411, 413, 429, 500, 503}
        if changes:
            usual |= {409, 415, 422}
        described: Handler = extend_schema(
            operation_id=id,
            tags=[tag],
            summary=summary,
            description=handler.__doc__ or summary,
            parameters=parameters,
            request=dict.fromkeys(file_types, OpenApiTypes.STR) if takes_in else body,
            responses={
                **(_files_of(file_types, status) if hands_out else _answer_of(answer, status)),
                **({304: UNCHANGED} if may_be_unchanged else {}),
                **{
                    (code, CONTENT_TYPE): ProblemSerializer
                    for code in sorted(usual.union(problems))
                },
            },
            examples=list(examples),
        )(read_and_answer)
        return described

    return decorate


def header(name: str, description: str, *, sent_back: Sequence[int] = ()) -> OpenApiParameter:
    """Describe a header that is sent, or that comes back with the given statuses."""
    return OpenApiParameter(
        name,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description=description,
        response=list(sent_back) or False,
    )


def _answer_of(answer: Form | None, status: int) -> dict[Any, Any]:
    return {status: None} if answer is None else {(status, JSONRenderer.media_type): answer}


def _files_of(media_types: Sequence[str], status: int) -> dict[Any, Any]:
    return {(status, media_type): OpenApiTypes.STR for media_type in media_types}


def _headers_of(method: str, headers: Sequence[OpenApiParameter]) -> list[OpenApiParameter]:
    usual = list(headers)
    if method == "post":
        about = (
            "A text of your own for this request (up to 200 letters). Sent again, the stored "
            "answer comes back and nothing is done twice."
        )
        usual.append(header("Idempotency-Key", about))
    return usual


def _actor_of(request: Request) -> Actor:
    if isinstance(request.auth, ApiKey):
        return Actor.of_api_key(request.auth)
    person: User = request.user  # type: ignore[assignment]  # HasScope lets nobody else in
    return Actor.of_user(person)


def _answer_once(
    asked: Asked,
    key: str,
    answer: Callable[[], Response],
    *,
    once: Callable[..., StoredAnswer],
    hides: Sequence[str],
) -> Response:
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable() or not key.isascii():
        raise Problem(400, "bad-header", "An Idempotency-Key has 1 to 200 printable letters.")
    request = asked.request
    caller = f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else ""
    shown: dict[str, Any] = {}

    def work() -> StoredAnswer:
        response = answer()
        body = json.loads(JSONRenderer().render(response.data))
        for name in hides:
            shown[name], body[name] = body[name], ""
        return StoredAnswer(status=response.status_code, body=body, headers=dict(response.items()))

    stored = once(
        caller=caller or f"user:{request.user.pk}",
        key=key,
        fingerprint=_fingerprint(request),
        now=asked.now,
        work=work,
    )
    headers = dict(stored.headers)
    if stored.is_replay:
        headers["Idempotent-Replayed"] = "true"
        return Response(stored.body, status=stored.status, headers=headers)
    body = {**stored.body, **shown} if shown else stored.body
    return Response(body, status=stored.status, headers=headers)


def _fingerprint(request: Request) -> str:
    plain = request._request
    line = f"{plain.method} {plain.get_full_path()}\n"
    return hashlib.sha256(line.encode() + plain.body).hexdigest()
