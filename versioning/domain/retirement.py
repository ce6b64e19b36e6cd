"""The retirement clock: until when a move can start and still be safe."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import ceil

from versioning.domain.statistics.figures import counted

# A quarter to plan, a month to test, a week to hurry, the day itself to know why it broke.
REMINDER_DAYS = (90, 60, 30, 7, 0)
# One earlier life is an anecdote: from one alone no day is foretold.
LEAST_SIBLINGS = 2
WEEK = timedelta(days=7)


class Precision(StrEnum):
    """How a retirement date is meant."""

    EXACT = "exact"
    EARLIEST = "earliest"
    TENTATIVE = "tentative"
    FORECAST = "forecast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """When a version retires: one day, or for a forecast a range, and how that is known."""

    on: date
    latest: date
    precision: Precision
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a move takes, each part as a time."""

    evaluation: timedelta
    canary: timedelta
    approval: timedelta
    buffer: timedelta

    @property
    def total(self) -> timedelta:
        return self.evaluation + self.canary + self.approval + self.buffer


def latest_safe_start(*, retires_on: date, needs: Needs) -> date:
    """Return the last day on which a move can start: retirement minus all that it takes."""
    return retires_on - timedelta(days=ceil(needs.total / timedelta(days=1)))


def starts_this_week(*, latest_start: date, today: date) -> bool:
    """Say whether the last safe day is within seven days, or past."""
    return latest_start < today + WEEK


def reminder_due(*, retires_on: date, today: date) -> int | None:
    """Return which reminder a day calls for, in days before the retirement; None before 90.

    One day calls for one: after a time without sweeps the missed ones don't come all at once.
    """
    left = (retires_on - today).days
    return min((days for days in REMINDER_DAYS if left <= days), default=None)


@dataclass(frozen=True, slots=True)
class Lives:
    """How many models of a line retired, and how many days the first and last of them lived."""

    count: int
    shortest: int
    longest: int


def forecast(*, released_on: date | None, lives: Lives | None, today: date) -> Retirement | None:
    """Guess a retirement where none is announced, from how long the line's other models lived.

    The range goes from the shortest to the longest of their lives, and never begins before
    tomorrow: a model that outlived them all may go any day. None without a release date, or with
    fewer than two lives to go by.
    """
    if released_on is None or lives is None or lives.count < LEAST_SIBLINGS:
        return None
    tomorrow = today + timedelta(days=1)
    first = max(released_on + timedelta(days=lives.shortest), tomorrow)
    last = max(released_on + timedelta(days=lives.longest), first)
    return Retirement(
        on=first,
        latest=last,
        precision=Precision.FORECAST,
        reason=f"No date is announced. {counted(lives.count, 'model')} of the same line lived "
        f"{lives.shortest} to {lives.longest} days after their release.",
    )
