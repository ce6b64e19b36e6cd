"""Scores that come after their samples, or before them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import InterfaceError, OperationalError
from django.db.models import Exists, OuterRef

from versioning.domain.signals import Scored, components
from versioning.models import PendingScore, PerformanceSample, Word
from versioning.services import locks
from versioning.services.errors import Busy
from versioning.services.samples import rollups, store, vocabulary
from versioning.services.samples.batch import hasher
from versioning.services.samples.incoming import Rejected, ScoreIn
from versioning.services.samples.late_report import LateReport
from versioning.services.samples.rollup_sums import Cell, SampleSums, hour_of, rescored
from versioning.services.transactions import one_transaction

_NEEDED = (
    *("pk", "request_hash", "version_id", "quality", "signals", "latency_ms", "error_id"),
    *("at", "task_id", "tags_id", "source", "counted_out"),
)
_KEPT = ("quality", "signals", "latency_budget_ms")
MOST_SWEPT = 5_000


@dataclass(frozen=True, slots=True)
class ScoresAccepted:
    """What became of a batch of scores; ``pending`` ones wait for their sample."""

    accepted: int
    pending: int
    rejected: tuple[Rejected, ...]


def attach(
    items: Sequence[ScoreIn | Rejected], *, api_key_id: int | None, now: datetime
) -> ScoresAccepted:
    """Complete samples of this key by what is told of their request ids; correct the roll-ups.

    Signals complete those that are known, and of the same one the last counts. What is told of a
    request whose sample hasn't come is kept and put on it when it does. All in one transaction;
    raises Busy when the database can't take it now.
    """
    request_hash = hasher(api_key_id)
    rejected = [item for item in items if isinstance(item, Rejected)]
    told: dict[int, LateReport] = {}
    usable = 0
    for index, item in enumerate(items):
        if isinstance(item, Rejected):
            continue
        later = LateReport.of(item)
        if later is None:
            rejected.append(Rejected(index, "no-score", "Give quality, or signals that make one."))
            continue
        key = request_hash(item.request_id)
        told[key] = told[key].and_then(later) if key in told else later
        usable += 1
    try:
        waiting = _store(told, now=now)
    except (OperationalError, InterfaceError) as error:
        raise Busy("The database can't take scores now; send them again.") from error
    return ScoresAccepted(
        accepted=usable - len(waiting),
        pending=len(waiting),
        rejected=tuple(sorted(rejected, key=lambda item: item.index)),
    )


@one_transaction
def _store(told: Mapping[int, LateReport], *, now: datetime) -> dict[int, LateReport]:
    """Complete the samples that are there; keep and return what is told of the others."""
    # Before the samples, as ``locks`` has it, though it is written after them.
    locks.take(PendingScore.objects.filter(request_hash__in=told))
    found = _put_on_samples(told)
    waiting = {key: later for key, later in told.items() if key not in found}
    _keep(waiting, now=now)
    return waiting


@one_transaction
def sweep_pending() -> int:
    """Put what waits on samples that came in the same moment; return how many samples.

    A score and its sample, stored by two transactions at once, don't see each other.
    """
    sample = PerformanceSample.objects.filter(request_hash=OuterRef("request_hash"))
    waiting = PendingScore.objects.filter(Exists(sample))
    with rollups.folding():
        rows = list(locks.hold(waiting).values_list("pk", "request_hash", *_KEPT)[:MOST_SWEPT])
        found = _put_on_samples(_together((key, LateReport(*kept)) for _, key, *kept in rows))
        swept = [pk for pk, key, *_ in rows if key in found]
        PendingScore.objects.filter(pk__in=swept).delete()
    return len(found)


def _together(told: Iterable[tuple[int, LateReport]]) -> dict[int, LateReport]:
    """Return what was told of each request, the oldest first, as one."""
    found: dict[int, LateReport] = {}
    for key, later in told:
        found[key] = found[key].and_then(later) if key in found else later
    return found


def _put_on_samples(told: Mapping[int, LateReport]) -> set[int]:
    """Complete the samples that are there, with the corrections of their sums; return which."""
    if not told:
        return set()
    rows = locks.hold(PerformanceSample.objects.filter(request_hash__in=told))
    samples = [_Sample(*values) for values in rows.values_list(*_NEEDED)]
    changed = [
        (sample, after)
        for sample in samples
        if (after := sample.with_(told[sample.request_hash])) != sample.scored
    ]
    slices = _slices(sample.tags_id for sample, _ in changed)
    parts: dict[Cell, list[SampleSums]] = {}
    for sample, after in changed:
        for source in sample.sources:
            cell = Cell(
                sample.version_id or 0, sample.task_id, slices[sample.tags_id], source, sample.hour
            )
            parts.setdefault(cell, []).append(sample.correction(after))
    PerformanceSample.objects.bulk_update(
        [PerformanceSample(pk=sample.pk, **after._asdict()) for sample, after in changed],
        ["quality", "signals"],
        batch_size=200,
    )
    store.append_parts({cell: SampleSums.total(sums) for cell, sums in parts.items()})
    return {sample.request_hash for sample in samples}


class _Sample(NamedTuple):
    """What of a sample is needed to complete it."""

    pk: int
    request_hash: int
    version_id: int | None
    quality: float | None
    signals: int | None
    latency_ms: float | None
    error_id: int | None
    at: datetime
    task_id: int
    tags_id: int
    source: int
    counted_out: bool

    @property
    def scored(self) -> Scored:
        return Scored(self.quality, self.signals)

    @property
    def hour(self) -> int:
        return hour_of(self.at)

    @property
    def sources(self) -> tuple[int, ...]:
        """Of which sums it is a part; of none while nobody tracks its model."""
        if self.version_id is None:
            return ()
        return (self.source, PerformanceSample.Source.COUNTED_OUT)[: 1 + self.counted_out]

    def with_(self, later: LateReport) -> Scored:
        return later.on(self.scored, latency_ms=self.latency_ms, failed=self.error_id is not None)

    def correction(self, after: Scored) -> SampleSums:
        failed = self.error_id is not None
        return rescored(
            old=self.quality,
            new=after.quality,
            old_components=components(self.scored, failed=failed),
            new_components=components(after, failed=failed),
        )


def _slices(tags: Iterable[int]) -> dict[int, int]:
    texts = dict(Word.objects.filter(pk__in=set(tags)).values_list("text", "pk"))
    return vocabulary.slices_of(texts, declared=vocabulary.declared_tags())


def _keep(told: Mapping[int, LateReport], *, now: datetime) -> None:
    """Keep what is told of requests not seen yet, as one row with what waits of them already.

    Of two transactions at once neither sees the other's row: then there are two.
    """
    rows = locks.hold(PendingScore.objects.filter(request_hash__in=told))
    earlier = list(rows.values_list("pk", "request_hash", *_KEPT))
    together = _together(
        [*((key, LateReport(*kept)) for _, key, *kept in earlier), *sorted(told.items(), key=_key)]
    )
    PendingScore.objects.filter(pk__in=[pk for pk, *_ in earlier]).delete()
    PendingScore.objects.bulk_create(
        [
            PendingScore(
                request_hash=key,
                quality=later.quality,
                signals=later.signals,
                latency_budget_ms=later.latency_budget_ms,
                received_at=now,
            )
            for key, later in together.items()
        ]
    )


def _key(item: tuple[int, LateReport]) -> int:
    return item[0]
