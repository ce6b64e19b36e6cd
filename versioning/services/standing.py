"""What keeps Hotswap from doing its work by itself now: said on every page, not on its own only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django_celery_beat.models import PeriodicTask

from versioning.models import AutomationSwitch, Freeze, Notice

SILENT_AFTER = timedelta(minutes=20)
"""The scheduler starts something every five minutes, and writes that down every three."""

OF_PROCESSES = ("worker process", "scheduler process", "web process")
"""What the supervisor calls them in its notices."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """What stands still. One of ``switch``, ``freeze``, ``notice`` and ``silent_since`` is set."""

    switch: AutomationSwitch | None = None
    freeze: Freeze | None = None
    notice: Notice | None = None
    silent_since: datetime | None = None


def look(*, now: datetime) -> Sequence[Standstill]:
    """Return what stands still now, in four queries; empty where all is well."""
    found = [Standstill(switch=each) for each in AutomationSwitch.objects.filter(on=False)]
    holding = Freeze.objects.filter(starts_at__lte=now, ends_at__gt=now).select_related("provider")
    found += [Standstill(freeze=each) for each in holding.order_by("ends_at", "pk")]
    stopped = Notice.objects.open().filter(kind=Notice.Kind.FAULT, subject__in=OF_PROCESSES)
    found += [Standstill(notice=each) for each in stopped.order_by("pk")]
    last = PeriodicTask.objects.filter(enabled=True).aggregate(at=Max("last_run_at"))["at"]
    if last is not None and now - last > SILENT_AFTER:
        found.append(Standstill(silent_since=last))
    return found
