"""Where an upgrade is on its course, for people: the canary's steps, the watch period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django_celery_beat.models import PeriodicTask

from versioning.domain import dates
from versioning.domain.canary import CanaryStep
from versioning.domain.evidence import Evidence
from versioning.domain.transitions import State
from versioning.models import Canary, Event, UpgradeRecord, Watch
from versioning.services.upgrades import policies, way_back
from versioning.services.upgrades.traffic import live_requests

CARRIES_ON = "versioning.carry_on"
"""The task that looks at canaries."""

SHOWN_EVENTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One thing that a step holds for, and how far it has come."""

    sentence: str
    is_met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryProgress:
    """A canary as it stands: ``holds`` are those of the step that is on."""

    canary: Canary
    steps: Sequence[CanaryStep]
    holds: Sequence[Hold]
    requests_before: int
    """Live requests of the earlier version since the canary began."""
    requests_after: int
    evidence: Evidence
    next_look: datetime | None
    """When it is looked at next, about; None while it is paused, or where no look is scheduled."""
    events: Sequence[Event]
    """What it did so far, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchProgress:
    """A completed move under watch, and what its versions show now."""

    watch: Watch
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is to be said of a record's course; parts that don't apply are None or empty."""

    waits: str = ""
    canary: CanaryProgress | None = None
    watch: WatchProgress | None = None
    watched: Watch | None = None
    """The watch after its move, once that has ended."""


def look_every() -> timedelta | None:
    """Return how far the looks at canaries lie apart; None where none is scheduled."""
    row = (
        PeriodicTask.objects.filter(task=CARRIES_ON, enabled=True)
        .exclude(interval=None)
        .select_related("interval")
        .first()
    )
    if row is None or row.interval is None:
        return None
    return timedelta(**{row.interval.period: row.interval.every})


def next_look(found: Canary, *, every: timedelta | None) -> datetime | None:
    """Return when a canary is looked at next, about; None while it is paused or none is due."""
    if every is None or found.paused_at is not None:
        return None
    return (found.looked_at or found.began_at) + every


def of(*, record: UpgradeRecord, now: datetime) -> Progress:
    """Say where a record is on its course now. Nothing is changed."""
    if record.state == State.APPROVED:
        return Progress(waits=way_back.waits_for(record))
    if record.state == State.CANARY:
        found = Canary.objects.filter(record=record).first()
        return Progress(canary=_canary(record, found=found, now=now) if found else None)
    if record.state not in (State.COMPLETED, State.ROLLED_BACK):
        return Progress()
    watch = Watch.objects.filter(record=record).first()
    if watch is None or watch.ended_at is not None:
        return Progress(watched=watch)
    return Progress(watch=WatchProgress(watch=watch, evidence=_evidence(record, now=now)))


def _canary(record: UpgradeRecord, *, found: Canary, now: datetime) -> CanaryProgress:
    ids = [pk for pk in (record.from_version_id, record.to_version_id) if pk is not None]
    requests = live_requests(version_ids=ids, since=found.began_at)
    after = requests[record.to_version_id]
    return CanaryProgress(
        canary=found,
        steps=found.plan,
        holds=_holds(found, requests=after, now=now),
        requests_before=sum(requests.values()) - after,
        requests_after=after,
        evidence=_evidence(record, now=now),
        next_look=next_look(found, every=look_every()),
        events=list(
            record.events.filter(kind__startswith="canary.").order_by("-pk")[:SHOWN_EVENTS]
        ),
    )


def _holds(found: Canary, *, requests: int, now: datetime) -> list[Hold]:
    step = found.plan[found.position]
    holds = []
    if step.hold_hours:
        ends = found.step_began_at + timedelta(hours=float(step.hold_hours))
        holds.append(Hold(sentence=f"Time: until {dates.moment(ends)}", is_met=now >= ends))
    if step.hold_samples:
        holds.append(
            Hold(
                sentence=f"Samples: {requests:,} of {step.hold_samples:,}",
                is_met=requests >= step.hold_samples,
            )
        )
    if step.needs_approval:
        is_approved = found.approved_position >= found.position
        said = "given" if is_approved else "missing"
        holds.append(Hold(sentence=f"A person's approval: {said}", is_met=is_approved))
    return holds


def _evidence(record: UpgradeRecord, *, now: datetime) -> Evidence:
    resolved = policies.resolve(tracked=record.tracked_model)
    return policies.evidence(record=record, resolved=resolved, now=now)
