"""By e-mail: the reminders of retirements, to the owners of models."""

from collections.abc import Sequence
from smtplib import SMTPException
from typing import ClassVar

from django.core.mail import send_mail
from django.utils import timezone

from versioning.domain.events import EventKind
from versioning.models import Event, Reminder
from versioning.services.channels.base import Channel, NotDelivered
from versioning.services.storable import one_line


class Mail(Channel):
    name: ClassVar[str] = "mail"

    def takers(self, events: Sequence[Event]) -> list[tuple[Event, str]]:
        reminders = [event for event in events if event.kind == EventKind.REMINDER]
        if not reminders:
            return []
        rows = Reminder.objects.in_bulk([event.payload["reminder_id"] for event in reminders])
        return [(event, rows[event.payload["reminder_id"]].to) for event in reminders]

    def deliver(self, event: Event, *, to: str) -> None:
        reminder = Reminder.objects.get(pk=event.payload["reminder_id"])
        try:
            # What is stored may be older than what the doors refuse today.
            send_mail(one_line(reminder.subject), reminder.body, None, [one_line(reminder.to)])
        except (SMTPException, OSError) as error:
            what = f"{type(error).__name__}: the mail server did not take it."
            raise NotDelivered(what, is_away=isinstance(error, OSError)) from error
        Reminder.objects.filter(pk=reminder.pk).update(sent_at=timezone.now())
