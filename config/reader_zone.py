"""Pages tell times in the zone of whoever reads them; their browser names it once, by a cookie.

Days stay days: what retires, is snoozed or has to start on a day does so by TIME_ZONE, for
everybody. So services reckon by ``versioning.services.clock`` alone, never by what is active here.
"""

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

COOKIE = "hotswap_zone"
"""Set by static/hotswap/admin.js: a name such as Europe/Prague."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}")


class ReaderZoneMiddleware:
    """Answer pages for people in the zone that their browser lives in; programs as ever."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        zone = zone_named(request.COOKIES.get(COOKIE, ""))
        if zone is None or not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)


def zone_named(name: str) -> ZoneInfo | None:
    """Return the zone of that name; None where there is none."""
    if not _NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: it names a folder of zones
        return None
