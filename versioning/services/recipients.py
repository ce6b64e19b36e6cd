"""People who are told of events: set up, tried, told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from providers import variables
from providers.http.notify import TOTAL_S, notify
from versioning.domain.quiet_hours import next_open
from versioning.models import Recipient
from versioning.models.subscriptions import check_way
from versioning.services import editing, mail, subscriptions, vault
from versioning.services.actors import Actor
from versioning.services.errors import FieldError, Invalid, ServiceError

CHANNEL = "people"
TEST_TITLE, TEST_BODY = "Hotswap: a test", "Hotswap tries whether its notices arrive. They do."


class NotTold(ServiceError):
    """A notice was not taken, and why. ``status`` is what was answered, where there is one."""

    code = "not-told"

    def __init__(
        self,
        sentence: str,
        *,
        answered: int | None = None,
        is_permanent: bool = False,
        is_away: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.answered = answered
        self.is_permanent = is_permanent
        self.is_away = is_away


@dataclass(frozen=True, slots=True)
class RecipientTest:
    """What came of one notice, in a sentence."""

    ok: bool
    sentence: str


def all_of_them() -> QuerySet[Recipient]:
    """Return the recipients with their providers."""
    return Recipient.objects.select_related("provider", "team")


def add(*, fields: Mapping[str, Any], actor: Actor) -> Recipient:
    """Add a recipient; an address (``url``) is kept encrypted. Raises Invalid and NoSecretsKey."""
    return editing.add(Recipient(**kept(fields), made_by=actor.name), actor=actor)


def change(
    *, name: str, changes: Mapping[str, Any], actor: Actor, revision: str | None, now: datetime
) -> Recipient:
    """Set the given fields; one way in place of another needs the other emptied.

    Raises NotFound, ChangedSince, Invalid and NoSecretsKey.
    """
    wanted = kept(changes)
    if wanted.get("enabled"):
        wanted["off_reason"] = ""
    recipient = editing.change(_named(name), changes=wanted, actor=actor, revision=revision)
    if wanted.get("enabled"):
        subscriptions.switched_on(recipient, by=actor.name, now=now)
    return recipient


def test(*, name: str) -> RecipientTest:
    """Send a notice that tells of nothing, at once. Raises NotFound."""
    recipient = editing.row_of(_named(name))
    try:
        send(recipient, title=TEST_TITLE, body=TEST_BODY, message_id="test")
    except (NotTold, vault.NoSecretsKey) as error:
        return RecipientTest(ok=False, sentence=str(error))
    return RecipientTest(ok=True, sentence="It was taken.")


def longest_s() -> float:
    """Return how many seconds a notice takes at most, by whichever way."""
    return max(TOTAL_S, mail.longest_s())


def send(recipient: Recipient, *, title: str, body: str, message_id: str) -> int | None:
    """Give a notice to a recipient, and return the status with which it was taken, if any.

    Called outside any transaction. Raises NotTold and NoSecretsKey.
    """
    if recipient.email:
        named = {"X-Hotswap-Event": message_id}
        try:
            mail.send(to=recipient.email, subject=title, body=body, headers=named)
        except mail.NotMailed as error:
            raise NotTold(
                str(error), is_permanent=error.is_permanent, is_away=error.is_away
            ) from error
        return None
    done = notify(
        _url_of(recipient), title=title, body=body, networks=settings.HOTSWAP["WEBHOOK_NETWORKS"]
    )
    if not done.ok:
        raise NotTold(
            done.why,
            answered=done.status,
            is_permanent=done.is_permanent,
            is_away=done.status is None,
        )
    return done.status


def next_open_hour(recipient: Recipient, *, at: datetime) -> datetime:
    """Return when the recipient may be told: now, or after their quiet hours."""
    if recipient.quiet_from is None or recipient.quiet_until is None:
        return at
    return next_open(
        at, zone=zone_of(recipient), start=recipient.quiet_from, end=recipient.quiet_until
    )


def zone_of(recipient: Recipient) -> ZoneInfo:
    """Return the time zone that the recipient's hours are meant in."""
    return ZoneInfo(recipient.time_zone or settings.TIME_ZONE)


def _url_of(recipient: Recipient) -> str:
    if recipient.kept_url:
        return vault.decrypt(recipient.kept_url)
    url = variables.notice_address(recipient.url_env)
    if not url:
        raise NotTold(f"{recipient.url_env} is not set where the worker is started.", is_away=True)
    return url


def kept(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields as columns: an address (``url``) encrypted, an empty one as none.

    Raises Invalid and NoSecretsKey.
    """
    wanted = dict(fields)
    if "url" not in wanted:
        return wanted
    url = wanted.pop("url")
    if url:
        try:
            check_way(url)
        except ValidationError as error:
            detail = " ".join(error.messages)
            raise Invalid(detail, [FieldError("/url", "address", detail)]) from error
    wanted["kept_url"] = vault.encrypt(url) if url else ""
    wanted["way"] = urlsplit(url).scheme[:30] if url else ""
    return wanted


def _named(name: str) -> QuerySet[Recipient]:
    return Recipient.objects.filter(name=name)
