"""When something may go by itself: windows in a week, and freezes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60


class UnreadableWindow(ValueError):
    """A window that can't be read; the sentence says what is wrong."""


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some days of the week; minutes of the day on the clock of the wall.

    An end at or before the start lies on the next day: 22:00 to 04:00 is a night.
    """

    days: tuple[str, ...]
    start: int
    end: int

    @classmethod
    def read(cls, raw: Any) -> Self:
        """Read {"days": ["mon"], "from": "09:00", "to": "17:00"}. Raises UnreadableWindow."""
        if not isinstance(raw, Mapping) or set(raw) != {"days", "from", "to"}:
            raise UnreadableWindow('A window is {"days": ["mon"], "from": "09:00", "to": "17:00"}.')
        days = raw["days"]
        if not isinstance(days, list) or not days or not set(map(str, days)) <= set(DAYS):
            raise UnreadableWindow(f"Days are a list of {', '.join(DAYS)}.")
        return cls(
            days=tuple(day for day in DAYS if day in days),
            start=_minutes(raw["from"]),
            end=_minutes(raw["to"]),
        )

    def holds(self, local: datetime) -> bool:
        """Say whether the window is open at a local moment."""
        minute = local.hour * 60 + local.minute
        today = DAYS[local.weekday()] in self.days
        yesterday = DAYS[local.weekday() - 1] in self.days
        if self.start < self.end:
            return today and self.start <= minute < self.end
        return (today and minute >= self.start) or (yesterday and minute < self.end)


@dataclass(frozen=True, slots=True)
class FreezePeriod:
    """A time in which nothing goes by itself, from its start up to its end."""

    name: str
    starts_at: datetime
    ends_at: datetime


def is_open(*, windows: Sequence[Window], zone: str, at: datetime) -> bool:
    """Say whether a window is open; without windows it is always open."""
    local = at.astimezone(ZoneInfo(zone))
    return not windows or any(window.holds(local) for window in windows)


def next_opening(*, windows: Sequence[Window], zone: str, at: datetime) -> datetime | None:
    """Return when a window opens next, in UTC; None without windows."""
    here = ZoneInfo(zone)
    midnight = at.astimezone(here).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    openings = []
    for ahead in range(8):
        day = midnight + timedelta(days=ahead)
        for window in windows:
            if DAYS[day.weekday()] in window.days:
                wall = day + timedelta(minutes=window.start)
                openings.append(wall.astimezone(UTC))
    return min((moment for moment in openings if moment > at), default=None)


def freeze_at(*, freezes: Sequence[FreezePeriod], at: datetime) -> FreezePeriod | None:
    """Return the freeze that holds at a moment, the one that ends last where there are more."""
    holding = [freeze for freeze in freezes if freeze.starts_at <= at < freeze.ends_at]
    return max(holding, key=lambda freeze: freeze.ends_at, default=None)


def _minutes(text: Any) -> int:
    hours, colon, minutes = str(text).partition(":")
    if colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2:
        total = int(hours) * 60 + int(minutes)
        if int(minutes) < 60 and total <= _DAY_MINUTES:
            return total
    raise UnreadableWindow(f"An hour is written as 09:00, not {text!r}.")
