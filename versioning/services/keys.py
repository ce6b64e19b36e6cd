"""Keys of applications: made once, shown once, checked on every request."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest

from django.db import DatabaseError, transaction
from django.db.models import Q

from versioning.domain.naming import problem_of_text
from versioning.models import ApiKey, Team
from versioning.models.access import PREFIX_LENGTH
from versioning.services import locks, teams
from versioning.services.actors import Actor
from versioning.services.errors import FieldError, Invalid
from versioning.services.lock_timeouts import waiting_at_most
from versioning.services.process_cache import Fingerprint, Row
from versioning.services.transactions import one_transaction

# Every request has a key: to note each use would make all of them wait for one row.
USE_NOTED_EVERY = timedelta(minutes=1)
# The note is worth no wait: where somebody holds the row, the next request notes it.
_AT_ONCE = timedelta(milliseconds=1)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. ``secret`` can't be read again later."""

    api_key: ApiKey
    secret: str = field(repr=False)


def create_api_key(
    *,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    expires_at: datetime | None = None,
    is_own: bool = False,
    team: Team | None = None,
    actor: Actor,
) -> NewKey:
    """Make a key that may do what ``scopes`` (read, ingest, decide, emergency, setup) say.

    It is a service's, or with ``is_own`` that of the person who makes it: nobody makes a key for
    somebody else, who would then seem to have done what is done with it. A key of a ``team``
    decides on its models, and sees them where it is closed.
    Raises Invalid for an unknown scope, none at all, an end that has passed, or a team that the
    maker isn't in: such a key would let them in.
    """
    wanted = sorted(set(scopes))
    errors = []
    if not wanted or not set(wanted) <= set(ApiKey.Scope.values):
        errors.append(
            FieldError("/scopes", "unknown-scope", f"Give one of {', '.join(ApiKey.Scope.values)}.")
        )
    if expires_at is not None and expires_at <= now:
        errors.append(FieldError("/expires_at", "in-the-past", "Give a moment still to come."))
    if is_own and actor.user_id is None:
        errors.append(FieldError("/is_own", "nobody", "Only a person has a key of their own."))
    if team is not None and teams.is_foreign(team.pk, actor):
        errors.append(
            FieldError("/team", "not-in-team", "Only a team's own members make keys of it.")
        )
    if not name.strip():
        errors.append(FieldError("/name", "missing", "Say which application uses the key."))
    elif unreadable := problem_of_text(name):
        errors.append(FieldError("/name", "unreadable", unreadable))
    if errors:
        raise Invalid("The key was not made.", errors)
    secret, prefix, hashed = ApiKey.make_secret()
    api_key = ApiKey(
        name=name.strip()[:100],
        prefix=prefix,
        hashed=hashed,
        scopes=wanted,
        expires_at=expires_at,
        person_id=actor.user_id if is_own else None,
        maker_id=actor.user_id,
        team=team,
    )
    actor.sign(api_key)
    api_key.save()
    return NewKey(api_key=api_key, secret=secret)


_ROW = Fingerprint(
    lambda prefix: ApiKey.objects.filter(prefix=prefix).values_list(
        "pk",
        "name",
        "hashed",
        "scopes",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "team",
        "person__is_active",
    ),
    parameters=1,
)
_keys: dict[str, tuple[Row, ApiKey]] = {}


def authenticate(secret: str, *, now: datetime) -> ApiKey | None:
    """Return the usable key with this secret, else None.

    One indexed query, or none (see Fingerprint): on this machine a key that was revoked is
    refused from the next request on, by other machines within 2 seconds.
    """
    prefix = secret[:PREFIX_LENGTH]
    row = _ROW.read(prefix)
    known = _keys.get(prefix)
    api_key = known[1] if known is not None and known[0] == row else _read(prefix, row)
    if api_key is None or not compare_digest(api_key.hashed, ApiKey.hash_of(secret)):
        return None
    if row is not None and row[-1] is False:
        return None  # the person whose key it is has left
    if api_key.revoked_at or (api_key.expires_at and api_key.expires_at <= now):
        return None
    if api_key.last_used_at is None or api_key.last_used_at <= now - USE_NOTED_EVERY:
        _note_use(api_key, now=now)
    return api_key


def _read(prefix: str, row: Row | None) -> ApiKey | None:
    api_key = ApiKey.objects.filter(prefix=prefix).first() if row is not None else None
    if row is not None and api_key is not None and _ROW.fetch(prefix) == row:
        _keys[prefix] = row, api_key
    return api_key


@one_transaction
def revoke(*, api_key_id: int, actor: Actor, now: datetime) -> ApiKey:
    """End the key's life at once; to revoke it again changes nothing. Raises NotFound."""
    api_key = locks.hold_one(ApiKey.objects.filter(pk=api_key_id), missing="There is no such key.")
    if api_key.revoked_at is None:
        api_key.revoked_at = now
        actor.sign(api_key)
        api_key.save(update_fields=["revoked_at"])
    return api_key


def _note_use(api_key: ApiKey, *, now: datetime) -> None:
    """Remember the use, if that can be written at once; who only reads waits for no writer.

    What can't be written now (another writer, a full disk, a read-only file) is written by a
    later request, a minute on: so that requests don't queue for the row.
    """
    api_key.last_used_at = now
    unnoted = ApiKey.objects.filter(
        Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY), pk=api_key.pk
    )
    try:
        with waiting_at_most(_AT_ONCE), transaction.atomic(), waiting_at_most(_AT_ONCE):
            unnoted.update(last_used_at=now)
    except DatabaseError as error:
        logger.info("The use of key %s was not noted: %s", api_key.prefix, error)
