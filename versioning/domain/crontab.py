"""When a crontab comes next, on the clock on the wall of a time zone.

Clocks are set forward and back: a time that the wall clock skips comes when it would have come
without that, one that the clock shows twice comes the first time. So each time that is written
down comes once.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_LONGEST_WAIT = timedelta(days=366 * 8 + 31)
"""29 February comes again after eight years at most: 1900 and 2100 have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crontab:
    """The minutes, hours and days that a time must all be in. Sunday is 0; months start at 1."""

    minutes: Collection[int]
    hours: Collection[int]
    days_of_week: Collection[int]
    days_of_month: Collection[int]
    months: Collection[int]

    def next_after(self, moment: datetime, *, zone: tzinfo) -> datetime | None:
        """Return the first time after a moment, in UTC; None where there is none in eight years."""
        # A skipped time comes late: yesterday's may come today.
        first = moment.astimezone(zone).date() - timedelta(days=1)
        found: datetime | None = None
        for day in _days(first):
            later = [at for at in self._times(day, zone) if at > moment]
            if found is not None:
                return min([found, *later])
            found = min(later, default=None)
        return found

    def _times(self, day: date, zone: tzinfo) -> Iterator[datetime]:
        is_meant = (
            day.month in self.months
            and day.day in self.days_of_month
            and day.isoweekday() % 7 in self.days_of_week
        )
        if is_meant:
            for hour in self.hours:
                for minute in self.minutes:
                    yield datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def _days(first: date) -> Iterator[date]:
    for ahead in range(_LONGEST_WAIT.days):
        try:
            yield first + timedelta(days=ahead)
        except OverflowError:
            return
