"""The retirement clock: until when each move can start, and reminders once each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Min, QuerySet

from versioning.domain import dates
from versioning.domain.canary import expected_duration
from versioning.domain.events import EventKind
from versioning.domain.retirement import (
    Lives,
    Needs,
    Precision,
    Retirement,
    forecast,
    latest_safe_start,
    reminder_due,
    starts_this_week,
)
from versioning.models import Event, ModelVersion, Reminder, TrackedModel, UpgradeRecord
from versioning.services import clock, constraints, events, locks, sweeps, teams
from versioning.services.actors import Actor
from versioning.services.storable import one_line
from versioning.services.teams import Caller
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import policies
from versioning.services.upgrades.policies import Resolved, Timing
from versioning.services.upgrades.traffic import live_requests

# A whole week, so that a quiet weekend counts as it should.
TRAFFIC_DAYS = 7
TESTS_TAKE = timedelta(days=1)
"""What a policy with suites is reckoned to take: a run, and a look at what differs."""


@dataclass(frozen=True, slots=True)
class Due:
    """When a model's current version retires, and the last day on which a move can start."""

    tracked_model_id: int
    retirement: Retirement
    needs: Needs
    latest_start: date
    this_week: bool
    warning: str
    """What can't be reckoned, such as a canary whose samples never come; else empty."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What is due, with its model and the version in use: for people."""

    tracked_model: TrackedModel
    version: ModelVersion
    due: Due

    @property
    def retirement(self) -> Retirement:
        return self.due.retirement

    @property
    def needs(self) -> Needs:
        return self.due.needs

    @property
    def latest_start(self) -> date:
        return self.due.latest_start

    @property
    def this_week(self) -> bool:
        return self.due.this_week

    @property
    def warning(self) -> str:
        return self.due.warning


def due(
    *, now: datetime, provider_slug: str = "", owner: str = "", caller: Caller | None = None
) -> list[Due]:
    """Return what is due of each active model that retires, those to start first ahead.

    Of one provider or owner, where that is named, and as far as the caller sees.

    Deprecation alone has no date to count from: such a model gets a forecast where its earlier
    versions' lives give one. Reads only what it reckons with: a start page asks for thousands.
    """
    models = teams.visible(TrackedModel.objects.active(), caller)
    if provider_slug:
        models = models.filter(provider__slug=provider_slug)
    if owner:
        models = models.filter(owner__iexact=owner)
    found = _due(models, now=now)
    return sorted(found, key=lambda each: (each.latest_start, each.tracked_model_id))


def due_this_week(*, now: datetime, caller: Caller | None = None) -> list[Due]:
    """Return the moves whose last safe day is within seven days, or past; most urgent first."""
    return [each for each in due(now=now, caller=caller) if each.this_week]


def moves(tracked_model_ids: Collection[int]) -> Mapping[int, UpgradeRecord]:
    """Return what is under way for each model, else the newest that waits for a decision."""
    records = UpgradeRecord.objects.with_versions().filter(tracked_model__in=tracked_model_ids)
    found = {each.tracked_model_id: each for each in records.waiting().sure().order_by("pk")}
    return found | {each.tracked_model_id: each for each in records.under_way()}


def clocks(found: Sequence[Due]) -> list[Clock]:
    """Return what is due with its models and versions, in the same order."""
    models = (
        TrackedModel.objects.exclude(current_version=None)
        .select_related("provider", "current_version")
        .in_bulk([each.tracked_model_id for each in found])
    )
    return [
        Clock(tracked_model=model, version=model.current_version, due=each)
        for each in found
        if (model := models.get(each.tracked_model_id)) and model.current_version
    ]


def clock_of(
    *, tracked: TrackedModel, now: datetime, resolved: Resolved | None = None
) -> Clock | None:
    """Return a model's clock; None where no retirement is known or foreseen.

    ``resolved`` is the policy that holds for it, where that was read already.
    """
    known = {tracked.pk: Timing.of(resolved.policy)} if resolved else None
    found = _due(TrackedModel.objects.filter(pk=tracked.pk), now=now, timing=known)
    return next(iter(clocks(found)), None)


