"""What runs by itself, and when: rows that staff see and change in the admin."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max, Model, Q
from django.db.models.functions import Coalesce
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from providers.models import Provider
from versioning.domain.crontab import Crontab
from versioning.models import Check
from versioning.services.checks import detection

DAILY_CHECK = "Daily check of the providers"
CLOCK_SKEW = timedelta(seconds=30)
"""How far the clocks of beat and worker may differ without a check being missed or doubled."""


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """One row of the schedule. ``minutes`` apart, or daily at ``daily`` (hour, minute)."""

    name: str
    task: str
    description: str
    minutes: int | None = None
    daily: tuple[int, int] | None = None
    arguments: Mapping[str, object] = field(default_factory=dict)


def entries() -> tuple[ScheduleEntry, ...]:
    """Return every row that a new installation starts with."""
    return (
        ScheduleEntry(
            DAILY_CHECK,
            "versioning.check_due_providers",
            "Asks all enabled providers. Change the time here; switch it off to stop asking. "
            "It asks each provider once for each time, however many workers there are.",
            daily=(settings.HOTSWAP["CHECK_HOUR"], 0),
        ),
        ScheduleEntry(
            "Catch up on missed checks",
            "versioning.check_due_providers",
            "Asks those providers whose check was missed, such as while the machine was off.",
            minutes=10,
        ),
        ScheduleEntry(
            "Take up checks",
            "versioning.take_up_checks",
            "Goes on with checks that no worker has, such as where one died.",
            minutes=1,
        ),
        ScheduleEntry(
            "Wake snoozed recommendations",
            "versioning.wake_snoozed",
            "Brings back recommendations whose snooze is over.",
            minutes=5,
        ),
        ScheduleEntry(
            "Look at the evidence again",
            "versioning.look_again",
            "Renews the evidence of what waits for a decision, where it says something else by "
            "now; approvals that were given to something else fall.",
            minutes=60,
        ),
        ScheduleEntry(
            "Carry upgrades on",
            "versioning.carry_on",
            "Lets go what policies let go by themselves; looks at tests, canaries and moves "
            "under watch.",
            minutes=5,
        ),
        ScheduleEntry(
            "Remind of retirements",
            "versioning.remind",
            "Writes to owners 90, 60, 30 and 7 days before a model retires, and on the day; writes "
            "the digests of recipients.",
            minutes=60,
        ),
        ScheduleEntry(
            "Deliver events",
            "versioning.deliver_events",
            "Gives what happened to those who take it: owners, recipients, webhooks.",
            minutes=1,
        ),
        ScheduleEntry(
            "Run evaluations",
            "versioning.run_evaluations",
            "Carries out evaluation runs that wait, and those of a worker that died.",
            minutes=1,
        ),
        ScheduleEntry(
            "Add up samples",
            "versioning.fold_samples",
            "Adds new samples and late scores to the roll-ups, and those of models that are "
            "tracked by now.",
            minutes=1,
        ),
        ScheduleEntry(
            "Tidy samples",
            "versioning.tidy_samples",
            "Folds old hours into days and drops single samples that were kept long enough. "
            "Figures don't change.",
            daily=(3, 20),
        ),
        ScheduleEntry(
            "Forget old answers",
            "versioning.forget_old_answers",
            "Drops the stored answers of requests with an Idempotency-Key that nobody repeats, and "
            "events of more than 90 days ago.",
            daily=(3, 40),
        ),
        ScheduleEntry(
            "Look for drift",
            "versioning.find_drift",
            "Looks for versions that behave otherwise although their name did not change.",
            daily=(4, 10),
        ),
        ScheduleEntry(
            "Chain the history",
            "versioning.chain_seals",
            "Puts the seals of new rows of the history into the chain, so that what is changed "
            "or taken out later is seen.",
            minutes=1,
        ),
        ScheduleEntry(
            "Verify the history",
            "versioning.verify_history",
            "Holds every row of the history against its seal, and tells you of the first that "
            "was changed behind Hotswap's back.",
            daily=(4, 30),
        ),
    )


def install_schedules() -> list[str]:
    """Add the rows that are missing; return their names. What staff changed stays as it is."""
    present = set(PeriodicTask.objects.values_list("name", flat=True))
    missing = [entry for entry in entries() if entry.name not in present]
    for entry in missing:
        PeriodicTask.objects.get_or_create(
            name=entry.name,
            defaults={
                "task": entry.task,
                "description": entry.description,
                **_when(entry),
            },
        )
    return [entry.name for entry in missing]


def run_due_checks(
    *, now: datetime, on_result: Callable[[Check], None] | None = None
) -> list[Check]:
    """Ask each provider whose scheduled check is due and hasn't begun.

    Called at each tick of the daily check, at each start and every few minutes: a time that was
    missed is caught up, one that was kept is never asked twice (the database sees to that).
    """
    due = due_checks(now=now)
    if not due:
        return []
    return detection.run_checks(
        provider_slugs=sorted(due),
        trigger=Check.Trigger.SCHEDULE,
        now=now,
        due_at=due,
        on_result=on_result,
    )


def due_checks(*, now: datetime) -> dict[str, datetime]:
    """Return the moment at which each provider's next check was due, if that has come."""
    task = PeriodicTask.objects.filter(name=DAILY_CHECK, enabled=True).first()
    if task is None:
        return {}
    due = {}
    for slug, last in _last_checks(now).items():
        moment = _next_after(task, last + CLOCK_SKEW)
        if moment is not None and moment <= now + CLOCK_SKEW:
            due[slug] = moment
    return due


