"""Roll-ups: parts folded into hours, hours into days, and read back without a gap."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, connection, transaction
from django.db.models import F, IntegerField, Max, Q, QuerySet, Value

from versioning.domain import dates
from versioning.domain.statistics.figures import counted
from versioning.domain.transitions import State
from versioning.models import Canary, Rollup, RollupPart, Sighting, Watch
from versioning.models.fields import from_ms, to_ms
from versioning.services import stopping, sweeps, tallies
from versioning.services.samples import left_out_spans, request_uses, sightings
from versioning.services.samples.rollup_sums import COLUMNS, DAY_MS, Cell, SampleSums
from versioning.services.transactions import one_transaction

logger = logging.getLogger(__name__)

# Parts of one transaction: SQLite's writers wait for it, PostgreSQL's other folders do.
AT_ONCE = 2_000
RUN_S = 240.0
"""So long one run adds up at most: what else comes every minute has its turn."""

HOURS_KEPT = timedelta(days=10)
"""Hours older than this, counted from the start of today in UTC, are folded into days."""

_ALL_COLUMNS = (*Cell._fields, *COLUMNS)
LOCK = 0x686F7473
"""Number of PostgreSQL's lock for whoever changes roll-ups."""


class Overtaken(Exception):  # noqa: N818  (no fault: read again)
    """Another has folded some of these parts since they were read."""


class SumsLeft(Exception):  # noqa: N818  (it says what is left, after the rest was done)
    """Some sums can't be added up; all others were."""


@dataclass(frozen=True, slots=True)
class PeriodSums:
    """The sums of one cell in one period; ``whole_day`` where its hours are no longer known."""

    cell: Cell
    sums: SampleSums
    whole_day: bool = False


def read(*, version_ids: Iterable[int], start: datetime | None = None) -> list[PeriodSums]:
    """Return what is known of the versions, all or from a moment on: roll-ups and parts.

    One statement reads both tables: so a part that is being folded counts exactly once.
    """
    since = Q() if start is None else Q(start__gte=start)
    return _read(Q(version__in=list(version_ids)) & since)


def read_since(starts: Mapping[int, datetime]) -> list[PeriodSums]:
    """Return what is known of versions by their ids, each from its own moment on, as ``read``."""
    versions: defaultdict[datetime, list[int]] = defaultdict(list)
    for version_id, start in starts.items():
        versions[start].append(version_id)
    wanted = Q(pk__in=())
    for start, ids in sorted(versions.items()):
        wanted |= Q(version__in=ids, start__gte=start)
    return _read(wanted) if versions else []


def latest(*, version_ids: Collection[int]) -> dict[int, datetime]:
    """Return when the latest known hour or day of each version began; nothing without samples."""
    found: dict[int, datetime] = {}
    for rows in (Rollup, RollupPart):
        some = rows.objects.filter(version__in=version_ids).order_by()
        for version_id, start in some.values_list("version").annotate(latest=Max("start")):
            found[version_id] = max(start, found.get(version_id, start))
    return found


def read_from(*, start: datetime) -> list[PeriodSums]:
    """Return all that is known of every version from a moment on; otherwise as ``read``."""
    return _read(Q(start__gte=start))


def _read(wanted: Q) -> list[PeriodSums]:
    hour = Value(Rollup.Span.HOUR.value, output_field=IntegerField())
    parts = RollupPart.objects.filter(wanted).annotate(period=hour)
    rollups = Rollup.objects.filter(wanted).annotate(period=F("span"))
    both = rollups.values_list(*_ALL_COLUMNS, "period").union(
        parts.values_list(*_ALL_COLUMNS, "period"), all=True
    )
    return [
        replace(_entry(values[:-1]), whole_day=values[-1] == Rollup.Span.DAY) for values in both
    ]


def entries_of(rows: QuerySet[Rollup]) -> list[PeriodSums]:
    """Return the entries of these roll-ups."""
    return [_entry(values) for values in rows.values_list(*_ALL_COLUMNS)]


