"""Give events to those who take them: at least once, and those of one model in their order.

A delivery is claimed with a lease, tried outside any transaction, and marked after success. A
worker that dies in between leaves its lease to end; then another tries again.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from time import monotonic

from django.db.models import Count, F, Min, Q, QuerySet

from versioning.domain.events import MOST_ATTEMPTS, pause_after
from versioning.models import Delivery
from versioning.services import nudges, rows, sweeps
from versioning.services.actors import Actor
from versioning.services.channels import CHANNELS
from versioning.services.channels.base import NotDelivered
from versioning.services.errors import ServiceError

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
"""Longer than a run and one channel's time limit together: else two would give the same event."""

# Well within LEASE: what the run has claimed by then is still its own.
RUN_S = 240
AT_ONCE = 200
MOST = 5_000
"""Deliveries of one run: the rest waits for the next, so that a worker does other things too."""

LATE = timedelta(minutes=30)
"""What waits longer is told to staff: the reader comes every minute, and pauses grow with tries."""


TOLD_FOR = timedelta(days=7)
"""What was given up is told to staff for so long; then whoever wants it looks at the list."""


class NotDead(ServiceError):
    """Only what was given up can be tried anew."""

    code = "not-given-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What has not gone out: how many wait, since when the oldest does, how many were given up
    lately."""

    pending: int
    oldest_at: datetime | None
    dead: int

    def is_stuck(self, *, now: datetime) -> bool:
        """Say whether something was given up, or waits for longer than pauses explain."""
        return bool(self.dead) or (self.oldest_at is not None and now - self.oldest_at > LATE)


def deliver_due(*, now: datetime) -> int:
    """Try what is due; return how many were delivered.

    The next event of a model is due as soon as the one before it is delivered or given up.
    """
    delivered: list[bool] = []
    sweeps.each(
        islice(_due(now=now, until_s=monotonic() + RUN_S), MOST),
        lambda delivery: delivered.append(_claim(delivery, now=now) and _try(delivery, now=now)),
        subject=lambda delivery: f"Delivery of {delivery}",
        now=now,
    )
    return sum(delivered)


def backlog(*, now: datetime) -> Backlog:
    """Say how much waits, in one query."""
    pending = Q(state=Delivery.State.PENDING)
    dead = Q(state=Delivery.State.DEAD, ended_at__gte=now - TOLD_FOR)
    found = Delivery.objects.filter(pending | dead).aggregate(
        pending=Count("pk", filter=pending),
        oldest=Min("event__at", filter=pending),
        dead=Count("pk", filter=dead),
    )
    return Backlog(pending=found["pending"], oldest_at=found["oldest"], dead=found["dead"])


def deliveries() -> QuerySet[Delivery]:
    """Return all deliveries with the models that they are about."""
    return Delivery.objects.select_related("tracked_model__provider", "event")


def try_anew(*, delivery_id: int, actor: Actor, now: datetime) -> Delivery:
    """Have a delivery that was given up tried again. Raises NotFound and NotDead."""
    revived = Delivery.objects.filter(pk=delivery_id, state=Delivery.State.DEAD).update(
        state=Delivery.State.PENDING,
        attempts=0,
        due_at=now,
        ended_at=None,
        last_error=f"{actor.name} had it tried again."[:300],
    )
    found = rows.one(
        deliveries().filter(pk=delivery_id), missing=f"There is no delivery {delivery_id}."
    )
    if not revived:
        raise NotDead(f"This delivery is {found.get_state_display()}: nothing was changed.")
    nudges.soon(nudges.Nudge.DELIVER)
    return found


def _due(*, now: datetime, until_s: float) -> Iterator[Delivery]:
    """Yield what may be tried now; after one that went the next of its model, to the same taker."""
    while due := list(Delivery.objects.claimable(now).select_related("event")[:AT_ONCE]):
        for first in due:
            delivery: Delivery | None = first
            while delivery is not None:
                if monotonic() >= until_s:
                    return
                yield delivery
                delivery = _next_after(delivery, now=now)


def _next_after(delivery: Delivery, *, now: datetime) -> Delivery | None:
    """Return the next one of the same model and taker; None while this one or it must wait."""
    lane = Delivery.objects.pending().filter(
        channel=delivery.channel, to=delivery.to, tracked_model=delivery.tracked_model_id
    )
    following = lane.select_related("event").order_by("event").first()
    if following is None or following.pk == delivery.pk or following.due_at > now:
        return None
    return following


def _claim(delivery: Delivery, *, now: datetime) -> bool:
    """Take a delivery for as long as a lease; False where another worker was first."""
    mine = Delivery.objects.pending().filter(pk=delivery.pk, due_at=delivery.due_at)
    taken = mine.update(due_at=now + LEASE, attempts=F("attempts") + 1)
    delivery.due_at, delivery.attempts = now + LEASE, delivery.attempts + 1
    return bool(taken)


def _try(delivery: Delivery, *, now: datetime) -> bool:
    try:
        channel = CHANNELS.get(delivery.channel)
        if channel is None:
            raise NotDelivered(f"There is no channel {delivery.channel} any more.")
        channel.deliver(delivery.event, to=delivery.to)
    except NotDelivered as error:
        _put_off(delivery, str(error), is_permanent=error.is_permanent, now=now)
        return False
    except Exception as error:
        # Its own words may hold what a stranger's server said: the log has them.
        _put_off(delivery, f"{type(error).__name__}: see the log.", is_permanent=False, now=now)
        raise
    _of(delivery).update(state=Delivery.State.DELIVERED, ended_at=now, last_error="")
    return True


def _put_off(delivery: Delivery, sentence: str, *, is_permanent: bool, now: datetime) -> None:
    """Have it tried later, or give it up; then the next event of its model goes on."""
    logger.warning("Not delivered: %s, attempt %s. %s", delivery, delivery.attempts, sentence)
    ends = is_permanent or delivery.attempts >= MOST_ATTEMPTS
    _of(delivery).update(
        state=Delivery.State.DEAD if ends else Delivery.State.PENDING,
        ended_at=now if ends else None,
        due_at=now + pause_after(delivery.attempts),
        last_error=sentence[:300],
    )


def _of(delivery: Delivery) -> QuerySet[Delivery]:
    """Return the row while it is ours: a lease that ended belongs to another worker."""
    return Delivery.objects.pending().filter(pk=delivery.pk, due_at=delivery.due_at)
