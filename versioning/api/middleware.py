"""Each request has an id, an address that it came from, and what is left of its key's quota."""

import re
import uuid
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from versioning.domain.quotas import Quota, Taken

RATE_LIMIT = "_hotswap_rate_limit"
"""Where a request holds its key's quota and what is left of it."""

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


def address_of(request: HttpRequest) -> str:
    """Return the address that a request came from, as far as Hotswap can know it.

    Each proxy in front (``HOTSWAP_PROXIES``) adds the one it was asked by to X-Forwarded-For; what
    stands before these anybody could have written. Of IPv6 the network counts (/64): one machine
    has as many addresses there as it likes.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    proxies: int = settings.HOTSWAP["PROXIES"]
    if proxies:
        added = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        address = added[-proxies].strip() if len(added) >= proxies and added[-1] else address
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> 64 << 64)) if not parsed.ipv4_mapped else address
    return address


class RateLimitMiddleware:
    """Say in each answer to a key what is left of its quota.

    The fields are those of draft-ietf-httpapi-ratelimit-headers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        known: tuple[Quota, Taken] | None = getattr(request, RATE_LIMIT, None)
        if known is not None:
            quota, taken = known
            response["RateLimit-Policy"] = f'"key";q={quota.most};w={quota.seconds}'
            response["RateLimit"] = f'"key";r={taken.remaining};t={taken.reset_s}'
        return response