def fold(*, now: datetime) -> int:
    """Add all parts and sightings to what they belong to; return how many there were.

    Safe to run twice at once: whoever comes second reads again, and finds the rest. Where samples
    come as fast as they are added up, the rest is the next run's. Raises SumsLeft, after all else
    is done, where some can't be added up.
    """
    folded = 0
    left: set[int] = set()
    until_s = monotonic() + RUN_S
    while not stopping.is_asked() and monotonic() < until_s:
        try:
            taken = _fold_some(without=left, now=now)
        except Overtaken:
            continue
        except (DatabaseError, SoftTimeLimitExceeded):
            raise
        except Exception:
            logger.exception("Some sums can't be added up: those that can are.")
            known = len(left)
            taken = _fold_apart(left)
            if not taken and len(left) == known:
                raise  # the fault is in none of the parts
        if not taken:
            break
        folded += taken
    if left:
        raise SumsLeft(f"{counted(len(left), 'part')} not to be added up, such as {min(left)}.")
    return folded


def fold_days(*, now: datetime) -> int:
    """Fold hours of past days into days, a day at a time; return how many hours went.

    A version keeps its hours from the day on which a canary or a watch that is under way with it
    began: what is counted since then is counted by the hour.
    """
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    old = Rollup.objects.filter(span=Rollup.Span.HOUR, start__lt=today - HOURS_KEPT)
    begun = _begun_courses()
    starts = old.values_list("start", flat=True).distinct()
    days = sorted({_day_of(to_ms(start)) for start in starts})
    folded: list[int] = []
    sweeps.each(
        days,
        lambda day: folded.append(
            _fold_day(
                old.filter(start__gte=from_ms(day), start__lt=from_ms(day + DAY_MS)).exclude(
                    version__in=[each for each, since in begun if _day_of(to_ms(since)) <= day]
                )
            )
        ),
        subject=lambda day: f"Sums of {dates.day(from_ms(day))}",
        now=now,
    )
    return sum(folded)


def since(moment: datetime) -> Q:
    """Return the roll-ups of what came since the hour in which a moment lies.

    A day that is folded already counts whole, if it ends after that: so a count is never too
    low, and too high by less than a day. ``fold_days`` keeps what must be counted exactly.
    """
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return Q(span=Rollup.Span.HOUR, start__gte=hour) | Q(
        span=Rollup.Span.DAY, start__gte=hour.replace(hour=0)
    )


