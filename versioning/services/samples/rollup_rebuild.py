"""Roll-ups made anew from the single samples, or held against them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isclose

from django.db import connection, transaction

from versioning.domain.figure_kinds import Kept
from versioning.domain.figures import SUMS
from versioning.domain.statistics.summaries import Moments
from versioning.models import ModelVersion, PerformanceSample, Rollup, RollupPart, Route, Word
from versioning.models.fields import from_ms
from versioning.services.samples import retention, rollups, vocabulary
from versioning.services.samples.batch import foreign_pairs
from versioning.services.samples.placement import KnownVersion
from versioning.services.samples.provider_names import provider_words
from versioning.services.samples.rollup_sums import (
    DAY_MS,
    Cell,
    SampleRow,
    SampleSums,
    Terms,
    sums_by_cell,
)
from versioning.services.samples.rollups import PeriodSums

AT_ONCE = 20_000
COUNTED_OUT = PerformanceSample.Source.COUNTED_OUT
_KNOWN_THEN = "served_otherwise"
"""Isn't compared: it is what was known of the version's ids at the time."""

Sums = dict[Cell, SampleSums]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One figure of one period that isn't what the samples give."""

    cell: Cell
    figure: str
    kept: object
    recomputed: object

    @property
    def sentence(self) -> str:
        cell = self.cell
        return (
            f"version {cell.version_id}, task {cell.task_id}, source {cell.source}, "
            f"from {from_ms(cell.start):%F %H:%M}: {self.figure} is {self.kept}, "
            f"the samples give {self.recomputed}"
        )


@dataclass(frozen=True, slots=True)
class VerifiedRollups:
    """What a comparison with the samples found."""

    samples: int
    periods: int
    differences: tuple[Mismatch, ...]
    sliced_otherwise: int
    """Periods whose samples stand in other slices than today's declared tags would give."""


def verify() -> VerifiedRollups:
    """Compare all roll-ups with a recomputation, as far back as samples are complete.

    Counts must be equal, moments to 1e-9. Reads every sample once; on SQLite writers wait
    meanwhile.
    """
    with _snapshot():
        first = retention.complete_from()
        given = _recomputed(first=first)
        kept, days = _kept(first=first)
    left, right = (_by_period(sums, days=days) for sums in (kept, given))
    whole = [_without_slices(sums) for sums in (left, right)]
    cells = sorted(whole[0].keys() | whole[1].keys())
    nothing = SampleSums()
    differences = [
        difference
        for cell in cells
        for difference in _differences(
            cell, whole[0].get(cell, nothing), whole[1].get(cell, nothing)
        )
    ]
    return VerifiedRollups(
        samples=sum(sums.samples for sums in given.values()),
        periods=len(cells),
        differences=tuple(differences),
        sliced_otherwise=sum(
            left.get(cell, nothing).samples != right.get(cell, nothing).samples
            for cell in left.keys() | right.keys()
        ),
    )


def rebuild() -> int:
    """Replace roll-ups by what the samples give; return how many hours were made.

    What lies before the time from which samples are complete stays as it is. Tags declared
    since then are sliced for all of it. One transaction: readers see the old until it is done.
    """
    with _snapshot():
        first = retention.complete_from()
        given = _recomputed(first=first)
        for table in (Rollup, RollupPart):
            table._default_manager.filter(start__gte=from_ms(first)).delete()
        rollups.add_up(Rollup.Span.HOUR, (PeriodSums(cell, sums) for cell, sums in given.items()))
    return len(given)


@contextmanager
def _snapshot() -> Iterator[None]:
    """See samples, parts and roll-ups as of one moment, while nobody folds."""
    if connection.vendor != "postgresql":
        with rollups.folding():
            yield
        return
    # The lock comes first and outlives the transaction: one that waited for the lock inside
    # would see the moment before the wait.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [rollups.LOCK])
        try:
            with transaction.atomic():
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [rollups.LOCK])


def _recomputed(*, first: int) -> Sums:
    """Return the sums of all samples from a moment on, by hour."""
    terms = Meaning()
    sums: Sums = {}
    for rows, counted_out in _samples(first=first):
        rows += [row._replace(source=COUNTED_OUT) for row in counted_out]
        for cell, part in sums_by_cell(rows, terms=terms.of(rows)).items():
            sums[cell] = SampleSums.total([sums[cell], part]) if cell in sums else part
    return sums


def _samples(*, first: int) -> Iterator[tuple[list[SampleRow], list[SampleRow]]]:
    """Yield the samples some at a time, and those of them that comparisons count out."""
    columns = ", ".join(SampleRow._fields)
    query = (
        f"SELECT id, counted_out, {columns} FROM {PerformanceSample._meta.db_table}"  # noqa: S608
        " WHERE id > %s AND at >= %s AND version_id IS NOT NULL ORDER BY id LIMIT %s"
    )
    last = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(query, [last, first, AT_ONCE])
            found = cursor.fetchall()
            if not found:
                return
            last = found[-1][0]
            rows = [SampleRow(*values[2:]) for values in found]
            yield rows, [row for row, values in zip(rows, found, strict=True) if values[1]]


