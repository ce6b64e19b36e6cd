"""Take back samples of requests that turned out to be another's: once, out of every sum."""

from collections.abc import Collection, Sequence
from typing import Any

from versioning.models import PerformanceSample, TracedSpan
from versioning.models.fields import to_ms
from versioning.services.samples import rollups
from versioning.services.samples.rollup_rebuild import Meaning
from versioning.services.samples.rollup_sums import SampleRow, sums_by_cell
from versioning.services.transactions import one_transaction

COUNTED_OUT = PerformanceSample.Source.COUNTED_OUT


def take_back(requests: Collection[int]) -> int:
    """Remove the samples of requests, by their hashes, with their share of the sums.

    One that another span stands for by now stays. Safe to repeat. Returns how many went.
    """
    return _take_back(requests) if requests else 0


@one_transaction
def _take_back(requests: Collection[int]) -> int:
    with rollups.folding():
        spans = TracedSpan.objects.filter(request_hash__in=list(requests))
        others = set(spans.filter(counted=True).values_list("request_hash", flat=True))
        samples = PerformanceSample.objects.filter(request_hash__in=set(requests) - others)
        found = list(samples.values_list("pk", "counted_out", *SampleRow._fields))
        samples.filter(pk__in=[values[0] for values in found]).delete()
        rows = [_row(values[2:]) for values in found]
        rows += [_row(values[2:])._replace(source=COUNTED_OUT) for values in found if values[1]]
        rollups.take_out(sums_by_cell(rows, terms=Meaning(rows).of(rows)))
        # One whose sample isn't stored yet keeps its hash: whoever stores it looks for that.
        gone = others | {row.request_hash for row in rows}
        spans.filter(counted=False, request_hash__in=gone).update(request_hash=None)
    return len(found)


def _row(values: Sequence[Any]) -> SampleRow:
    at, *others = values
    return SampleRow(to_ms(at), *others)
