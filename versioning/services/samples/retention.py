"""Single samples go after a time; the figures that were made of them stay."""

from datetime import UTC, datetime

from django.db.models import Max, Min, QuerySet

from versioning.models import PendingScore, PerformanceSample, RequestUse, SamplesDropped
from versioning.models.fields import to_ms
from versioning.services import clock, locks, sample_settings, stopping
from versioning.services.transactions import one_transaction

STEP = 20_000
"""Ids looked at in one transaction: so no writer waits for long."""

PENDING_STEP = 1_000


def drop_old_samples(*, now: datetime, step: int = STEP) -> int:
    """Delete samples of days (UTC) older than the time they are kept; return how many went.

    Roll-ups aren't touched. One transaction for each ``step`` ids: it may be stopped at any
    moment, and the next run goes on. The table has no index by time, which every sample would
    pay for with 16 bytes; once a day all ids are walked instead.
    """
    kept_from = (now - sample_settings.retention()).astimezone(UTC)
    # Whole days: a day's sums can be made again from all of its samples, or not at all.
    kept_from = kept_from.replace(hour=0, minute=0, second=0, microsecond=0)
    _drop_pending(before=kept_from)
    RequestUse.objects.filter(day__lt=clock.utc_day(kept_from)).delete()
    ids = PerformanceSample.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if ids["first"] is None:
        return 0
    dropped = 0
    for start in range(ids["first"], ids["last"] + 1, step):
        if stopping.is_asked():
            break
        old = PerformanceSample.objects.filter(pk__gte=start, pk__lt=start + step, at__lt=kept_from)
        dropped += _drop(old, before=kept_from)
    return dropped


def complete_from() -> int:
    """Return the moment (ms since 1970) from which on all samples are still there."""
    noted = SamplesDropped.objects.aggregate(before=Max("before"))["before"]
    return 0 if noted is None else to_ms(noted)


@one_transaction
def _drop(old: QuerySet[PerformanceSample], *, before: datetime) -> int:
    locks.take(old)
    if not old.exists():
        return 0
    # Noted before anything is gone: nobody may rebuild those days any more.
    _note(before=before)
    return old.delete()[0]


def _note(*, before: datetime) -> None:
    if not SamplesDropped.objects.filter(before__gte=before).exists():
        SamplesDropped.objects.bulk_create([SamplesDropped(before=before)], ignore_conflicts=True)


def _drop_pending(*, before: datetime) -> None:
    """Drop the scores whose sample never came."""
    old = PendingScore.objects.filter(received_at__lt=before)
    stopping.in_parts(lambda: _drop_some_pending(old))


@one_transaction
def _drop_some_pending(old: QuerySet[PendingScore]) -> int:
    ids = list(locks.hold(old).values_list("pk", flat=True)[:PENDING_STEP])
    return PendingScore.objects.filter(pk__in=ids).delete()[0]
