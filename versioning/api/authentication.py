"""Who asks: an application by its key."""

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from versioning.models import ApiKey
from versioning.services import keys

LONGEST_SECRET = 200


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer hs_...``; ``request.auth`` is then the ApiKey."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        scheme, _, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        key = None
        if len(secret) <= LONGEST_SECRET and secret.isascii() and b"\0" not in secret:
            key = keys.authenticate(secret.decode().strip(), now=timezone.now())
        if key is None:
            raise AuthenticationFailed(
                "This key is unknown, revoked or expired. Make one in the admin, or with "
                "`manage.py create_api_key`."
            )
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="hotswap"'
