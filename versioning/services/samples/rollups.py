"""Roll-ups: parts folded into hours, hours into days, and read back without a gap."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from versioning.models import Rollup, RollupPart, Sighting
from versioning.models.fields import from_ms, to_ms
from versioning.services.samples import left_out, request_uses, sightings
from versioning.services.samples.rollup_sums import COLUMNS, DAY_MS, Cell, SampleSums
from versioning.services.transactions import one_transaction

AT_ONCE = 2_000
HOURS_KEPT = timedelta(days=10)
"""Hours older than this, counted from the start of today in UTC, are folded into days."""

_ALL_COLUMNS = (*Cell._fields, *COLUMNS)
LOCK = 0x686F7473
"""Number of PostgreSQL's lock for whoever changes roll-ups."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The sums of one cell in one period."""

    cell: Cell
    sums: SampleSums


def read(*, version_ids: Iterable[int]) -> list[Entry]:
    """Return all that is known of the versions: roll-ups and parts not folded yet.

    One statement reads both tables: so a part that is being folded counts exactly once.
    """
    return _read(version__in=list(version_ids))


def read_from(*, start: datetime) -> list[Entry]:
    """Return all that is known of every version from a moment on; otherwise as ``read``."""
    return _read(start__gte=start)


def _read(**lookup: Any) -> list[Entry]:
    parts = RollupPart.objects.filter(**lookup).values_list(*_ALL_COLUMNS)
    rollups = Rollup.objects.filter(**lookup).values_list(*_ALL_COLUMNS)
    return [_entry(values) for values in rollups.union(parts, all=True)]


def entries_of(rows: QuerySet[Rollup]) -> list[Entry]:
    """Return the entries of these roll-ups."""
    return [_entry(values) for values in rows.values_list(*_ALL_COLUMNS)]


def fold(*, now: datetime) -> int:
    """Add all parts and sightings to what they belong to; return how many there were.

    Safe to run twice at once: whoever comes second waits, and finds the rest.
    """
    folded = 0
    while taken := _fold_some(now=now):
        folded += taken
    return folded


def fold_days(*, now: datetime) -> int:
    """Fold hours of past days into days, a day at a time; return how many hours went."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    old = Rollup.objects.filter(span=Rollup.Span.HOUR, start__lt=today - HOURS_KEPT)
    folded = 0
    while first := old.order_by("start").first():
        folded += _fold_day(old.filter(start__lt=from_ms(_day_of(to_ms(first.start)) + DAY_MS)))
    return folded


@contextmanager
def folding() -> Iterator[None]:
    """Hold the one transaction at a time that may change roll-ups."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # SQLite's transactions take the only write lock when they begin.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        yield


def add_up(span: Rollup.Span, entries: Iterable[Entry]) -> None:
    """Add entries to the roll-ups of their hour or day; the caller holds ``folding``."""
    groups: defaultdict[Cell, list[SampleSums]] = defaultdict(list)
    for entry in entries:
        start = _day_of(entry.cell.start) if span is Rollup.Span.DAY else entry.cell.start
        groups[entry.cell._replace(start=start)].append(entry.sums)
    if not groups:
        return
    known = Rollup.objects.filter(
        span=span,
        version__in={cell.version_id for cell in groups},
        start__in={from_ms(cell.start) for cell in groups},
    )
    for entry in map(_entry, known.values_list(*_ALL_COLUMNS)):
        if entry.cell in groups:
            groups[entry.cell].append(entry.sums)
    Rollup.objects.bulk_create(
        [_rollup(cell, SampleSums.total(parts), span=span) for cell, parts in groups.items()],
        update_conflicts=True,
        unique_fields=["version", "task", "source", "slice", "span", "start"],
        update_fields=COLUMNS,
        batch_size=500,
    )


@one_transaction
def _fold_some(*, now: datetime) -> int:
    with folding():
        parts = list(RollupPart.objects.order_by("pk").values_list("pk", *_ALL_COLUMNS)[:AT_ONCE])
        add_up(Rollup.Span.HOUR, (_entry(part[1:]) for part in parts))
        # By their own ids: a lower id may be committed later than a higher one.
        RollupPart.objects.filter(pk__in=[part[0] for part in parts]).delete()
        seen = list(Sighting.objects.order_by("pk")[:AT_ONCE])
        sightings.fold(seen)
        used = request_uses.fold() + left_out.fold(now=now)
        Sighting.objects.filter(pk__in=[sighting.pk for sighting in seen]).delete()
    return len(parts) + len(seen) + used


@one_transaction
def _fold_day(hours: QuerySet[Rollup]) -> int:
    with folding():
        rows = list(hours.values_list("pk", *_ALL_COLUMNS))
        add_up(Rollup.Span.DAY, (_entry(row[1:]) for row in rows))
        Rollup.objects.filter(pk__in=[row[0] for row in rows]).delete()
    return len(rows)


def _rollup(cell: Cell, sums: SampleSums, *, span: Rollup.Span) -> Rollup:
    columns = dict(zip(COLUMNS, sums.values, strict=True))
    key = cell._asdict() | {"start": from_ms(cell.start)}
    return Rollup(**key, span=span, **columns)


def _entry(values: Sequence[Any]) -> Entry:
    version, task, part, source, start = values[:5]
    cell = Cell(version, task, part, source, to_ms(start))
    return Entry(cell=cell, sums=SampleSums.from_values(values[5:]))


def _day_of(start: int) -> int:
    return start - start % DAY_MS
