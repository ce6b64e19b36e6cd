"""By e-mail: the reminders of retirements, to the owners of models."""

from collections.abc import Sequence
from typing import ClassVar

from django.utils import timezone

from versioning.domain.events import EventKind
from versioning.models import Event, Reminder
from versioning.services import mail, messages
from versioning.services.channels.base import Addressed, Channel, NotDelivered


class Mail(Channel):
    name: ClassVar[str] = "mail"

    def takers(self, events: Sequence[Event]) -> list[Addressed]:
        reminders = [event for event in events if event.kind == EventKind.REMINDER]
        if not reminders:
            return []
        rows = Reminder.objects.in_bulk([event.payload["reminder_id"] for event in reminders])
        return [
            Addressed(event, rows[event.payload["reminder_id"]].to, event.at) for event in reminders
        ]

    def deliver(self, event: Event, *, to: str) -> None:
        reminder = Reminder.objects.get(pk=event.payload["reminder_id"])
        named = {"X-Hotswap-Event": messages.id_of(event)}
        try:
            mail.send(to=reminder.to, subject=reminder.subject, body=reminder.body, headers=named)
        except mail.NotMailed as error:
            raise NotDelivered(
                str(error), is_permanent=error.is_permanent, is_away=error.is_away
            ) from error
        Reminder.objects.filter(pk=reminder.pk).update(sent_at=timezone.now())
