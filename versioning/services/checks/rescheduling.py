"""When something runs by itself: shown and changed by people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from celery.schedules import ParseException
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from versioning.services import editing, locks
from versioning.services.actors import Actor
from versioning.services.errors import FieldError, Invalid
from versioning.services.transactions import one_transaction

PERIODS = (
    IntervalSchedule.DAYS,
    IntervalSchedule.HOURS,
    IntervalSchedule.MINUTES,
    IntervalSchedule.SECONDS,
)
_PARTS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")
_NO_TIMES: Mapping[str, Any] = {
    "crontab": None,
    "interval": None,
    "solar": None,
    "clocked": None,
}


def schedules() -> QuerySet[PeriodicTask]:
    """Return what runs by itself, each row with when it runs."""
    rows: QuerySet[PeriodicTask] = PeriodicTask.objects.select_related(
        "crontab", "interval", "solar", "clocked"
    )
    return rows


def schedule(schedule_id: int) -> PeriodicTask:
    """Return a row of the schedule. Raises NotFound."""
    return editing.row_of(schedules().filter(pk=schedule_id))


@one_transaction
def change_schedule(
    *,
    schedule_id: int,
    changes: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> PeriodicTask:
    """Change whether something runs (``enabled``), and when (``crontab`` or ``interval``).

    ``crontab`` has some of minute, hour, day_of_month, month_of_year, day_of_week and time_zone;
    those that are left out stay as they are, or are those of every day at 00:00. ``interval`` is
    ``every`` and ``period``. Other rows that run at the same times keep theirs. Raises NotFound,
    and Invalid for times that can't be read or never come.
    """
    if "crontab" in changes and "interval" in changes:
        message = "Give a crontab or an interval, not both."
        raise Invalid(message, [FieldError("/interval", "invalid", message)])
    rows = PeriodicTask.objects.filter(pk=schedule_id)
    wanted = {name: changes[name] for name in ("enabled",) if name in changes}
    task = editing.row_of(locks.hold(rows))
    if "crontab" in changes:
        wanted |= {**_NO_TIMES, "crontab": _crontab(task, changes["crontab"], now=now)}
    if "interval" in changes:
        interval = IntervalSchedule(**changes["interval"])
        wanted |= {**_NO_TIMES, "interval": _kept(interval, pointer="/interval")}
    editing.change(rows, changes=wanted, actor=actor)
    return schedule(schedule_id)


def _crontab(task: PeriodicTask, parts: Mapping[str, str], *, now: datetime) -> CrontabSchedule:
    before = task.crontab
    said: dict[str, Any] = {"minute": "0", "hour": "0"}
    if before is not None:
        said = {name: getattr(before, name) for name in _PARTS}
    said |= {name if name in _PARTS else "timezone": value for name, value in parts.items()}
    try:
        wanted = CrontabSchedule(**said)
    except ValidationError as error:  # its field reads the time zone at once
        message = f"{parts['time_zone']!r} is no time zone; write one such as Europe/Prague."
        raise Invalid(message, [FieldError("/crontab/time_zone", "invalid", message)]) from error
    _check(wanted, pointer="/crontab")
    try:
        wanted.schedule.remaining_estimate(now)
    except (ParseException, ValueError, RuntimeError) as error:
        message = f"There is no such time: {wanted}. Change one of its parts."
        raise Invalid(message, [FieldError("/crontab", "never", message)]) from error
    return _kept(wanted, pointer="/crontab")


def _kept(wanted: Any, *, pointer: str) -> Any:
    """Return the row that says the same, made now if there is none."""
    _check(wanted, pointer=pointer)
    said = {
        field.name: getattr(wanted, field.name)
        for field in wanted._meta.concrete_fields
        if not field.primary_key
    }
    rows = type(wanted).objects
    return rows.filter(**said).order_by("pk").first() or rows.create(**said)


def _check(wanted: Any, *, pointer: str) -> None:
    try:
        wanted.full_clean()
    except ValidationError as error:
        raise Invalid(
            error.messages[0],
            [
                FieldError(f"{pointer}/{name}", problem.code or "invalid", problem.messages[0])
                for name, problems in error.error_dict.items()
                for problem in problems
            ],
        ) from error