def write_reminders(*, now: datetime) -> int:
    """Write the reminders that are due to owners, each once; return how many are new.

    Only announced dates are reminded of. A date that moves is reminded of anew.
    """
    due = ModelVersion.objects.in_use().with_retirement().filter(tracked_model__active=True)
    owned = due.exclude(tracked_model__owner="").select_related("tracked_model__provider")
    written: list[bool] = []
    sweeps.each(
        list(owned.order_by("pk")),
        lambda version: written.append(_remind(version, now=now)),
        subject=lambda version: f"Reminder of {teams.name_for_all(version.tracked_model)}",
        now=now,
    )
    return sum(written)


def write_starts(*, now: datetime) -> int:
    """Write the event of each move that must start this week, once for an announced date.

    A forecast moves each day, and a retirement that is past has been told of: neither has one.
    Return how many are new.
    """
    today = clock.local_day(now)
    known = [
        each
        for each in due_this_week(now=now)
        if each.retirement.precision is not Precision.FORECAST and each.retirement.on >= today
    ]
    written: list[bool] = []
    sweeps.each(
        clocks(known),
        lambda each: written.append(_write_start(each, now=now)),
        subject=lambda each: f"Start of the move of {teams.name_for_all(each.tracked_model)}",
        now=now,
    )
    return sum(written)


@one_transaction
def _write_start(found: Clock, *, now: datetime) -> bool:
    """Write that a move must start; False where it is written already."""
    locks.take(TrackedModel.objects.filter(pk=found.tracked_model.pk))
    retires_on = found.retirement.on.isoformat()
    told = Event.objects.filter(
        kind=EventKind.START_THIS_WEEK,
        tracked_model=found.tracked_model,
        model_version=found.version,
        payload__retires_on=retires_on,
    )
    if told.exists():
        return False
    is_past = found.latest_start < clock.local_day(now)
    by = "should have started by" if is_past else "must start by"
    events.write(
        EventKind.START_THIS_WEEK,
        tracked=found.tracked_model,
        version=found.version,
        sentence=f"The move of {found.tracked_model} {by} {dates.day(found.latest_start)}: "
        f"{found.version.upstream_id} retires on {dates.day(found.retirement.on)}.",
        actor=Actor.scheduler(),
        now=now,
        details={"retires_on": retires_on, "latest_start": found.latest_start.isoformat()},
    )
    return True


def _remind(version: ModelVersion, *, now: datetime) -> bool:
    if version.retires_on is None:
        return False
    days = reminder_due(retires_on=version.retires_on, today=clock.local_day(now))
    return days is not None and _write(version, retires_on=version.retires_on, days=days, now=now)


@one_transaction
def _write(version: ModelVersion, *, retires_on: date, days: int, now: datetime) -> bool:
    """Write a reminder and the event that sends it; False where it is written already."""
    tracked = version.tracked_model
    locks.take(TrackedModel.objects.filter(pk=tracked.pk))
    ours = clock_of(tracked=tracked, now=now)
    left = (retires_on - clock.local_day(now)).days
    when = f"in {left} days" if left > 1 else "tomorrow" if left == 1 else "now"
    start = f"\nStart the move by {dates.day(ours.latest_start)} to be safe." if ours else ""
    try:
        with transaction.atomic():
            reminder, is_new = Reminder.objects.get_or_create(
                tracked_model=tracked,
                version=version,
                retires_on=retires_on,
                days_before=days,
                defaults={
                    "to": tracked.owner,
                    "subject": one_line(f"{tracked} retires {when}")[:200],
                    "body": f"{version.upstream_id}, which {tracked} uses, retires on "
                    f"{dates.day(retires_on)}: from then on requests fail.{start}\n",
                    "written_at": now,
                },
            )
    except IntegrityError as error:
        if not constraints.is_duplicate(error):
            raise
        return False  # another worker wrote it
    if is_new:
        events.write(
            EventKind.REMINDER,
            tracked=tracked,
            version=version,
            sentence=f"{reminder.subject}: {version.upstream_id} retires on "
            f"{dates.day(retires_on)}.",
            actor=Actor.scheduler(),
            now=now,
            details={
                "reminder_id": reminder.pk,
                "retires_on": retires_on.isoformat(),
                "days_before": days,
                "latest_start": ours.latest_start.isoformat() if ours else None,
            },
        )
    return is_new


