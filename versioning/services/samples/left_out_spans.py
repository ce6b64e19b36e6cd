"""Spans that were left out, counted by day and reason."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Count

from versioning.models import LeftOutSpans
from versioning.services import clock

KEPT = timedelta(days=90)
# Pairs of day and reason in one transaction that folds; the next one takes the rest.
FOLDED_AT_ONCE = 200


def note(left_out: Mapping[str, int], *, now: datetime) -> None:
    """Append one export's counts: no two writers wait for the same row."""
    LeftOutSpans.objects.bulk_create(
        [
            LeftOutSpans(reason=reason, day=clock.utc_day(now), spans=count)
            for reason, count in sorted(left_out.items())
            if count
        ]
    )


def fold(*, now: datetime) -> int:
    """Make one row of the rows of each day and reason, drop old ones; return how many went.

    The caller holds ``rollups.folding``.
    """
    dropped = LeftOutSpans.objects.filter(day__lt=clock.utc_day(now - KEPT)).delete()[0]
    many = LeftOutSpans.objects.values_list("day", "reason").annotate(rows=Count("pk"))
    for day, reason, _ in list(many.filter(rows__gt=1)[:FOLDED_AT_ONCE]):
        taken = list(LeftOutSpans.objects.filter(day=day, reason=reason).values_list("pk", "spans"))
        LeftOutSpans.objects.filter(pk__in=[pk for pk, _ in taken]).delete()
        LeftOutSpans.objects.create(day=day, reason=reason, spans=sum(n for _, n in taken))
        dropped += len(taken) - 1
    return dropped
