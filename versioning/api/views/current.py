"""Which version to use now: cheap, cacheable, conditional."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date, parse_etags
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from versioning.api.authentication import key_of
from versioning.api.operations import ApiView, Asked, by_the_way_it_came, header, operation
from versioning.api.serializers.versions import LONGEST_KEY, CurrentQuery, CurrentSerializer
from versioning.api.teams import of_key
from versioning.models import ApiKey
from versioning.services import clock, serving, teams
from versioning.services.errors import NotFound, TooMany
from versioning.services.serving import CurrentAnswer

CACHE_CONTROL = "private, max-age=2, stale-if-error=86400"
"""A new version reaches clients within 2 s; with the server away they keep the last answer."""


class CurrentView(ApiView):
    @operation(
        id="current",
        tag="models",
        summary="The version to use now",
        query=CurrentQuery,
        answer=CurrentSerializer,
        problems=(404,),
        may_be_unchanged=True,
        headers=(
            header("If-None-Match", "ETag of the answer you have: 304 if it still holds."),
            header("ETag", "Names the answer.", sent_back=[200, 304]),
            header("Deprecation", "When the version was deprecated (RFC 9745).", sent_back=[200]),
            header("Sunset", "When the version retires (RFC 8594).", sent_back=[200]),
            header("Link", "Where its successor is, once it retires.", sent_back=[200]),
        ),
    )
    def get(self, asked: Asked, *, provider: str, model: str) -> Response:
        """Send requests to the provider with `version.upstream_id`. Ask as often as you like:
        the answer has an ETag, may be cached for 2 seconds, and used for a day while this
        server can't be reached."""
        answer = serving.current(
            provider=provider, name=model, now=asked.now, key=asked.query.get("key", "")
        )
        headers = headers_of(answer)
        if matches(asked.request._request, answer.etag):
            return Response(status=304, headers=headers)
        return Response(CurrentSerializer(answer).data, headers=headers)

    def dispatch(self, request: HttpRequest, *args: Any, **parts: Any) -> HttpResponseBase:
        """Answer what applications ask all day at once; all else goes the framework's way."""
        quick = quick_answer(request, **parts)
        if quick is not None:
            return by_the_way_it_came(request, quick)
        return super().dispatch(request, *args, **parts)


def quick_answer(request: HttpRequest, *, provider: str, model: str) -> HttpResponse | None:
    """Return the answer to a plain question by a key; None for any other, and for all errors."""
    if request.method != "GET" or not _is_plain(request):
        return None
    caller = request.GET.get("key", "")
    now = clock.now()
    try:
        key = key_of(request, now=now)
    except TooMany:
        return None
    if key is None or ApiKey.Scope.READ not in key.scopes or teams.hidden(of_key(key)):
        return None
    try:
        answer = serving.current(provider=provider, name=model, now=now, key=caller)
    except NotFound:
        return None
    body, headers = rendered(answer)
    if matches(request, answer.etag):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, content_type="application/json", headers=headers)


def _is_plain(request: HttpRequest) -> bool:
    """Say whether it asks for JSON, with no query or with one usable key."""
    if request.META.get("HTTP_ACCEPT", "*/*") not in ("*/*", "application/json"):
        return False
    if "\0" in request.path:
        return False
    if not request.META.get("QUERY_STRING"):
        return True
    keys = request.GET.getlist("key")
    return (
        len(request.GET) == len(keys) == 1
        and 0 < len(keys[0]) <= LONGEST_KEY
        and "\0" not in keys[0]
    )


@lru_cache(maxsize=4096)
def rendered(answer: CurrentAnswer) -> tuple[bytes, Mapping[str, str]]:
    """Return an answer's body and headers; equal answers have equal ones."""
    return JSONRenderer().render(CurrentSerializer(answer).data), headers_of(answer)


def headers_of(answer: CurrentAnswer) -> dict[str, str]:
    """Return the headers of an answer, with those of a version that goes away."""
    version = answer.version
    headers = {"ETag": f'"{answer.etag}"', "Cache-Control": CACHE_CONTROL}
    if version.deprecated_on is not None:
        headers["Deprecation"] = f"@{_second(version.deprecated_on)}"
    if version.retires_on is not None:
        headers["Sunset"] = http_date(_second(version.retires_on))
    if version.deprecated_on is not None or version.retires_on is not None:
        where = f"/api/model-versions/{quote(answer.provider)}/{quote(answer.name)}/upgrades"
        headers["Link"] = f'<{where}?state=recommended>; rel="successor-version"'
    return headers


def matches(request: HttpRequest, etag: str) -> bool:
    """Say whether If-None-Match names the ETag (weakly compared, as RFC 9110 asks)."""
    given = request.headers.get("If-None-Match")
    if given is None:
        return False
    return any(tag == "*" or tag.removeprefix("W/") == f'"{etag}"' for tag in parse_etags(given))


def _second(day: date) -> int:
    """Return the first second of the day (UTC)."""
    return int(datetime.combine(day, time.min, tzinfo=UTC).timestamp())
