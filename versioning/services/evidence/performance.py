"""A version's own figures: volume, errors, quality, latency, cost and tokens."""

from collections import defaultdict, namedtuple
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from versioning.domain.figures import SHOWN
from versioning.domain.statistics.figures import exact
from versioning.domain.statistics.verdict import mean_quality
from versioning.models import PerformanceSample, Word
from versioning.models.fields import from_ms
from versioning.services import clock, sample_settings
from versioning.services.samples import rollups
from versioning.services.samples.rollup_sums import SampleSums

_NANO = Decimal(10) ** -9


@dataclass(frozen=True, slots=True)
class PartFigures:
    """The mean of one part of quality, 0 to 1, over the ``n`` requests that have it."""

    mean: float
    n: int


_record: Callable[..., Any] = namedtuple  # noqa: PYI024  (its names are known at run time only)


class Figures(_record("Figures", [shown.name for shown in SHOWN])):  # type: ignore[misc]
    """What some samples show, by ``domain.figures``; None is unknown, never 0.

    Latencies are ms of successful requests. What stands here is what code asks for by name.
    """

    __slots__ = ()

    samples: int
    quality: float | None
    """Each part's mean over the requests that have it, weighed as comparisons do."""
    quality_parts: Mapping[str, PartFigures]
    """What quality is made of: a given score (``quality``), or signals by name."""
    latency_p95_ms: float | None
    cost_per_success_usd: Decimal | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can keep it, money as decimal strings."""
        plain = self._asdict()
        plain["quality_parts"] = {
            name: {"mean": part.mean, "n": part.n} for name, part in self.quality_parts.items()
        }
        return {
            name: str(value) if isinstance(value, Decimal) else value
            for name, value in plain.items()
        }


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """A version's figures in all and task by task."""

    total: Figures
    tasks: Mapping[str, Figures] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can keep it."""
        tasks = {name: figures.as_dict() for name, figures in self.tasks.items()}
        return self.total.as_dict() | {"tasks": tasks}


def figures(
    *, version_ids: Iterable[int], sources: Collection[int] = PerformanceSample.LIVE
) -> dict[int, VersionFigures]:
    """Return the figures of each version, also of one without samples; two queries."""
    wanted = list(version_ids)
    entries = [e for e in rollups.read(version_ids=wanted) if e.cell.source in sources]
    texts = dict(
        Word.objects.filter(pk__in={entry.cell.task_id for entry in entries}).values_list(
            "pk", "text"
        )
    )
    groups: defaultdict[tuple[int, str], list[SampleSums]] = defaultdict(list)
    for entry in entries:
        groups[entry.cell.version_id, texts[entry.cell.task_id]].append(entry.sums)
    totals = {key: SampleSums.total(parts) for key, parts in sorted(groups.items())}
    return {
        version: VersionFigures(
            total=figures_of(SampleSums.total(s for key, s in totals.items() if key[0] == version)),
            tasks={key[1]: figures_of(s) for key, s in totals.items() if key[0] == version},
        )
        for version in wanted
    }


def daily(
    *, version_id: int, sources: Collection[int] = PerformanceSample.LIVE
) -> dict[date, SampleSums]:
    """Return a version's sums day by day (UTC), in order; days without samples are missing."""
    groups: defaultdict[date, list[SampleSums]] = defaultdict(list)
    for entry in rollups.read(version_ids=[version_id]):
        if entry.cell.source in sources:
            day = clock.utc_day(from_ms(entry.cell.start))
            groups[day].append(entry.sums)
    return {day: SampleSums.total(parts) for day, parts in sorted(groups.items())}


def figures_of(sums: SampleSums) -> Figures:
    """Return what the sums show."""
    parts = {name: one for name, one in sorted(sums.component_scores.items()) if one.n}
    n, successes = sums.samples, sums.samples - sums.errors
    cost = exact(sums.cost.mean) * _NANO if sums.cost.n else None
    reckoned = {
        "quality": mean_quality(parts, weights=sample_settings.component_weights()),
        "quality_parts": {name: PartFigures(one.mean, one.n) for name, one in parts.items()},
        "cost_usd": cost,
        # What failed requests cost is spent as well.
        "cost_per_success_usd": cost * n / successes if cost is not None and successes else None,
    }
    return Figures(*(shown.of(sums) if shown.of else reckoned[shown.name] for shown in SHOWN))
