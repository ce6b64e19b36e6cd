"""Who asks: an application by its key."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from versioning.models import ApiKey
from versioning.services import keys

LONGEST_SECRET = 200


_BEARER = "bearer "


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer hs_...``; ``request.auth`` is then the ApiKey."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        if not _says_bearer(request._request):
            return None
        key = key_of(request._request, now=timezone.now())
        if key is None:
            raise AuthenticationFailed(
                "This key is unknown, revoked or expired. Make one in the admin, or with "
                "`manage.py create_api_key`."
            )
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="hotswap"'


def key_of(request: HttpRequest, *, now: datetime) -> ApiKey | None:
    """Return the usable key that the request carries, else None."""
    if not _says_bearer(request):
        return None
    secret = request.META["HTTP_AUTHORIZATION"][len(_BEARER) :].strip()
    if len(secret) > LONGEST_SECRET or not secret.isascii() or "\0" in secret:
        return None
    return keys.authenticate(secret, now=now)


def _says_bearer(request: HttpRequest) -> bool:
    given: str = request.META.get("HTTP_AUTHORIZATION", "")
    return given[: len(_BEARER)].lower() == _BEARER
