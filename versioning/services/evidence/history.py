"""Which version served when, how it did, and how it came to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from versioning.models import ModelVersion, UpgradeRecord, UpgradeStep
from versioning.services import clock
from versioning.services.evidence import performance
from versioning.services.evidence.performance import VersionFigures
from versioning.services.samples import request_uses


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when a version was the current one; ``until`` is None for today's."""

    version_id: int
    record_id: int
    since: datetime
    until: datetime | None

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Item:
    """A version with its performance, the periods in which it served and the moves towards it."""

    version: ModelVersion
    performance: VersionFigures
    served: tuple[Period, ...]
    unpriced: Mapping[str, int]
    """How many requests of the last days lacked the price or count of which part."""

    @property
    def upgrades(self) -> QuerySet[UpgradeRecord]:
        return self.version.upgrades_to.all()


def periods(*, tracked_model_id: int) -> list[Period]:
    """Return the periods of a tracked model without gaps, oldest first."""
    moves = list(
        UpgradeRecord.objects.completions()
        .filter(tracked_model_id=tracked_model_id)
        .order_by("completion_number")
        .values_list("to_version_id", "pk", "completed_at")
    )
    begins = [since for _, _, since in moves if since is not None]
    ends = [*begins, None][1:]
    return [
        Period(version_id=version_id, record_id=record_id, since=since, until=until)
        for (version_id, record_id, _), since, until in zip(moves, begins, ends, strict=True)
    ]


def version_at(*, tracked_model_id: int, at: datetime) -> int | None:
    """Return the id of the version that served at a moment; None before tracking began."""
    served = [p for p in periods(tracked_model_id=tracked_model_id) if p.covers(at)]
    return served[-1].version_id if served else None


def moves(*, tracked_model_id: int) -> QuerySet[UpgradeRecord]:
    """Return the records of a tracked model with their steps in order."""
    return _with_steps().filter(tracked_model_id=tracked_model_id)


def versions(*, tracked_model_id: int) -> QuerySet[ModelVersion]:
    """Return the versions of a tracked model with the moves towards each, oldest move first."""
    towards = Prefetch("upgrades_to", queryset=_with_steps().order_by("id"))
    return ModelVersion.objects.filter(tracked_model_id=tracked_model_id).prefetch_related(towards)


def items(rows: Iterable[ModelVersion], *, tracked_model_id: int) -> list[Item]:
    """Add to each version how it did and when it served; the same queries for any number."""
    rows = list(rows)
    served = periods(tracked_model_id=tracked_model_id)
    figures = performance.figures(version_ids=[row.pk for row in rows])
    unpriced = request_uses.unpriced(version_ids=figures, now=clock.now())
    return [
        Item(
            version=row,
            performance=figures[row.pk],
            unpriced=unpriced.get(row.pk, {}),
            served=tuple(period for period in served if period.version_id == row.pk),
        )
        for row in rows
    ]


def _with_steps() -> QuerySet[UpgradeRecord]:
    steps = Prefetch("steps", queryset=UpgradeStep.objects.order_by("at", "id"))
    return UpgradeRecord.objects.with_version_names().prefetch_related(steps)