class _InUse(NamedTuple):
    """What is reckoned with of a model and the version that it uses."""

    pk: int
    provider_id: int
    version_id: int
    released_on: date | None
    retires_on: date | None
    precision: str
    source: str


_IN_USE = (
    "pk",
    "provider_id",
    "current_version_id",
    "current_version__released_on",
    "current_version__retires_on",
    "current_version__retires_precision",
    "current_version__retires_source",
)


def _due(
    models: QuerySet[TrackedModel],
    *,
    now: datetime,
    timing: Mapping[int, Timing] | None = None,
) -> list[Due]:
    """Reckon what is due of all models with as many queries as of one."""
    used = [_InUse(*row) for row in models.exclude(current_version=None).values_list(*_IN_USE)]
    lives = _lives(models)
    today = clock.local_day(now)
    known = [
        (each, retirement)
        for each in used
        if (retirement := _retirement(each, lives=lives.get(each.pk), today=today))
    ]
    if timing is None:
        timing = policies.timing_of_all(tracked_models=[each for each, _ in known])
    canaries = [each.version_id for each, _ in known if timing[each.pk].canary_steps]
    traffic = live_requests(version_ids=canaries, since=now - timedelta(days=TRAFFIC_DAYS))
    # Most models share a timing and have no canary: what a move takes is reckoned once for them.
    reckoned: dict[tuple[int, int], _Takes] = {}
    found = []
    for each, retirement in known:
        own, requests = timing[each.pk], traffic[each.version_id]
        takes = reckoned.get((id(own), requests))
        if takes is None:
            takes = reckoned[id(own), requests] = _takes(own, requests=requests)
        found.append(_due_of(each, retirement=retirement, takes=takes, today=today))
    return found


class _Takes(NamedTuple):
    """What a move takes by a policy's timing, and the warning where that can't be reckoned."""

    needs: Needs
    warning: str


def _takes(timing: Timing, *, requests: int) -> _Takes:
    """Reckon what a move takes of a version that had so many requests in ``TRAFFIC_DAYS``."""
    canary = expected_duration(steps=timing.canary_steps, requests_a_day=requests / TRAFFIC_DAYS)
    needs = Needs(
        evaluation=TESTS_TAKE if timing.required_suites else timedelta(0),
        canary=canary or timedelta(0),
        approval=timedelta(days=timing.approval_days),
        buffer=timedelta(days=timing.buffer_days),
    )
    endless = "At this traffic its canary would never end."
    return _Takes(needs, "" if canary is not None else endless)


def _due_of(used: _InUse, *, retirement: Retirement, takes: _Takes, today: date) -> Due:
    latest = latest_safe_start(retires_on=retirement.on, needs=takes.needs)
    return Due(
        tracked_model_id=used.pk,
        retirement=retirement,
        needs=takes.needs,
        latest_start=latest,
        this_week=starts_this_week(latest_start=latest, today=today),
        warning=takes.warning,
    )


def _lives(models: QuerySet[TrackedModel]) -> dict[int, Lives]:
    """Return how long the versions of models lived that have both dates, by model.

    Also of those that need no forecast: an index tells all of it sooner than the versions in use
    are looked through.
    """
    lived = ModelVersion.objects.lived().filter(tracked_model__in=models.values("pk")).order_by()
    found = lived.values_list("tracked_model").annotate(
        Count("retires_on"), Min("days_lived"), Max("days_lived")
    )
    return {
        model_id: Lives(count=count, shortest=shortest, longest=longest)
        for model_id, count, shortest, longest in found
    }


def _retirement(used: _InUse, *, lives: Lives | None, today: date) -> Retirement | None:
    if used.retires_on is not None:
        return Retirement(
            on=used.retires_on,
            latest=used.retires_on,
            precision=Precision(used.precision or Precision.EXACT),
            reason=used.source or "The provider lists this date.",
        )
    return forecast(released_on=used.released_on, lives=lives, today=today)
