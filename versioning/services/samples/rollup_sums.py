"""Sums of samples: made from rows, added up, and read back from the tables of roll-ups."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any, NamedTuple

from versioning.domain.signals import QUALITY, Scored, components, is_given
from versioning.domain.statistics.summaries import Moments, Sketch
from versioning.models.fields import to_ms

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Row(NamedTuple):
    """A sample as it is stored: numbers only, in the order of the columns."""

    at: int
    request_hash: int | None
    session_hash: int | None
    version_id: int | None
    quality: float | None
    latency_ms: float | None
    ttft_ms: float | None
    cost_nano_usd: int | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    task_id: int
    route_id: int
    tags_id: int
    error_id: int | None
    unknown_model_id: int | None
    source: int
    signals: int | None = None
    cache_write_tokens: int | None = None

    @property
    def scored(self) -> Scored:
        """The score with what it is made of."""
        return Scored(self.quality, self.signals)


class Cell(NamedTuple):
    """What one roll-up stands for; ``start`` is milliseconds since 1970."""

    version_id: int
    task_id: int
    slice_id: int
    source: int
    start: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What the numbers in rows mean, as far as sums need it."""

    slice_of_tags: Mapping[int, int]
    error_texts: Mapping[int, str]
    foreign: Set[tuple[int, int]]
    """(version, route) pairs in which another id than the version's own answered."""


