"""What all takers of events share: one that takes nothing for long is switched off."""

from datetime import datetime

from django.db.models import QuerySet

from versioning.models import Delivery, Recipient, Webhook
from versioning.models.subscriptions import Subscription
from versioning.services import locks, notices
from versioning.services.actors import Actor
from versioning.services.transactions import one_transaction


@one_transaction
def switch_off_if_dead(
    takers: QuerySet[Webhook] | QuerySet[Recipient],
    *,
    channel: str,
    gone: str,
    since: datetime,
    now: datetime,
) -> None:
    """Switch off a taker that is ``gone`` (why), or took nothing at all ``since`` a moment.

    Called when an event was given up. Nobody is asked for ever; who owns it hears why.
    """
    taker = locks.hold(takers).first()
    if taker is None or not taker.enabled:
        return
    took = Delivery.objects.filter(
        channel=channel, to=taker.name, state=Delivery.State.DELIVERED, ended_at__gte=since
    )
    why = gone
    if not why and not took.exists():
        why = f"It has taken nothing since {since:%Y-%m-%d %H:%M} UTC, however often it was tried."
    if not why:
        return
    taker.enabled, taker.off_reason = False, why
    Actor.scheduler().sign(taker)
    taker.save(update_fields=["enabled", "off_reason"])
    sentence = (
        f"{subject_of(taker)} was switched off. {why} Mend it, test it, then switch it on; what "
        "was given up meanwhile can be delivered again from its deliveries."
    )
    notices.raise_fault(subject=subject_of(taker), sentence=sentence, now=now)


def switched_on(taker: Subscription, *, by: str, now: datetime) -> None:
    """Close the notice of one that somebody switched on again: they dealt with why it was off."""
    notices.resolve_fault(subject=subject_of(taker), by=by, now=now)


def subject_of(taker: Subscription) -> str:
    """Return under which subject staff are told of a taker."""
    return f"{taker._meta.verbose_name} {taker.name}".capitalize()
