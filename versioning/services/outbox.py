"""Give events to those who take them: at least once, and those of one model in their order.

A delivery is claimed with a lease that is as long as one try can last, tried outside any
transaction, and marked after success. A worker that dies in between leaves its lease to end; then
another tries again. Each try is kept.
"""

import logging
import secrets
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from time import monotonic
from typing import TypedDict, Unpack

from django.db.models import Count, F, Min, Q, QuerySet

from versioning.domain.events import MOST_ATTEMPTS, pause_after
from versioning.models import Delivery, DeliveryAttempt
from versioning.services import lookups, nudges, sweeps
from versioning.services.actors import Actor
from versioning.services.channels import CHANNELS
from versioning.services.channels.base import NotDelivered
from versioning.services.errors import ServiceError
from versioning.services.transactions import one_transaction

logger = logging.getLogger(__name__)

MARGIN = timedelta(seconds=30)
"""So much longer than a try can last: for the rows that are written before and after it, and for
clocks. Who is slower still may see another give the same event, which it knows by its id."""

RUN_S = 240  # what is not done by then waits for the next run, so that others have their turn
AT_ONCE = 200  # deliveries of one query; the next leaves out what others claimed meanwhile
MOST = 5_000
"""Deliveries of one run: the rest waits for the next, so that a worker does other things too."""

LATE = timedelta(minutes=30)
"""What waits longer is told to staff: the reader comes every minute, and pauses grow with tries."""


TOLD_FOR = timedelta(days=7)
"""What was given up is told to staff for so long; then whoever wants it looks at the list."""

_dice = secrets.SystemRandom()


class _Outcome(TypedDict, total=False):
    """What a try makes of its delivery: columns of its row."""

    state: str
    ended_at: datetime | None
    due_at: datetime
    last_error: str


class StillWaits(ServiceError):
    """What has not ended is tried by itself."""

    code = "still-waits"


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
    away: set[tuple[str, str]] = set()
    began_s = monotonic()

    def give(delivery: Delivery) -> None:
        at = now + timedelta(seconds=monotonic() - began_s)  # a lease begins with its try
        attempt = _claim(delivery, now=at)
        if attempt is not None:
            delivery.due_at, delivery.attempts = at + lease(delivery), delivery.attempts + 1
            delivered.append(_try(delivery, attempt, away=away, now=at))

    sweeps.each(
        islice(_due(now=now, until_s=monotonic() + RUN_S, away=away), MOST),
        give,
        subject=lambda delivery: (
            f"Delivery of event {delivery.event_id} to {delivery.to} by {delivery.channel}"
        ),
        now=now,
    )
    return sum(delivered)


def lease(delivery: Delivery) -> timedelta:
    """Return how long a delivery is its worker's: what waits for a dead one waits no longer."""
    channel = CHANNELS.get(delivery.channel)
    return timedelta(seconds=channel.longest_s if channel else 0.0) + MARGIN


def backlog(*, now: datetime) -> Backlog:
    """Say how much waits, in two queries."""
    pending = Q(state=Delivery.State.PENDING)
    dead = Q(state=Delivery.State.DEAD, ended_at__gte=now - TOLD_FOR)
    # What nobody has tried yet is due when it happened, or when quiet hours end: not late before.
    found = Delivery.objects.filter(pending | dead).aggregate(
        pending=Count("pk", filter=pending),
        untried=Min("due_at", filter=pending & Q(attempts=0, due_at__lte=now)),
        dead=Count("pk", filter=dead),
    )
    tried = Delivery.objects.filter(pending, attempts__gt=0).aggregate(oldest=Min("event__at"))
    oldest = min(filter(None, (found["untried"], tried["oldest"])), default=None)
    return Backlog(pending=found["pending"], oldest_at=oldest, dead=found["dead"])


def deliveries() -> QuerySet[Delivery]:
    """Return all deliveries with the models that they are about."""
    return Delivery.objects.select_related("tracked_model", "event__provider")


def attempts(*, delivery_id: int) -> QuerySet[DeliveryAttempt]:
    """Return every try of a delivery. Raises NotFound."""
    found = lookups.one(
        Delivery.objects.filter(pk=delivery_id), missing=f"There is no delivery {delivery_id}."
    )
    return DeliveryAttempt.objects.filter(delivery=found)


def try_anew(*, delivery_id: int, actor: Actor, now: datetime) -> Delivery:
    """Have a delivery made again that was given up, or was taken. Raises NotFound and StillWaits.

    The later ones of its model wait for it as they would for any.
    """
    ended = Delivery.objects.filter(pk=delivery_id).exclude(state=Delivery.State.PENDING)
    revived = ended.update(
        state=Delivery.State.PENDING,
        attempts=0,
        due_at=now,
        ended_at=None,
        last_error=f"{actor.name} had it tried again."[:300],
    )
    found = lookups.one(
        deliveries().filter(pk=delivery_id), missing=f"There is no delivery {delivery_id}."
    )
    if not revived:
        raise StillWaits("This delivery is pending and is tried by itself: nothing was changed.")
    nudges.soon(nudges.Nudge.DELIVER)
    return found