COLUMNS = (
    "samples",
    "errors",
    "errors_by_class",
    "served_otherwise",
    "quality_n",
    "quality_mean",
    "quality_m2",
    "retracted_n",
    "retracted_mean",
    "retracted_m2",
    "latency_n",
    "latency_mean",
    "latency_m2",
    "latency_sketch",
    "cost_n",
    "cost_mean",
    "cost_m2",
    "output_n",
    "output_mean",
    "output_m2",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "components",
    "retracted_components",
)
"""The columns of ``versioning.models.rollups.Sums``, in the order of ``values`` below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSums:
    """All that is kept of a set of samples; adding up gives the same in any order.

    Latency in ms and output length hold the successful requests, cost (billionths of a USD)
    those where it is known, quality those with a score.
    """

    samples: int = 0
    errors: int = 0
    errors_by_class: Mapping[str, int] = field(default_factory=dict)
    served_otherwise: int = 0
    quality: Moments = Moments()
    retracted: Moments = Moments()
    latency: Moments = Moments()
    sketch: Sketch = field(default_factory=Sketch)
    cost: Moments = Moments()
    output: Moments = Moments()
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    components: Mapping[str, Moments] = field(default_factory=dict)
    retracted_components: Mapping[str, Moments] = field(default_factory=dict)

    @property
    def scores(self) -> Moments:
        """Quality without the scores that were corrected since."""
        if self.retracted.n > self.quality.n:
            # Only where a tag was declared between a score and its correction.
            return Moments()
        return self.quality.unmerge(self.retracted)

    @property
    def component_scores(self) -> dict[str, Moments]:
        """The components without what was corrected since, each over the samples that have it."""
        return _without(self.components, self.retracted_components)

    @classmethod
    def of_rows(cls, rows: Sequence[Row], *, terms: Terms) -> "SampleSums":
        """Return the sums of rows that belong to one cell."""
        columns: dict[str, tuple[Any, ...]] = dict(
            zip(Row._fields, zip(*rows, strict=True), strict=True)
        )
        good = rows if columns["error_id"].count(None) == len(rows) else _successes(rows)
        latency = [row.latency_ms for row in good if row.latency_ms is not None]
        classes = Counter(key for key in columns["error_id"] if key is not None)
        foreign = terms.foreign
        quality = Moments.of(_known(columns["quality"]))
        return cls(
            samples=len(rows),
            errors=len(rows) - len(good),
            errors_by_class={terms.error_texts[key]: n for key, n in classes.items()},
            served_otherwise=sum((row.version_id, row.route_id) in foreign for row in rows)
            if foreign
            else 0,
            quality=quality,
            latency=Moments.of(latency),
            sketch=Sketch.of(latency),
            cost=Moments.of(_known(columns["cost_nano_usd"])),
            output=Moments.of([row.output_tokens for row in good if row.output_tokens is not None]),
            input_tokens=sum(_known(columns["input_tokens"])),
            output_tokens=sum(_known(columns["output_tokens"])),
            cached_tokens=sum(_known(columns["cached_tokens"])),
            cache_write_tokens=sum(_known(columns["cache_write_tokens"])),
            reasoning_tokens=sum(_known(columns["reasoning_tokens"])),
            components=_components(rows)
            if any(columns["signals"])
            else {QUALITY: quality}
            if quality.n
            else {},
        )

    @classmethod
    def from_values(cls, values: Sequence[Any]) -> "SampleSums":
        """Read what ``values`` wrote, as the database gives it back."""
        samples, errors, errors_by_class, served_otherwise = values[:4]
        sketch = bytes(values[13])
        return cls(
            samples=samples,
            errors=errors,
            errors_by_class=errors_by_class,
            served_otherwise=served_otherwise,
            quality=Moments(*values[4:7]),
            retracted=Moments(*values[7:10]),
            latency=Moments(*values[10:13]),
            sketch=Sketch.from_bytes(sketch) if sketch else Sketch(),
            cost=Moments(*values[14:17]),
            output=Moments(*values[17:20]),
            input_tokens=values[20],
            output_tokens=values[21],
            cached_tokens=values[22],
            cache_write_tokens=values[23],
            reasoning_tokens=values[24],
            components=_read(values[25]),
            retracted_components=_read(values[26]),
        )

    @property
    def values(self) -> tuple[Any, ...]:
        """What the columns hold, in the order of COLUMNS."""
        return (
            self.samples,
            self.errors,
            dict(self.errors_by_class),
            self.served_otherwise,
            *self.quality.as_tuple()[:3],
            *self.retracted.as_tuple()[:3],
            *self.latency.as_tuple()[:3],
            self.sketch.to_bytes() if self.latency.n else b"",
            *self.cost.as_tuple()[:3],
            *self.output.as_tuple()[:3],
            self.input_tokens,
            self.output_tokens,
            self.cached_tokens,
            self.cache_write_tokens,
            self.reasoning_tokens,
            _written(self.components),
            _written(self.retracted_components),
        )

    @classmethod
    def total(cls, parts: Iterable["SampleSums"]) -> "SampleSums":
        """Return the sums of all parts together."""
        every = list(parts)
        if len(every) == 1:
            return every[0]
        classes: Counter[str] = Counter()
        for part in every:
            classes.update(part.errors_by_class)
        return cls(
            samples=sum(part.samples for part in every),
            errors=sum(part.errors for part in every),
            errors_by_class=classes,
            served_otherwise=sum(part.served_otherwise for part in every),
            quality=Moments.total(part.quality for part in every),
            retracted=Moments.total(part.retracted for part in every),
            latency=Moments.total(part.latency for part in every),
            sketch=reduce(Sketch.merge, (part.sketch for part in every), Sketch()),
            cost=Moments.total(part.cost for part in every),
            output=Moments.total(part.output for part in every),
            input_tokens=sum(part.input_tokens for part in every),
            output_tokens=sum(part.output_tokens for part in every),
            cached_tokens=sum(part.cached_tokens for part in every),
            cache_write_tokens=sum(part.cache_write_tokens for part in every),
            reasoning_tokens=sum(part.reasoning_tokens for part in every),
            components=_merged([part.components for part in every]),
            retracted_components=_merged([part.retracted_components for part in every]),
        )

    def minus(self, part: "SampleSums") -> "SampleSums":
        """Return the sums without ``part``, which is among them."""
        classes = Counter(self.errors_by_class)
        classes.subtract(part.errors_by_class)
        return SampleSums(
            samples=max(0, self.samples - part.samples),
            errors=max(0, self.errors - part.errors),
            errors_by_class=+classes,
            served_otherwise=max(0, self.served_otherwise - part.served_otherwise),
            quality=_minus(self.scores, part.scores),
            latency=_minus(self.latency, part.latency),
            sketch=self.sketch.minus(part.sketch),
            cost=_minus(self.cost, part.cost),
            output=_minus(self.output, part.output),
            input_tokens=self.input_tokens - part.input_tokens,
            output_tokens=self.output_tokens - part.output_tokens,
            cached_tokens=self.cached_tokens - part.cached_tokens,
            cache_write_tokens=self.cache_write_tokens - part.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens - part.reasoning_tokens,
            components=_without(self.component_scores, part.component_scores),
        )


def sums_by_cell(rows: Iterable[Row], *, terms: Terms) -> dict[Cell, SampleSums]:
    """Return the sums of each version, task, slice, source and hour among the rows.

    Rows without a version (nobody tracks the model yet) have no cell.
    """
    groups: defaultdict[tuple[int, int, int, int, int], list[Row]] = defaultdict(list)
    slices = terms.slice_of_tags
    for row in rows:
        if row.version_id is not None:
            hour = row.at // HOUR_MS
            groups[row.version_id, row.task_id, slices[row.tags_id], row.source, hour].append(row)
    return {
        Cell(*key[:4], start=key[4] * HOUR_MS): SampleSums.of_rows(group, terms=terms)
        for key, group in groups.items()
    }


def hour_of(moment: datetime) -> int:
    """Return the start of the moment's hour (UTC), in milliseconds since 1970."""
    at = to_ms(moment)
    return at - at % HOUR_MS


