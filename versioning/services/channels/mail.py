"""By e-mail: reminders of retirements to the owners of models, and to people what is about them."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from django.contrib.auth.models import User

from versioning.domain.events import EventKind
from versioning.models import Event, Reminder
from versioning.services import clock, mail, messages
from versioning.services.channels.base import Addressed, Channel, NotDelivered


class Mail(Channel):
    name: ClassVar[str] = "mail"

    @property
    def longest_s(self) -> float:
        return mail.longest_s()

    def takers(self, events: Sequence[Event]) -> list[Addressed]:
        return [*_of_reminders(events), *_of_persons(events)]

    def deliver(self, event: Event, *, to: str) -> None:
        named = {"X-Hotswap-Event": messages.id_of(event)}
        if event.kind == EventKind.SECOND_FACTOR:
            _send(
                to=to, subject=SECOND_FACTOR, body=f"{event.sentence}\n\n{UNEXPECTED}", named=named
            )
            return
        reminder = Reminder.objects.get(pk=event.payload["reminder_id"])
        _send(to=reminder.to, subject=reminder.subject, body=reminder.body, named=named)
        Reminder.objects.filter(pk=reminder.pk).update(sent_at=clock.now())


SECOND_FACTOR = "Hotswap: your second factor"
UNEXPECTED = (
    "If you did not expect this, tell whoever looks after Hotswap, and change your password.\n"
)


def _of_reminders(events: Sequence[Event]) -> list[Addressed]:
    reminders = [event for event in events if event.kind == EventKind.REMINDER]
    if not reminders:
        return []
    rows = Reminder.objects.in_bulk([event.payload["reminder_id"] for event in reminders])
    return [
        Addressed(event, rows[event.payload["reminder_id"]].to, event.at) for event in reminders
    ]


def _of_persons(events: Sequence[Event]) -> list[Addressed]:
    """Return whose second factor it is, where they have an address and there is a mail server."""
    of_persons = [event for event in events if event.kind == EventKind.SECOND_FACTOR]
    if not of_persons or not mail.is_set_up():
        return []
    names = {event.payload["person"] for event in of_persons}
    people = User.objects.filter(username__in=names).exclude(email="")
    to = dict(people.values_list("username", "email"))
    return [
        Addressed(event, to[name], event.at)
        for event in of_persons
        if (name := event.payload["person"]) in to
    ]


def _send(*, to: str, subject: str, body: str, named: Mapping[str, str]) -> None:
    try:
        mail.send(to=to, subject=subject, body=body, headers=named)
    except mail.NotMailed as error:
        raise NotDelivered(
            str(error), is_permanent=error.is_permanent, is_away=error.is_away
        ) from error
