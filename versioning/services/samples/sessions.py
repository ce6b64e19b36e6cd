"""Sessions that got both versions of a canary: their requests say nothing about either."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from versioning.models import PerformanceSample, Word
from versioning.models.fields import to_ms
from versioning.services import locks
from versioning.services.samples import store, vocabulary
from versioning.services.samples.rollup_sums import SampleRow, Terms, sums_by_cell
from versioning.services.transactions import one_transaction

# Samples of one transaction: their rows are locked, and late scores of them wait meanwhile.
STEP = 2_000
Source = PerformanceSample.Source


def count_out(*, from_version_id: int, to_version_id: int, since: datetime) -> int:
    """Count out the live samples since a moment of sessions that got both versions.

    Roll-ups keep counting them, since they were real requests; their sums are added once more
    as counted out, and comparisons take these away. Returns how many samples that were. In
    steps of one transaction each: to run it twice at once, or to break it off, does no harm.
    """
    total = 0
    while counted := _count_some(from_version_id, to_version_id, since=since):
        total += counted
    return total


@one_transaction
def _count_some(one: int, other: int, *, since: datetime) -> int:
    def of_sessions(*versions: int) -> QuerySet[PerformanceSample]:
        return PerformanceSample.objects.filter(
            version__in=versions,
            session_hash__isnull=False,
            at__gte=since,
            source__in=PerformanceSample.LIVE,
        )

    same = {"session_hash": OuterRef("session_hash")}
    mixed = (
        of_sessions(one, other)
        .filter(counted_out=False)
        .filter(Exists(of_sessions(one).filter(**same)))
        .filter(Exists(of_sessions(other).filter(**same)))
    )
    found = list(locks.hold(mixed).values_list("pk", *SampleRow._fields)[:STEP])
    rows = [
        SampleRow(to_ms(at), *rest)._replace(source=Source.COUNTED_OUT) for _, at, *rest in found
    ]
    PerformanceSample.objects.filter(pk__in=[pk for pk, *_ in found]).update(counted_out=True)
    store.append_parts(sums_by_cell(rows, terms=_terms(rows)))
    return len(found)


def _terms(rows: Sequence[SampleRow]) -> Terms:
    numbers = {row.tags_id for row in rows} | {row.error_id for row in rows if row.error_id}
    texts = dict(Word.objects.filter(pk__in=numbers).values_list("pk", "text"))
    tags = {texts[row.tags_id]: row.tags_id for row in rows}
    return Terms(
        slice_of_tags=vocabulary.slices_of(tags, declared=vocabulary.declared_tags()),
        error_texts=texts,
        foreign=frozenset(),
    )
