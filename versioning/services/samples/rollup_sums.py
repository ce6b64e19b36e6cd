"""Sums of samples: made from rows, added up, and read back from the tables of roll-ups."""

from collections import Counter, defaultdict, namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from versioning.domain.figure_kinds import Kept, Rate
from versioning.domain.figures import FIELDS, SUMS
from versioning.domain.signals import QUALITY, Scored, components, is_given
from versioning.domain.statistics.summaries import Moments, Sketch
from versioning.models.fields import to_ms

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


RECKONED = (
    *("quality", "cost_nano_usd", "input_tokens", "output_tokens"),
    *("cached_tokens", "reasoning_tokens", "cache_write_tokens"),
)
"""Columns whose value takes more than the field of the same name, in the order of a row."""

TOLD = tuple(field for field in FIELDS if field.kept_as not in RECKONED)
"""Figures that are kept as samples tell them, in the order of a row: they follow the others."""

_PLACE = (
    *("at", "request_hash", "session_hash", "version_id", "task_id", "route_id", "tags_id"),
    *("error_id", "unknown_model_id", "source"),
)
_FIGURES = ("signals", *RECKONED, *(field.kept_as for field in TOLD))
_record: Callable[..., Any] = namedtuple  # noqa: PYI024  (its names are known at run time only)


class SampleRow(_record("SampleRow", (*_PLACE, *_FIGURES), defaults=(None,) * len(_FIGURES))):  # type: ignore[misc]
    """A sample as it is stored: numbers only, by the names of its columns.

    What stands here is what code asks for by name; the other figures follow.
    """

    __slots__ = ()

    at: int
    request_hash: int | None
    session_hash: int | None
    version_id: int | None
    task_id: int
    route_id: int
    tags_id: int
    error_id: int | None
    unknown_model_id: int | None
    source: int
    signals: int | None
    quality: float | None
    cost_nano_usd: int | None
    input_tokens: int | None
    output_tokens: int | None
    latency_ms: float | None

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


COLUMNS = tuple(column for each in SUMS for column in each.columns)
"""The columns of ``versioning.models.rollups.Sums``, in the order of ``values`` below."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of sum is made of values, added up, and taken out of another again."""

    of: Callable[[list[Any]], Any]
    total: Callable[[tuple[Any, ...]], Any]
    minus: Callable[[Any, Any], Any]
    read: Callable[..., Any] = lambda value: value
    write: Callable[[Any], tuple[Any, ...]] = lambda value: (value,)


_KINDS: Mapping[Kept, _Kind] = {
    Kept.COUNT: _Kind(of=len, total=sum, minus=lambda whole, part: max(0, whole - part)),
    Kept.TOTAL: _Kind(of=sum, total=sum, minus=lambda whole, part: max(0, whole - part)),
    Kept.COUNTS: _Kind(
        of=Counter,
        total=lambda parts: sum(map(Counter, parts), Counter()),
        minus=lambda whole, part: Counter(whole) - Counter(part),
        write=lambda counts: (dict(counts),),
    ),
    Kept.MOMENTS: _Kind(
        of=Moments.of,
        total=Moments.total,
        minus=lambda whole, part: _minus(whole, part),
        read=Moments,
        write=lambda moments: moments.as_tuple()[:3],
    ),
    Kept.MOMENTS_BY_NAME: _Kind(
        of=lambda _: {},
        total=lambda parts: _merged(parts),
        minus=lambda whole, part: _without(whole, part),
        read=lambda kept: {name: Moments(*moments) for name, moments in kept.items()},
        write=lambda named: ({name: each.as_tuple()[:3] for name, each in named.items()},),
    ),
    Kept.SKETCH: _Kind(
        of=Sketch.of,
        total=lambda parts: reduce(Sketch.merge, parts, Sketch()),
        minus=Sketch.minus,
        read=lambda kept: Sketch.from_bytes(bytes(kept)) if kept else Sketch(),
        write=lambda sketch: (sketch.to_bytes() if sketch.n else b"",),
    ),
    Kept.RATE: _Kind(
        of=lambda values: Rate(len(values), sum(values)),
        total=lambda parts: Rate(*map(sum, zip(*parts, strict=True))),
        minus=lambda whole, part: Rate(*(max(0, a - b) for a, b in zip(whole, part, strict=True))),
        read=Rate,
        write=tuple,
    ),
}
_SUMS = tuple((each, _KINDS[each.kept]) for each in SUMS)
_NAMES, _EMPTY = [each.name for each in SUMS], [kind.of([]) for _, kind in _SUMS]
# Where each sum's columns begin and end in a row: reckoned once, since comparing reads many rows.
_ENDS = pairwise(accumulate((len(each.columns) for each in SUMS), initial=0))
_READERS = tuple((kind.read, *ends) for (_, kind), ends in zip(_SUMS, _ENDS, strict=True))