@contextmanager
def folding() -> Iterator[None]:
    """Hold the one transaction at a time that may change roll-ups."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # SQLite's transactions take the only write lock when they begin.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        yield


def add_up(span: Rollup.Span, entries: Iterable[PeriodSums]) -> None:
    """Add entries to the roll-ups of their hour or day; the caller holds ``folding``."""
    groups = _by_cell(entries, span=span)
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


def take_out(gone: Mapping[Cell, SampleSums]) -> None:
    """Take sums out of those they are among, parts or folded; the caller holds ``folding``."""
    if not gone:
        return
    versions = {cell.version_id for cell in gone}
    parts = RollupPart.objects.filter(version__in=versions).order_by("pk")
    # Folded first: what goes may lie in a part, and a sum can't be taken from two halves.
    _fold_parts(list(parts.values_list("pk", *_ALL_COLUMNS)))
    for cell, sums in gone.items():
        # An hour may have become part of its day; it never stands in both.
        for span, start in ((Rollup.Span.HOUR, cell.start), (Rollup.Span.DAY, _day_of(cell.start))):
            key = cell._asdict() | {"start": from_ms(start)}
            row = Rollup.objects.filter(span=span, **key)
            kept = row.values_list(*_ALL_COLUMNS).first()
            if kept is None:
                continue
            left = _entry(kept).sums.minus(sums)
            if left.samples:
                row.update(**dict(zip(COLUMNS, left.values, strict=True)))
            else:
                row.delete()
            break


def _fold_some(*, without: Collection[int], now: datetime) -> int:
    taken = RollupPart.objects.exclude(pk__in=without).order_by("pk")
    parts = list(taken.values_list("pk", *_ALL_COLUMNS)[:AT_ONCE])
    # Added up before the lock is held: that is most of the work, and a part never changes.
    return _fold_read([part[0] for part in parts], _together(parts), now=now)


@one_transaction
def _fold_read(ids: Sequence[int], sums: Sequence[PeriodSums], *, now: datetime) -> int:
    with folding():
        add_up(Rollup.Span.HOUR, sums)
        if _drop(ids) < len(ids):
            raise Overtaken
        # In the same transaction as the deletion below: what is counted is gone, or neither is.
        seen = list(Sighting.objects.order_by("pk")[:AT_ONCE])
        sightings.fold(seen)
        used = request_uses.fold(now=now) + left_out_spans.fold(now=now) + tallies.fold()
        Sighting.objects.filter(pk__in=[sighting.pk for sighting in seen]).delete()
    return len(ids) + len(seen) + used


def _fold_apart(left: set[int]) -> int:
    """Fold some parts one by one; return how many, and put aside those that can't be."""
    # Dear, but only after a fault: so a bad part holds back itself alone.
    taken = RollupPart.objects.exclude(pk__in=left).order_by("pk")
    folded = 0
    for pk in list(taken.values_list("pk", flat=True)[:AT_ONCE]):
        try:
            folded += _fold_one(pk)
        except (DatabaseError, SoftTimeLimitExceeded):
            raise
        except Exception:
            left.add(pk)
    return folded


@one_transaction
def _fold_one(pk: int) -> int:
    with folding():
        parts = list(RollupPart.objects.filter(pk=pk).values_list("pk", *_ALL_COLUMNS))
        _fold_parts(parts)
    return len(parts)


def _fold_parts(parts: Sequence[Sequence[Any]]) -> None:
    add_up(Rollup.Span.HOUR, _together(parts))
    _drop([part[0] for part in parts])


def _together(parts: Iterable[Sequence[Any]]) -> list[PeriodSums]:
    """Return one entry for each cell of the parts."""
    groups = _by_cell((_entry(part[1:]) for part in parts), span=Rollup.Span.HOUR)
    return [PeriodSums(cell, SampleSums.total(sums)) for cell, sums in groups.items()]


def _by_cell(entries: Iterable[PeriodSums], *, span: Rollup.Span) -> dict[Cell, list[SampleSums]]:
    groups: defaultdict[Cell, list[SampleSums]] = defaultdict(list)
    for entry in entries:
        start = _day_of(entry.cell.start) if span is Rollup.Span.DAY else entry.cell.start
        groups[entry.cell._replace(start=start)].append(entry.sums)
    return groups


def _drop(ids: Sequence[int]) -> int:
    # By their own ids: a lower id may be committed later than a higher one.
    return RollupPart.objects.filter(pk__in=ids).delete()[0]


def _begun_courses() -> list[tuple[int, datetime]]:
    """Return the versions of canaries and watches under way, each with when that began."""
    canaries = Canary.objects.filter(record__state=State.CANARY.value)
    begun = [
        *canaries.values_list("record__from_version", "record__to_version", "began_at"),
        *Watch.objects.open().values_list("record__from_version", "record__to_version", "began_at"),
    ]
    return [
        (version_id, began_at)
        for *versions, began_at in begun
        for version_id in versions
        if version_id is not None
    ]


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


def _entry(values: Sequence[Any]) -> PeriodSums:
    version, task, part, source, start = values[:5]
    cell = Cell(version, task, part, source, to_ms(start))
    return PeriodSums(cell=cell, sums=SampleSums.from_values(values[5:]))


def _day_of(start: int) -> int:
    return start - start % DAY_MS
