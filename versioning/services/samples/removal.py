"""Take back samples of requests that turned out to be another's: once, out of every sum."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from versioning.models import PerformanceSample, Tally, TracedSpan
from versioning.models.fields import to_ms
from versioning.services import tallies
from versioning.services.samples import request_uses, rollups, sightings
from versioning.services.samples.rollup_rebuild import Meaning
from versioning.services.samples.rollup_sums import SampleRow, sums_by_cell
from versioning.services.transactions import one_transaction

COUNTED_OUT = PerformanceSample.Source.COUNTED_OUT
TAKEN_BACK = "taken_back"
"""Result of samples that were accepted, and are gone since."""


def take_back(requests: Collection[int], *, now: datetime) -> int:
    """Remove the samples of requests, by their hashes, with their share of the sums
    and of whatever else was counted of them.

    One that another span stands for by now stays. Safe to repeat. Returns how many went.
    """
    return _take_back(requests, now=now) if requests else 0


@one_transaction
def _take_back(requests: Collection[int], *, now: datetime) -> int:
    with rollups.folding():
        spans = TracedSpan.objects.filter(request_hash__in=list(requests))
        others = set(spans.filter(counted=True).values_list("request_hash", flat=True))
        samples = PerformanceSample.objects.filter(request_hash__in=set(requests) - others)
        found = list(samples.values_list("pk", "counted_out", *SampleRow._fields))
        samples.filter(pk__in=[values[0] for values in found]).delete()
        rows = [_row(values[2:]) for values in found]
        meaning = Meaning(rows)
        terms = meaning.of(rows)
        twice = [_row(values[2:])._replace(source=COUNTED_OUT) for values in found if values[1]]
        rollups.take_out(sums_by_cell([*rows, *twice], terms=terms))
        sightings.take_out(rows, foreign=terms.foreign, served_by_route=meaning.served)
        request_uses.take_out(row.request_hash for row in rows if row.request_hash is not None)
        tallies.note_all(Tally.Kind.SAMPLE, {TAKEN_BACK: len(rows)}, now=now)
        # One whose sample isn't stored yet keeps its hash: whoever stores it looks for that.
        gone = others | {row.request_hash for row in rows}
        spans.filter(counted=False, request_hash__in=gone).update(request_hash=None)
    return len(found)


def _row(values: Sequence[Any]) -> SampleRow:
    at, *others = values
    return SampleRow(to_ms(at), *others)