def _last_checks(now: datetime) -> dict[str, datetime]:
    """Return when each enabled provider was last asked in earnest, else when it was added.

    A check that broke off or is past its lease doesn't count, nor does one that a person
    started and that failed.
    """
    counts = Q(checks__state=Check.State.RUNNING, checks__lease_until__gte=now) | (
        ~Q(checks__state__in=[Check.State.RUNNING, Check.State.FAILED])
        | Q(checks__state=Check.State.FAILED, checks__trigger=Check.Trigger.SCHEDULE)
        & ~Q(checks__error_kind=Check.ErrorKind.BROKEN)
    )
    providers = Provider.objects.filter(enabled=True).annotate(
        last=Coalesce(Max("checks__started_at", filter=counts), "created_at")
    )
    return dict(providers.values_list("slug", "last"))


def _next_after(task: PeriodicTask, moment: datetime) -> datetime | None:
    """Return the first time of the task's schedule after a moment; None where there is none."""
    schedule: Any = task.schedule
    if task.crontab is not None:
        # Celery's own reckoning adds wall-clock time, which is wrong where clocks are changed.
        return Crontab(
            minutes=schedule.minute,
            hours=schedule.hour,
            days_of_week=schedule.day_of_week,
            days_of_month=schedule.day_of_month,
            months=schedule.month_of_year,
        ).next_after(moment, zone=schedule.tz)
    schedule.nowfun = lambda: moment
    remaining: timedelta = schedule.remaining_estimate(moment)
    return moment + remaining


def _when(entry: ScheduleEntry) -> dict[str, object]:
    if entry.daily is not None:
        hour, minute = entry.daily
        daily = {
            "minute": str(minute),
            "hour": str(hour),
            "day_of_week": "*",
            "day_of_month": "*",
            "month_of_year": "*",
            "timezone": settings.TIME_ZONE,
        }
        return {"crontab": _one_of(CrontabSchedule, daily)}
    often = {"every": entry.minutes, "period": IntervalSchedule.MINUTES}
    return {"interval": _one_of(IntervalSchedule, often)}


def _one_of(kind: type[Model], told: Mapping[str, object]) -> Model:
    """Return the first such schedule, made where there is none: nothing keeps two from being there.

    Somebody may have added the like in the admin.
    """
    rows = kind._default_manager
    return rows.filter(**told).order_by("pk").first() or rows.create(**told)