class Meaning:
    """What the numbers in samples mean, read once: of all, or of some rows only."""

    def __init__(self, rows: Collection[SampleRow] | None = None) -> None:
        words, routes = Word.objects.all(), Route.objects.all()
        versions = ModelVersion.objects.all()
        if rows is not None:
            told = [number for row in rows for number in (row.tags_id, row.error_id)]
            words = words.filter(pk__in={number for number in told if number is not None})
            routes = routes.filter(pk__in={row.route_id for row in rows})
            served_by = (row.version_id for row in rows)
            versions = versions.filter(pk__in={number for number in served_by if number})
        texts = dict(words.filter(kind=Word.Kind.TAGS).values_list("text", "pk"))
        self.slices = vocabulary.slices_of(texts, declared=vocabulary.declared_tags())
        self.errors = dict(words.filter(kind=Word.Kind.ERROR).values_list("pk", "text"))
        self.served = dict(routes.values_list("pk", "served"))
        self.versions = {
            pk: KnownVersion(pk, upstream_id, revision, provider_words=provider_words(slug, kind))
            for pk, upstream_id, revision, slug, kind in versions.values_list(
                "pk",
                "upstream_id",
                "revision",
                "tracked_model__provider__slug",
                "tracked_model__provider__kind",
            )
        }

    def of(self, rows: Iterable[SampleRow]) -> Terms:
        pairs = {(row.version_id, row.route_id) for row in rows}
        return Terms(
            slice_of_tags=self.slices,
            error_texts=self.errors,
            foreign=foreign_pairs(pairs, versions=self.versions, served=self.served),
        )


def _kept(*, first: int) -> tuple[Sums, frozenset[tuple[Cell, int]]]:
    """Return what roll-ups and parts hold, and which days are folded already."""
    entries = rollups.read_from(start=from_ms(first))
    groups: defaultdict[Cell, list[SampleSums]] = defaultdict(list)
    for entry in entries:
        groups[entry.cell].append(entry.sums)
    days = Rollup.objects.filter(span=Rollup.Span.DAY, start__gte=from_ms(first))
    folded = frozenset(
        (_whole(entry.cell), entry.cell.start // DAY_MS) for entry in rollups.entries_of(days)
    )
    return {cell: SampleSums.total(parts) for cell, parts in groups.items()}, folded


def _whole(cell: Cell) -> Cell:
    """Return the cell without slice and time."""
    return cell._replace(slice_id=0, start=0)


def _by_period(sums: Mapping[Cell, SampleSums], *, days: frozenset[tuple[Cell, int]]) -> Sums:
    """Return hours as they are, but days where a day is folded already."""
    groups: defaultdict[Cell, list[SampleSums]] = defaultdict(list)
    for cell, part in sums.items():
        day = cell.start // DAY_MS
        start = day * DAY_MS if (_whole(cell), day) in days else cell.start
        groups[cell._replace(start=start)].append(part)
    return {cell: SampleSums.total(parts) for cell, parts in groups.items()}


def _without_slices(sums: Mapping[Cell, SampleSums]) -> Sums:
    groups: defaultdict[Cell, list[SampleSums]] = defaultdict(list)
    for cell, part in sums.items():
        groups[cell._replace(slice_id=0)].append(part)
    return {cell: SampleSums.total(parts) for cell, parts in groups.items()}


def _differences(cell: Cell, kept: SampleSums, given: SampleSums) -> Iterator[Mismatch]:
    for each, old, new in zip(SUMS, kept.settled, given.settled, strict=True):
        if each.kept is Kept.MOMENTS:
            yield from _unequal(cell, each.name, old, new)
        elif each.kept is Kept.MOMENTS_BY_NAME:
            for name in sorted(old.keys() | new.keys()):
                yield from _unequal(cell, name, old.get(name, Moments()), new.get(name, Moments()))
        elif each.name != _KNOWN_THEN and old != new:
            yield Mismatch(cell, each.name, old, new)


def _unequal(cell: Cell, name: str, old: Moments, new: Moments) -> Iterator[Mismatch]:
    if not same_moments(old, new):
        yield Mismatch(cell, name, old.as_tuple()[:3], new.as_tuple()[:3])


def same_moments(one: Moments, other: Moments) -> bool:
    """Whether two sums agree: n exactly, mean and M2 to 1e-9.

    The error of M2 grows with n mean^2 and not with M2 (equal values have M2 = 0), so a
    millionth of a millionth of that is let pass as well.
    """
    if one.n != other.n:
        return False
    size = abs(one.mean) + abs(other.mean)
    return isclose(one.mean, other.mean, rel_tol=1e-9, abs_tol=1e-12) and isclose(
        one.m2, other.m2, rel_tol=1e-9, abs_tol=1e-12 * (1 + one.n * size * size)
    )