def rescored(
    *,
    old: float | None,
    new: float | None,
    old_components: Mapping[str, float] | None = None,
    new_components: Mapping[str, float] | None = None,
) -> SampleSums:
    """Return what a late score adds to its sample's hour: only what it changed."""
    before, after = old_components or {}, new_components or {}
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return SampleSums(
        quality=_one(new) if new != old else Moments(),
        retracted=_one(old) if new != old else Moments(),
        components={name: _one(after[name]) for name in changed & after.keys()},
        retracted_components={name: _one(before[name]) for name in changed & before.keys()},
    )


def _one(value: float | None) -> Moments:
    return Moments() if value is None else Moments.of([value])


def _components(rows: Sequence[Row]) -> dict[str, Moments]:
    """Return the moments of each component over the rows that have it."""
    values: defaultdict[str, list[float]] = defaultdict(list)
    values[QUALITY] = [row.quality for row in rows if row.quality is not None and is_given(row)]
    # Most requests that have signals have the same few: each is unpacked once.
    counts = Counter((row.signals, row.error_id is not None) for row in rows if row.signals)
    for (packed, failed), times in counts.items():
        for name, value in components(Scored(None, packed), failed=failed).items():
            values[name] += [value] * times
    return {name: Moments.of(found) for name, found in values.items() if found}


def _merged(parts: Iterable[Mapping[str, Moments]]) -> dict[str, Moments]:
    total: dict[str, Moments] = {}
    for part in parts:
        for name, moments in part.items():
            total[name] = total[name].merge(moments) if name in total else moments
    return total


def _without(whole: Mapping[str, Moments], part: Mapping[str, Moments]) -> dict[str, Moments]:
    """Return what is left of each; nothing where more was taken than there is.

    That is so only where a tag was declared between a score and its correction.
    """
    if not part:
        return dict(whole)
    left = {name: _minus(moments, part.get(name, Moments())) for name, moments in whole.items()}
    return {name: moments for name, moments in left.items() if moments.n}


def _read(kept: Mapping[str, Sequence[Any]]) -> dict[str, Moments]:
    return {name: Moments(*moments) for name, moments in kept.items()}


def _written(components: Mapping[str, Moments]) -> dict[str, Sequence[Any]]:
    return {name: moments.as_tuple()[:3] for name, moments in components.items()}


def _minus(whole: Moments, part: Moments) -> Moments:
    return whole.unmerge(part) if part.n <= whole.n else Moments()


def _known(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _successes(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.error_id is None]
