"""By webhook: any event, to the programs that asked for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from providers.http.push import LONGEST_S
from versioning.models import Event, Webhook
from versioning.services import messages, subscriptions, webhooks
from versioning.services.channels.base import Addressed, Channel, NotDelivered
from versioning.services.vault import NoSecretsKey


class Webhooks(Channel):
    name: ClassVar[str] = webhooks.CHANNEL
    longest_s = LONGEST_S

    def takers(self, events: Sequence[Event]) -> list[Addressed]:
        enabled = list(Webhook.objects.filter(enabled=True).order_by("pk"))
        return [
            Addressed(event, hook.name, event.at)
            for event in events
            for hook in enabled
            if hook.wants(event)
        ]

    def deliver(self, event: Event, *, to: str) -> int | None:
        webhook = Webhook.objects.filter(name=to).first()
        if webhook is None:
            raise NotDelivered(f"There is no webhook {to} any more.", is_permanent=True)
        if not webhook.enabled:
            raise NotDelivered(f"Webhook {to} is switched off.", is_permanent=True)
        try:
            return webhooks.send(webhook, messages.id_of(event), messages.of(event))
        except NoSecretsKey as error:
            raise NotDelivered(str(error), is_away=True) from error
        except webhooks.NotPushed as error:
            raise NotDelivered(
                str(error),
                is_permanent=error.answered == webhooks.GONE,
                is_away=error.answered is None,
                status=error.answered,
            ) from error

    def given_up(self, event: Event, *, to: str, status: int | None, now: datetime) -> None:
        subscriptions.switch_off_if_dead(
            Webhook.objects.filter(name=to),
            channel=self.name,
            gone="It answered that it is gone (410)." if status == webhooks.GONE else "",
            since=event.at,
            now=now,
        )
