"""The retirement clock: until when each move can start, and reminders once each."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction

from versioning.domain.canary import expected_duration
from versioning.domain.events import Kind
from versioning.domain.policy import Policy
from versioning.domain.retirement import (
    Life,
    Needs,
    Precision,
    Retirement,
    forecast,
    latest_safe_start,
    reminder_due,
    starts_this_week,
)
from versioning.models import ModelVersion, Reminder, TrackedModel
from versioning.services import clock, constraints, events, locks, sweeps
from versioning.services.actors import Actor
from versioning.services.storable import one_line
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import policies
from versioning.services.upgrades.traffic import live_requests

TRAFFIC_DAYS = 7
TESTS_TAKE = timedelta(days=1)
"""What a policy with suites is reckoned to take: a run, and a look at what differs."""


@dataclass(frozen=True, slots=True)
class Clock:
    """When a model's current version retires, and the last day on which a move can start."""

    tracked_model: TrackedModel
    version: ModelVersion
    retirement: Retirement
    needs: Needs
    latest_start: date
    this_week: bool
    warning: str
    """What can't be reckoned, such as a canary whose samples never come; else empty."""


def clocks(*, now: datetime) -> list[Clock]:
    """Return the clock of each active model that retires, those to start first ahead.

    Deprecation alone has no date to count from: such a model gets a forecast where its earlier
    versions' lives give one.
    """
    models = (
        TrackedModel.objects.active()
        .exclude(current_version=None)
        .select_related("provider", "current_version")
    )
    found = _clocks(list(models), now=now)
    return sorted(found, key=lambda clock: (clock.latest_start, clock.tracked_model.pk))


def start_this_week(*, now: datetime) -> list[Clock]:
    """Return the moves whose last safe day is within seven days, or past; most urgent first."""
    return [clock for clock in clocks(now=now) if clock.this_week]


def clock_of(*, tracked: TrackedModel, now: datetime) -> Clock | None:
    """Return a model's clock; None where no retirement is known or foreseen."""
    return next(iter(_clocks([tracked], now=now)), None)


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
        subject=lambda version: f"Reminder of {version.tracked_model}",
        now=now,
    )
    return sum(written)


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
    start = f"\nStart the move by {ours.latest_start} to be safe." if ours else ""
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
                    f"{retires_on}: from then on requests fail.{start}\n",
                    "written_at": now,
                },
            )
    except IntegrityError as error:
        if not constraints.is_duplicate(error):
            raise
        return False  # another worker wrote it
    if is_new:
        events.write(
            Kind.REMINDER,
            tracked=tracked,
            version=version,
            sentence=f"{reminder.subject}: {version.upstream_id} retires on {retires_on}.",
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


def _clocks(models: Sequence[TrackedModel], *, now: datetime) -> list[Clock]:
    """Reckon all clocks with as many queries as for one."""
    lives = _lives(models)
    known = [
        (model, version, retirement)
        for model in models
        if (version := model.current_version) is not None
        and (retirement := _retirement(version, lives=lives[model.pk], today=clock.local_day(now)))
    ]
    resolved = policies.resolve_all(tracked_models=[model for model, _, _ in known])
    canaries = [version.pk for model, version, _ in known if resolved[model.pk].policy.canary_steps]
    traffic = live_requests(version_ids=canaries, since=now - timedelta(days=TRAFFIC_DAYS))
    return [
        _clock(
            tracked=model,
            version=version,
            retirement=retirement,
            policy=resolved[model.pk].policy,
            requests_a_day=traffic[version.pk] / TRAFFIC_DAYS,
            now=now,
        )
        for model, version, retirement in known
    ]


def _clock(
    *,
    tracked: TrackedModel,
    version: ModelVersion,
    retirement: Retirement,
    policy: Policy,
    requests_a_day: float,
    now: datetime,
) -> Clock:
    canary = expected_duration(steps=policy.canary_steps, requests_a_day=requests_a_day)
    needs = Needs(
        evaluation=TESTS_TAKE if policy.required_suites else timedelta(0),
        canary=canary or timedelta(0),
        approval=timedelta(days=policy.approval_days),
        buffer=timedelta(days=policy.buffer_days),
    )
    latest = latest_safe_start(retires_on=retirement.on, needs=needs)
    return Clock(
        tracked_model=tracked,
        version=version,
        retirement=retirement,
        needs=needs,
        latest_start=latest,
        this_week=starts_this_week(latest_start=latest, today=clock.local_day(now)),
        warning="" if canary is not None else "At this traffic its canary would never end.",
    )


def _lives(models: Sequence[TrackedModel]) -> defaultdict[int, list[Life]]:
    """Return how long the earlier versions lived of each model that needs a forecast."""
    asking = [
        model.pk
        for model in models
        if model.current_version is not None
        and model.current_version.retires_on is None
        and model.current_version.released_on is not None
    ]
    versions = ModelVersion.objects.with_retirement().filter(tracked_model__in=asking)
    lives: defaultdict[int, list[Life]] = defaultdict(list)
    for model_id, id, released_on, retires_on in versions.exclude(released_on=None).values_list(
        "tracked_model_id", "upstream_id", "released_on", "retires_on"
    ):
        if released_on is not None and retires_on is not None:
            lives[model_id].append(Life(id=id, released_on=released_on, retires_on=retires_on))
    return lives


def _retirement(version: ModelVersion, *, lives: Sequence[Life], today: date) -> Retirement | None:
    if version.retires_on is not None:
        return Retirement(
            on=version.retires_on,
            latest=version.retires_on,
            precision=Precision(version.retires_precision or Precision.EXACT),
            reason=version.retires_source or "The provider lists this date.",
        )
    return forecast(released_on=version.released_on, siblings=lives, today=today)
