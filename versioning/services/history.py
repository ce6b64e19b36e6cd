"""Which version served when, and how it came to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.db.models import Prefetch, QuerySet

from versioning.models import ModelVersion, UpgradeRecord, UpgradeStep


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when a version was the current one; ``until`` is None for today's."""

    version_id: int
    record_id: int
    since: datetime
    until: datetime | None

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


def periods(*, tracked_model_id: int) -> list[Period]:
    """Return the periods of a tracked model without gaps, oldest first."""
    moves = list(
        UpgradeRecord.objects.completions()
        .filter(tracked_model_id=tracked_model_id, completed_at__isnull=False)
        .order_by("completion_number")
        .values_list("to_version_id", "pk", "completed_at")
    )
    ends = [after[2] for _, after in pairwise(moves)]
    return [
        Period(version_id=version_id, record_id=record_id, since=since, until=until)
        for (version_id, record_id, since), until in zip(moves, [*ends, None], strict=False)
        if since is not None
    ]


def version_at(*, tracked_model_id: int, at: datetime) -> int | None:
    """Return the id of the version that served at a moment; None before tracking began."""
    found = [p for p in periods(tracked_model_id=tracked_model_id) if p.covers(at)]
    return found[-1].version_id if found else None


def versions(*, tracked_model_id: int) -> QuerySet[ModelVersion]:
    """Return the versions of a tracked model, each with the moves towards it and their steps."""
    steps = UpgradeStep.objects.order_by("at", "id")
    moves = UpgradeRecord.objects.with_versions().order_by("id")
    return ModelVersion.objects.filter(tracked_model_id=tracked_model_id).prefetch_related(
        Prefetch("upgrades_to", queryset=moves.prefetch_related(Prefetch("steps", queryset=steps)))
    )


def with_periods(
    rows: Iterable[ModelVersion], *, tracked_model_id: int
) -> list[tuple[ModelVersion, list[Period]]]:
    """Pair each version with the periods in which it served."""
    all_periods = periods(tracked_model_id=tracked_model_id)
    return [(row, [p for p in all_periods if p.version_id == row.pk]) for row in rows]
