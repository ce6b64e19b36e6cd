"""To people: by e-mail, in chats, by pagers; to each as they asked, and not twice the same."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from versioning.domain.events import EventKind
from versioning.models import Delivery, Digest, Event, Recipient
from versioning.services import messages, recipients, subscriptions
from versioning.services.channels.base import Addressed, Channel, NotDelivered
from versioning.services.vault import NoSecretsKey

SAID_ONCE = frozenset({EventKind.RECOMMENDED, EventKind.REOPENED, EventKind.APPROVAL_NEEDED})
"""That an upgrade waits is told once; then the digest of the day says that it still does."""


class People(Channel):
    name: ClassVar[str] = recipients.CHANNEL

    @property
    def longest_s(self) -> float:
        return recipients.longest_s()

    def takers(self, events: Sequence[Event]) -> list[Addressed]:
        enabled = {each.name: each for each in Recipient.objects.filter(enabled=True)}
        heard = _heard(events) if enabled else set()
        return [
            Addressed(event, name, recipients.next_open_hour(enabled[name], at=event.at))
            for event in events
            for name in _names_for(event, list(enabled.values()))
            if name in enabled and (event.record_id, event.kind, name) not in heard
        ]

    def earliest(self, *, to: str, at: datetime) -> datetime:
        recipient = Recipient.objects.filter(name=to).first()
        return at if recipient is None else recipients.next_open_hour(recipient, at=at)

    def deliver(self, event: Event, *, to: str) -> int | None:
        recipient = Recipient.objects.filter(name=to).first()
        if recipient is None:
            raise NotDelivered(f"There is no recipient {to} any more.", is_permanent=True)
        if not recipient.enabled:
            raise NotDelivered(f"Recipient {to} is switched off.", is_permanent=True)
        title, body = _text_of(event)
        try:
            return recipients.send(
                recipient, title=title, body=body, message_id=messages.id_of(event)
            )
        except NoSecretsKey as error:
            raise NotDelivered(str(error), is_away=True) from error
        except recipients.NotTold as error:
            raise NotDelivered(
                str(error),
                is_permanent=error.is_permanent,
                is_away=error.is_away,
                status=error.answered,
            ) from error

    def given_up(self, event: Event, *, to: str, status: int | None, now: datetime) -> None:
        subscriptions.switch_off_if_dead(
            Recipient.objects.filter(name=to),
            channel=self.name,
            gone="",
            since=event.at,
            now=now,
        )


def _names_for(event: Event, enabled: Sequence[Recipient]) -> list[str]:
    """Return who is told of an event, in order; of those with one mailbox the first only."""
    if event.kind == EventKind.DIGEST:
        return [event.payload["recipient"]]
    wanted = sorted((each for each in enabled if each.wants(event)), key=lambda each: -each.pk)
    return sorted({_place_of(each): each.name for each in wanted}.values())


def _place_of(recipient: Recipient) -> str:
    """Return what two recipients share that lead to the same mailbox or variable."""
    return recipient.email.lower() or recipient.url_env or f"recipient {recipient.pk}"


def _heard(events: Sequence[Event]) -> set[tuple[int | None, str, str]]:
    """Return what was said already: of which upgrade, as which kind, to whom."""
    records = [each.record_id for each in events if each.kind in SAID_ONCE and each.record_id]
    if not records:
        return set()
    said = Delivery.objects.filter(
        channel=People.name, event__record__in=records, event__kind__in=SAID_ONCE
    )
    return set(said.values_list("event__record", "event__kind", "to"))


def _text_of(event: Event) -> tuple[str, str]:
    """Return a title and a text of ids, words and links."""
    if event.kind == EventKind.DIGEST:
        digest = Digest.objects.get(pk=event.payload["digest_id"])
        return digest.title, digest.body
    about = event.tracked_model or event.provider
    title = f"Hotswap: {about}" if about else "Hotswap"
    link = messages.link_of(event)
    return title, f"{event.sentence}\n{link}" if link else event.sentence
