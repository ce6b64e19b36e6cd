"""Scores that come after their samples, or before them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef

from versioning.models import PendingScore, PerformanceSample, Word
from versioning.services.errors import Busy
from versioning.services.samples import rollups, sample_store, sample_words
from versioning.services.samples.rollup_sums import Cell, SampleSums, hour_of, rescored
from versioning.services.samples.sample_batch import hasher, quality_of
from versioning.services.samples.sample_format import Rejected, ScoreIn

_NEEDED = (
    *("pk", "request_hash", "version_id", "quality", "at", "task_id", "tags_id", "source"),
    "counted_out",
)
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
    """Give samples of this key the score of their request id, and correct the roll-ups.

    The last score of a request counts. One whose sample hasn't come is kept and put on it when
    it does. All in one transaction; raises Busy when the database can't take it now.
    """
    request_hash = hasher(api_key_id)
    rejected = [item for item in items if isinstance(item, Rejected)]
    scores: dict[int, float] = {}
    usable = 0
    for index, item in enumerate(items):
        if isinstance(item, Rejected):
            continue
        quality = _quality(item)
        if quality is None:
            rejected.append(Rejected(index, "no-score", "Give quality, or signals that make one."))
            continue
        scores[request_hash(item.request_id)] = quality
        usable += 1
    try:
        with transaction.atomic():
            found = _put_on_samples(scores)
            waiting = {key: score for key, score in scores.items() if key not in found}
            _keep(waiting, now=now)
    except (OperationalError, InterfaceError) as error:
        raise Busy("The database can't take scores now; send them again.") from error
    return ScoresAccepted(
        accepted=usable - len(waiting),
        pending=len(waiting),
        rejected=tuple(sorted(rejected, key=lambda item: item.index)),
    )


def sweep_pending() -> int:
    """Put waiting scores on samples that came in the same moment; return how many.

    A score and its sample, stored by two transactions at once, don't see each other.
    """
    sample = PerformanceSample.objects.filter(request_hash=OuterRef("request_hash"))
    waiting = PendingScore.objects.filter(Exists(sample))
    with rollups.folding():
        scores = dict(waiting.values_list("request_hash", "quality")[:MOST_SWEPT])
        found = _put_on_samples(scores)
        PendingScore.objects.filter(request_hash__in=found).delete()
    return len(found)


def _put_on_samples(scores: Mapping[int, float]) -> set[int]:
    """Set the quality of the samples that are there, with their correction; return which."""
    if not scores:
        return set()
    samples = list(
        PerformanceSample.objects.select_for_update()
        .filter(request_hash__in=scores)
        .order_by("request_hash")
        .values_list(*_NEEDED)
    )
    changed = [sample for sample in samples if sample[3] != scores[sample[1]]]
    slices = _slices(sample[6] for sample in changed)
    parts: dict[Cell, list[SampleSums]] = {}
    for _, request_hash, version, old, at, task, tags, source, counted_out in changed:
        if version is None:
            continue
        for each in (source, PerformanceSample.Source.COUNTED_OUT)[: 1 + counted_out]:
            cell = Cell(version, task, slices[tags], each, hour_of(at))
            parts.setdefault(cell, []).append(rescored(old=old, new=scores[request_hash]))
    PerformanceSample.objects.bulk_update(
        [PerformanceSample(pk=sample[0], quality=scores[sample[1]]) for sample in changed],
        ["quality"],
        batch_size=300,
    )
    sample_store.append_parts({cell: SampleSums.total(sums) for cell, sums in parts.items()})
    return {sample[1] for sample in samples}


def _slices(tags: Iterable[int]) -> dict[int, int]:
    texts = dict(Word.objects.filter(pk__in=set(tags)).values_list("text", "pk"))
    return sample_words.slices_of(texts, declared=sample_words.declared_tags())


def _keep(scores: Mapping[int, float], *, now: datetime) -> None:
    PendingScore.objects.bulk_create(
        [
            PendingScore(request_hash=key, quality=quality, received_at=now)
            for key, quality in sorted(scores.items())
        ],
        update_conflicts=True,
        unique_fields=["request_hash"],
        update_fields=["quality", "received_at"],
    )


def _quality(item: ScoreIn) -> float | None:
    if item.quality is not None or item.signals is None:
        return item.quality
    return quality_of(item.signals, latency_ms=None, failed=False)
