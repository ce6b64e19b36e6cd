"""A version's own figures: volume, errors, quality, latency, cost and tokens."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from versioning.domain.statistics.figures import exact
from versioning.domain.statistics.verdict import mean_quality
from versioning.models import PerformanceSample, Word
from versioning.models.fields import from_ms
from versioning.services import clock, options
from versioning.services.samples import rollups
from versioning.services.samples.rollup_sums import SampleSums

_NANO = Decimal(10) ** -9


@dataclass(frozen=True, slots=True)
class PartFigures:
    """The mean of one part of quality, 0 to 1, over the ``n`` requests that have it."""

    mean: float
    n: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What some samples show; None is unknown, never 0. Latencies are ms of successful requests."""

    samples: int
    errors: int
    error_rate: float | None
    errors_by_class: Mapping[str, int]
    quality: float | None
    """Each part's mean over the requests that have it, weighed as comparisons do."""
    quality_parts: Mapping[str, PartFigures]
    """What quality is made of: a given score (``quality``), or signals by name."""
    quality_n: int
    """How many samples have a score."""
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    cost_usd: Decimal | None
    """Mean of a request whose cost is known."""
    cost_n: int
    cost_per_success_usd: Decimal | None
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int

    @property
    def quality_coverage(self) -> float | None:
        """The share of samples that have a score."""
        return self.quality_n / self.samples if self.samples else None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can keep it, money as decimal strings."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        plain["errors_by_class"] = dict(self.errors_by_class)
        plain["quality_parts"] = {
            name: {"mean": part.mean, "n": part.n} for name, part in self.quality_parts.items()
        }
        plain["quality_coverage"] = self.quality_coverage
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
    scores, n = sums.scores, sums.samples
    parts = {name: one for name, one in sorted(sums.component_scores.items()) if one.n}
    successes = n - sums.errors
    cost = exact(sums.cost.mean) * _NANO if sums.cost.n else None
    return Figures(
        samples=n,
        errors=sums.errors,
        error_rate=sums.errors / n if n else None,
        errors_by_class=dict(sorted(sums.errors_by_class.items())),
        quality=mean_quality(parts, weights=options.component_weights()),
        quality_parts={name: PartFigures(one.mean, one.n) for name, one in parts.items()},
        quality_n=scores.n,
        latency_p50_ms=sums.latency_sketch.quantile(0.5),
        latency_p95_ms=sums.latency_sketch.quantile(0.95),
        latency_p99_ms=sums.latency_sketch.quantile(0.99),
        cost_usd=cost,
        cost_n=sums.cost.n,
        # What failed requests cost is spent as well.
        cost_per_success_usd=cost * n / successes if cost is not None and successes else None,
        input_tokens=sums.input_tokens,
        output_tokens=sums.output_tokens,
        cached_tokens=sums.cached_tokens,
        cache_write_tokens=sums.cache_write_tokens,
        reasoning_tokens=sums.reasoning_tokens,
    )
