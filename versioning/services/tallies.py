"""Count what happens, in the transaction that makes it happen; see ``metrics`` for who reads it."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Count, Max, Sum

from versioning.models import Tally

FOLDED_AT_ONCE = 200


def note(
    kind: Tally.Kind, result: str, *, subject: str = "", seconds: float = 0.0, now: datetime
) -> None:
    """Append one time: no two writers wait for the same row."""
    Tally.objects.create(
        kind=kind, subject=subject, result=result, times=1, seconds=seconds, last_at=now
    )


def note_all(kind: Tally.Kind, results: Mapping[str, int], *, now: datetime) -> None:
    """Append how often each result came about at once."""
    Tally.objects.bulk_create(
        Tally(kind=kind, result=result, times=times, last_at=now)
        for result, times in sorted(results.items())
        if times
    )


def fold() -> int:
    """Make one row of the rows of each kind, subject and result; return how many went.

    The caller holds ``rollups.folding``.
    """
    key = ("kind", "subject", "result")
    many = Tally.objects.values(*key).annotate(rows=Count("pk")).filter(rows__gt=1)
    folded = 0
    for found in list(many.order_by(*key)[:FOLDED_AT_ONCE]):
        rows = Tally.objects.filter(**{name: found[name] for name in key})
        taken = list(rows.values_list("pk", flat=True))
        # By their own ids: another may be appended meanwhile.
        rows = Tally.objects.filter(pk__in=taken)
        total = rows.aggregate(times=Sum("times"), seconds=Sum("seconds"), last_at=Max("last_at"))
        rows.delete()
        Tally.objects.create(**{name: found[name] for name in key}, **total)
        folded += len(taken) - 1
    return folded
