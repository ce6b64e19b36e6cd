"""Which of the moments that a list gives as `created` can be a release at all.

Servers put other things there: the time of asking, of their own start, or one day for everything
that they know no day of. The list itself tells which: no list of servers is needed.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

ASKED_WITHIN = timedelta(minutes=15)
"""A moment as near to the asking as this was made for the answer."""

CLOCKS_APART = timedelta(days=1)
"""Where a maker's day has begun, ours may still be the day before."""

LEAST_ALIKE = 2
"""So many rows, and all of a list, with one moment: it is the list's, not the models'."""

LEAST_SHARED = 3
"""So many rows with one moment to the second, beside others: a day for want of a day."""


def believable(told: Sequence[datetime | None], *, asked_at: Sequence[datetime]) -> list[bool]:
    """Say of each row's moment whether it can be a release; False where none is told.

    ``asked_at`` are the clocks that the asking is known by. A moment at midnight is a day, which
    models may share; one with a time of day is nobody else's. What is listed has been released: a
    day to come is none.
    """
    known = [moment for moment in told if moment is not None]
    counts = Counter(known)
    latest = max(asked_at) + CLOCKS_APART
    all_alike = len(counts) == 1 and LEAST_ALIKE <= len(known) >= len(told) / 2
    return [
        moment is not None
        and not all_alike
        and moment <= latest
        and not any(abs(moment - asked) <= ASKED_WITHIN for asked in asked_at)
        and (counts[moment] < LEAST_SHARED or _is_a_day(moment))
        for moment in told
    ]


def _is_a_day(moment: datetime) -> bool:
    return moment.astimezone(UTC).time() == time()
