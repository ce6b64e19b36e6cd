"""Which version to use now: cheap, cacheable, conditional."""

from datetime import UTC, date, datetime, time
from urllib.parse import quote

from django.http import HttpRequest
from django.utils.http import http_date, parse_etags
from rest_framework.response import Response

from versioning.api.operations import ApiView, Asked, header, operation
from versioning.api.serializers.versions import CurrentQuery, CurrentSerializer
from versioning.services import serving
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
        headers=(
            header("If-None-Match", "ETag of the answer you have: 304 if it still holds."),
            header("ETag", "Names the answer.", sent_back=[200]),
            header("Deprecation", "When the version was deprecated (RFC 9745).", sent_back=[200]),
            header("Sunset", "When the version retires (RFC 8594).", sent_back=[200]),
            header("Link", "Where its successor is, once it retires.", sent_back=[200]),
        ),
    )
    def get(self, asked: Asked, *, provider: str, model: str) -> Response:
        """Send requests to the provider with `version.upstream_id`. Ask as often as you like:
        the answer has an ETag, may be cached for 2 seconds, and used for a day while this
        server can't be reached."""
        answer = serving.current(provider=provider, name=model, now=asked.now)
        headers = headers_of(answer)
        if matches(asked.request._request, answer.etag):
            return Response(status=304, headers=headers)
        return Response(CurrentSerializer(answer).data, headers=headers)


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