def _due(*, now: datetime, until_s: float, away: Set[tuple[str, str]]) -> Iterator[Delivery]:
    """Yield what may be tried now; after one that went the next of its model, to the same taker.

    What goes to a taker that is ``away`` waits for the next run: each try would cost all others
    a time limit.
    """
    claimable = Delivery.objects.claimable(now).select_related("event")
    while due := list(_except(claimable, away)[:AT_ONCE]):
        for first in due:
            delivery: Delivery | None = first
            while delivery is not None and (delivery.channel, delivery.to) not in away:
                if monotonic() >= until_s:
                    return
                yield delivery
                delivery = _next_after(delivery, now=now)


def _except(deliveries: QuerySet[Delivery], away: Set[tuple[str, str]]) -> QuerySet[Delivery]:
    for channel, to in away:
        deliveries = deliveries.exclude(channel=channel, to=to)
    return deliveries


def _next_after(delivery: Delivery, *, now: datetime) -> Delivery | None:
    """Return the next one of the same lane and taker; None while this one or it must wait."""
    lane = Delivery.objects.pending().filter(
        channel=delivery.channel, to=delivery.to, lane=delivery.lane
    )
    following = lane.select_related("event").order_by("event").first()
    if following is None or following.pk == delivery.pk or following.due_at > now:
        return None
    return following


@one_transaction
def _claim(delivery: Delivery, *, now: datetime) -> DeliveryAttempt | None:
    """Take a delivery for the time of its lease; None where another worker was first."""
    # The time it was due is its version: whoever changed it first has the delivery.
    if not _of(delivery).update(due_at=now + lease(delivery), attempts=F("attempts") + 1):
        return None
    return DeliveryAttempt.objects.create(delivery=delivery, began_at=now)


def _try(
    delivery: Delivery, attempt: DeliveryAttempt, *, away: set[tuple[str, str]], now: datetime
) -> bool:
    began_s = monotonic()
    try:
        channel = CHANNELS.get(delivery.channel)
        if channel is None:
            raise NotDelivered(f"There is no channel {delivery.channel} any more.")
        attempt.status = channel.deliver(delivery.event, to=delivery.to)
    except NotDelivered as error:
        if error.is_away:
            away.add((delivery.channel, delivery.to))
        attempt.status, attempt.error = error.status, str(error)[:300]
        _put_off(delivery, attempt, since_s=began_s, is_permanent=error.is_permanent, now=now)
        return False
    except Exception as error:
        # Its own words may hold what a stranger's server said: the log has them.
        attempt.error = f"{type(error).__name__}: see the log."
        _put_off(delivery, attempt, since_s=began_s, is_permanent=False, now=now)
        raise
    _end(
        delivery,
        attempt,
        since_s=began_s,
        state=Delivery.State.DELIVERED,
        ended_at=now,
        last_error="",
    )
    return True


def _put_off(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    *,
    since_s: float,
    is_permanent: bool,
    now: datetime,
) -> None:
    """Have it tried later, or give it up; then the next event of its model goes on."""
    logger.warning("Not delivered: %s, attempt %s. %s", delivery, delivery.attempts, attempt.error)
    ends = is_permanent or delivery.attempts >= MOST_ATTEMPTS
    channel = CHANNELS.get(delivery.channel)
    due_at = now + pause_after(delivery.attempts, luck=_dice.random())
    if channel is not None:
        due_at = channel.earliest(to=delivery.to, at=due_at)
    _end(
        delivery,
        attempt,
        since_s=since_s,
        state=Delivery.State.DEAD if ends else Delivery.State.PENDING,
        ended_at=now if ends else None,
        due_at=due_at,
        last_error=attempt.error,
    )
    if ends and channel is not None:
        channel.given_up(delivery.event, to=delivery.to, status=attempt.status, now=now)


@one_transaction
def _end(
    delivery: Delivery, attempt: DeliveryAttempt, *, since_s: float, **outcome: Unpack[_Outcome]
) -> None:
    """Write down how a try ended, with what becomes of its delivery."""
    attempt.duration_ms = round((monotonic() - since_s) * 1000)
    DeliveryAttempt.objects.filter(pk=attempt.pk).update(
        duration_ms=attempt.duration_ms, status=attempt.status, error=attempt.error
    )
    _of(delivery).update(**outcome)


def _of(delivery: Delivery) -> QuerySet[Delivery]:
    """Return the row while it is ours: a lease that ended belongs to another worker."""
    return Delivery.objects.pending().filter(pk=delivery.pk, due_at=delivery.due_at)
