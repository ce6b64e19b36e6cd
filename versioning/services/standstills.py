"""What keeps Hotswap from doing its work by itself now: said on every page, not on its own only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from shutil import disk_usage
from typing import Any

from django.conf import settings
from django.db.models import Max, QuerySet
from django_celery_beat.models import PeriodicTask

from versioning.models import AutomationSwitch, Freeze, Notice, Tally
from versioning.services import notices
from versioning.services.existence import which_have_rows

SILENT_AFTER = timedelta(minutes=20)
"""The scheduler starts something every five minutes, and writes that down every three."""

LITTLE_SPACE = 512 * 1024 * 1024
"""Bytes: with less SQLite, its log and the queue's files may not be able to grow any more."""

GIVEN_UP = {f"{name} process, given up": f"{name} process" for name in ("worker", "beat")}
"""What the supervisor calls what it starts no more. One that it starts again stands still for a
minute at most: its notice is in the inbox, and not on every page."""


def start_anew(*, now: datetime) -> None:
    """Resolve the notices of what the last start gave up: this one starts it again."""
    for subject in GIVEN_UP:
        notices.resolve_fault(subject=subject, by="prepare", now=now)


@dataclass(frozen=True, slots=True)
class Standstill:
    """What stands still; one of these is set."""

    switch: AutomationSwitch | None = None
    freeze: Freeze | None = None
    notice: Notice | None = None
    silent_since: datetime | None = None
    """When the scheduler last began something."""
    idle_since: datetime | None = None
    """When a worker last did something, although the scheduler goes on."""
    free_bytes: int | None = None
    """What is left where the data folder is."""

    @property
    def kind(self) -> str:
        """Return the name of what is set."""
        return next(name for name in self.__slots__ if getattr(self, name) is not None)


def current(*, now: datetime) -> Sequence[Standstill]:
    """Return what stands still now; one query where all is well, for every page asks."""
    holding = Freeze.objects.filter(starts_at__lte=now, ends_at__gt=now)
    stopped = Notice.objects.open().filter(kind=Notice.Kind.FAULT, subject__in=GIVEN_UP)
    runs = PeriodicTask.objects.filter(enabled=True, last_run_at__isnull=False)
    asked: Mapping[str, QuerySet[Any]] = {
        "switch": AutomationSwitch.objects.filter(on=False),
        "freeze": holding.select_related("provider").order_by("ends_at", "pk"),
        "notice": stopped.order_by("pk"),
        "silent_since": runs.values("enabled")
        .annotate(last=Max("last_run_at"))
        .filter(last__lt=now - SILENT_AFTER)
        .values_list("last", flat=True),
        "idle_since": Tally.objects.filter(kind=Tally.Kind.STAGE)
        .values("kind")
        .annotate(last=Max("last_at"))
        .filter(last__lt=now - SILENT_AFTER)
        .values_list("last", flat=True),
    }
    found = which_have_rows(asked)
    if "silent_since" in found:
        found -= {"idle_since"}  # there was nothing to do: one reason is enough
    free = disk_usage(settings.DATA_DIR).free
    full = [Standstill(free_bytes=free)] if free < LITTLE_SPACE else []
    return full + [
        Standstill(**{kind: each}) for kind, rows in asked.items() if kind in found for each in rows
    ]
