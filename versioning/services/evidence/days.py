"""How a model did day by day: quality, errors, latency and cost, version by version."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from versioning.domain.figure_kinds import Rate
from versioning.domain.figures import CHARTS
from versioning.domain.statistics.summaries import (
    Interval,
    Moments,
    interval_of_mean,
    interval_of_share,
    interval_of_weighted_mean,
    ranks_of_quantile,
)
from versioning.domain.statistics.verdict import counting, mean_quality
from versioning.models import ModelVersion, PerformanceSample, Word
from versioning.models.fields import from_ms
from versioning.services import clock, sample_settings
from versioning.services.samples import rollups
from versioning.services.samples.rollup_sums import SampleSums
from versioning.services.samples.rollups import PeriodSums

NANO = 1e-9
P95 = 0.95


@dataclass(frozen=True, slots=True)
class DayPoint:
    """A figure of one day (UTC) with its 95 % interval, and how many samples it is made of.

    ``low`` and ``high`` are None where the day has too few for an interval.
    """

    day: date
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class VersionDays:
    """A version's figures day by day, by their names; days without one are missing."""

    label: str
    points: Mapping[str, Sequence[DayPoint]]


@dataclass(frozen=True, slots=True)
class ModelDays:
    """All versions with samples in the days asked for, the oldest first, and what they did.

    ``tasks`` are all of those days, whichever was asked for.
    """

    versions: Sequence[VersionDays]
    tasks: Sequence[str]


def by_day(
    *, tracked_model_id: int, now: datetime, days: int = 60, task: str | None = None
) -> ModelDays:
    """Return how a model did in the last days, on all tasks or one; three queries."""
    labels = dict(
        ModelVersion.objects.filter(tracked_model=tracked_model_id)
        .order_by("pk")
        .values_list("pk", "label")
    )
    entries = _live(version_ids=labels, first=clock.utc_day(now) - timedelta(days=days))
    numbers = {entry.cell.task_id for entry in entries}
    texts = dict(Word.objects.filter(pk__in=numbers).values_list("pk", "text"))
    parts: defaultdict[tuple[int, date], list[SampleSums]] = defaultdict(list)
    for entry in entries:
        if task is None or texts[entry.cell.task_id] == task:
            day = clock.utc_day(from_ms(entry.cell.start))
            parts[entry.cell.version_id, day].append(entry.sums)
    sums = {key: SampleSums.total(each) for key, each in sorted(parts.items())}
    weights = _weights_of_all([each.component_scores for each in sums.values()])
    found: defaultdict[int, defaultdict[str, list[DayPoint]]]
    found = defaultdict(lambda: defaultdict(list))
    for (version_id, day), each in sums.items():
        for measure, point in _points(day, each, weights=weights):
            found[version_id][measure].append(point)
    return ModelDays(
        versions=[VersionDays(labels[pk], dict(found[pk])) for pk in labels if pk in found],
        tasks=sorted(filter(None, texts.values())),
    )


def _live(*, version_ids: Iterable[int], first: date) -> list[PeriodSums]:
    start = datetime.combine(first, time(), tzinfo=UTC)
    entries = rollups.read(version_ids=version_ids, start=start)
    return [entry for entry in entries if entry.cell.source in PerformanceSample.LIVE]


def _points(
    day: date, sums: SampleSums, *, weights: Mapping[str, float]
) -> Iterable[tuple[str, DayPoint]]:
    scores = {name: one for name, one in sums.component_scores.items() if weights.get(name)}
    # One value alone has no spread: where there are others it would cost the day its interval.
    scores = {name: one for name, one in scores.items() if one.n > 1} or scores
    quality = mean_quality(scores, weights=weights)
    if quality is not None:
        n = max(one.n for one in scores.values())
        shares = counting({name: one.n for name, one in scores.items()}, weights=weights)
        interval = interval_of_weighted_mean(scores, weights=shares)
        yield "quality", _point(day, quality, _within(interval, most=1.0), n)
    for figure in CHARTS:
        rate = figure.rate(sums) if figure.rate else Rate()
        if rate.share is not None:
            share = interval_of_share(hits=rate.hits, n=rate.n)
            yield figure.name, _point(day, rate.share, share, rate.n)
    latency = sums.latency_sketch.quantile(P95)
    if latency is not None:
        yield "latency", _point(day, latency, _latencies(sums), sums.latency.n)
    if sums.cost.n:
        low_high = _within(interval_of_mean(sums.cost), most=float("inf"))
        cost = None if low_high is None else (low_high[0] * NANO, low_high[1] * NANO)
        yield "cost", _point(day, sums.cost.mean * NANO, cost, sums.cost.n)


def _point(day: date, value: float, interval: Interval | None, n: int) -> DayPoint:
    low, high = interval if interval is not None else (None, None)
    return DayPoint(day=day, value=value, low=low, high=high, n=n)


def _within(interval: Interval | None, *, most: float) -> Interval | None:
    return None if interval is None else (max(0.0, interval[0]), min(most, interval[1]))


def _latencies(sums: SampleSums) -> Interval | None:
    ranks = ranks_of_quantile(P95, n=sums.latency.n)
    if ranks is None:
        return None
    low, high = (sums.latency_sketch.quantile(rank) for rank in ranks)
    return None if low is None or high is None else (low, high)


def _weights_of_all(days: Iterable[Mapping[str, Moments]]) -> dict[str, float]:
    """Return what the parts count that all days with a score have; where none is, what each has.

    A day on which nobody gave feedback is no better or worse day.
    """
    weights = sample_settings.component_weights()
    known = [{name for name, one in day.items() if one.n and weights.get(name)} for day in days]
    scored = [names for names in known if names]
    common = set.intersection(*scored) if scored else set()
    return {name: weights[name] for name in common} or weights
