"""Who asks: an application by its key."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from versioning.api.middleware import RATE_LIMIT, address_of
from versioning.domain.quotas import Quota, Taken
from versioning.models import ApiKey
from versioning.services import clock, keys
from versioning.services.errors import TooMany

LONGEST_SECRET = 200
WRONG_KEYS = 20
WRONG_KEYS_SECONDS = 15 * 60

_BEARER = "bearer "
logger = logging.getLogger(__name__)

requests_of_keys = Quota(most=settings.HOTSWAP["KEY_REQUESTS_A_MINUTE"], seconds=60)
# Different ones: an application that goes on with one old key is a nuisance and no guess, and must
# not keep out others that share its address.
wrong_keys = Quota(most=WRONG_KEYS, seconds=WRONG_KEYS_SECONDS)


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer hs_...``; ``request.auth`` is then the ApiKey."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        if not _says_bearer(request._request):
            return None
        key = key_of(request._request, now=clock.now())
        if key is None:
            raise AuthenticationFailed(
                "This key is unknown, revoked or expired. Make one in the admin, or with "
                "`manage.py create_api_key`."
            )
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="hotswap"'


def key_of(request: HttpRequest, *, now: datetime) -> ApiKey | None:
    """Return the usable key that the request carries, else None; it is looked at once a request.

    Raises TooMany where too many wrong keys came from its address, whatever key it carries, and
    where the key asked too often.
    """
    known: _Looked | None = getattr(request, _LOOKED, None)
    if known is None:
        known = _look(request, now=now)
        setattr(request, _LOOKED, known)
    if isinstance(known.found, TooMany):
        raise known.found
    return known.found


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a look at a request's key found: once, since it counts."""

    found: ApiKey | TooMany | None


_LOOKED = "_hotswap_key"


def _look(request: HttpRequest, *, now: datetime) -> _Looked:
    if not _says_bearer(request):
        return _Looked(None)
    at, address = time.monotonic(), address_of(request)
    if not (kept_out := wrong_keys.left(address, at=at)).allowed:
        return _Looked(_kept_out(kept_out))
    secret = request.META["HTTP_AUTHORIZATION"][len(_BEARER) :].strip()
    is_readable = len(secret) <= LONGEST_SECRET and secret.isascii() and "\0" not in secret
    key = keys.authenticate(secret, now=now) if is_readable else None
    if key is None:
        if not wrong_keys.take_distinct(address, hash(secret), at=at).allowed:
            logger.warning("%s sent %s wrong keys; it is refused for a while.", address, WRONG_KEYS)
        return _Looked(None)
    taken = requests_of_keys.take(key.pk, at=at)
    setattr(request, RATE_LIMIT, (requests_of_keys, taken))
    if not taken.allowed:
        message = f"This key may ask {requests_of_keys.most:,} times a minute. Wait, then go on."
        return _Looked(TooMany(message, retry_after_s=taken.reset_s))
    return _Looked(key)


def _kept_out(taken: Taken) -> TooMany:
    return TooMany(
        "Too many different wrong keys came from your address: no key from there is looked at for "
        "a while. Somebody may be guessing.",
        retry_after_s=taken.reset_s,
    )


def _says_bearer(request: HttpRequest) -> bool:
    given: str = request.META.get("HTTP_AUTHORIZATION", "")
    return given[: len(_BEARER)].lower() == _BEARER