class SampleSums(_record("SampleSums", _NAMES, defaults=_EMPTY)):  # type: ignore[misc]
    """All that is kept of a set of samples; adding up gives the same in any order.

    Latency in ms and output length hold the successful requests, cost (billionths of a USD)
    those where it is known, quality those with a score. What stands here is what code asks for
    by name; the other figures follow.
    """

    __slots__ = ()

    samples: int
    errors: int
    errors_by_class: Mapping[str, int]
    served_otherwise: int
    quality: Moments
    retracted: Moments
    components: Mapping[str, Moments]
    retracted_components: Mapping[str, Moments]
    latency: Moments
    latency_sketch: Sketch
    cost: Moments
    output: Moments
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int

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

    @property
    def settled(self) -> "SampleSums":
        """The same with corrections taken out instead of kept apart."""
        settled: SampleSums = self._replace(
            quality=self.scores,
            retracted=Moments(),
            components=self.component_scores,
            retracted_components={},
        )
        return settled

    @classmethod
    def of_rows(cls, rows: Sequence[SampleRow], *, terms: Terms) -> "SampleSums":
        """Return the sums of rows that belong to one cell."""
        columns = dict(zip(SampleRow._fields, zip(*rows, strict=True), strict=True))
        failed = [key for key in columns["error_id"] if key is not None]
        answered = columns
        if failed:
            good = zip(*(row for row in rows if row.error_id is None), strict=True)
            answered = dict(zip(SampleRow._fields, good, strict=False))
        made = {
            each.name: kind.of(_known((answered if each.answered else columns).get(each.of, ())))
            for each, kind in _SUMS
            if each.of
        }
        classes = Counter(failed)
        quality = made["quality"]
        return cls(
            samples=len(rows),
            errors=len(failed),
            errors_by_class={terms.error_texts[key]: n for key, n in classes.items()},
            served_otherwise=sum((row.version_id, row.route_id) in terms.foreign for row in rows)
            if terms.foreign
            else 0,
            components=_components(rows)
            if any(columns["signals"])
            else {QUALITY: quality}
            if quality.n
            else {},
            **made,
        )

    @classmethod
    def from_values(cls, values: Sequence[Any]) -> "SampleSums":
        """Read what ``values`` wrote, as the database gives it back."""
        return cls(*(read(*values[first:end]) for read, first, end in _READERS))

    @property
    def values(self) -> tuple[Any, ...]:
        """What the columns hold, in the order of COLUMNS."""
        both = zip(_SUMS, self, strict=True)
        return tuple(value for (_, kind), kept in both for value in kind.write(kept))

    @classmethod
    def total(cls, parts: Iterable["SampleSums"]) -> "SampleSums":
        """Return the sums of all parts together."""
        every = list(parts)
        if len(every) < 2:
            return every[0] if every else cls()
        together = zip(_SUMS, zip(*every, strict=True), strict=True)
        return cls(*(kind.total(kept) for (_, kind), kept in together))

    def minus(self, part: "SampleSums") -> "SampleSums":
        """Return the sums without ``part``, which is among them."""
        both = zip(_SUMS, self.settled, part.settled, strict=True)
        return SampleSums(*(kind.minus(whole, out) for (_, kind), whole, out in both))


def sums_by_cell(rows: Iterable[SampleRow], *, terms: Terms) -> dict[Cell, SampleSums]:
    """Return the sums of each version, task, slice, source and hour among the rows.

    Rows without a version (nobody tracks the model yet) have no cell.
    """
    groups: defaultdict[tuple[int, int, int, int, int], list[SampleRow]] = defaultdict(list)
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


def _components(rows: Sequence[SampleRow]) -> dict[str, Moments]:
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


def _minus(whole: Moments, part: Moments) -> Moments:
    return whole.unmerge(part) if part.n <= whole.n else Moments()


def _known(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]
