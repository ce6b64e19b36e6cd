"""Has a version changed although its name did not, and since which day?

A series of days has a baseline: its mean, its weekdays, its scatter from day to day. A change is
what leaves it for good.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from versioning.domain import dates
from versioning.domain.figure_kinds import DriftScale
from versioning.domain.figures import WATCHED

from .figures import significant
from .summaries import Moments

WEEK = 7

_STRONGEST = 0.8
"""Autocorrelation that is believed at most; beyond it a series has no level to leave."""

_WARY = 1.5
_UNSURE = 3.0
"""How much more than theory the memory of days, and a short history, widen a deviation: weekdays
and memory are estimated from the same few weeks. Chosen by simulation, with `THRESHOLD`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One day as it is watched: number of the day, value, and variance of the value by sampling."""

    ordinal: int
    value: float
    noise: float

    @property
    def weekday(self) -> int:
        """0 is the weekday of ordinal 0; only equality matters."""
        return self.ordinal % WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedBaseline:
    """A fitted baseline: see `fit`."""

    weekdays: tuple[float, ...]
    scatter: float
    noise: float
    stretch: float
    days: int

    def standardised(self, point: Point) -> float:
        """Return how many standard deviations a day lies off, as its long-run sum would see it.

        The scatter is at least what sampling alone gives that day; the baseline's own uncertainty
        and autocorrelation widen it.
        """
        own = max(self.scatter + point.noise - self.noise, point.noise)
        long_run = self.stretch**_WARY
        deviation = math.sqrt(own * long_run * (1 + _UNSURE * long_run / self.days))
        return (point.value - self.weekdays[point.weekday]) / deviation if deviation else 0.0


def fit(points: Sequence[Point]) -> FittedBaseline:
    """Fit mean, weekday effects, scatter and autocorrelation to two weeks or more.

    Weekday effects are shrunk towards none by how far they stand out (empirical Bayes, one-way
    analysis of variance). `stretch` is (1 + r) / (1 - r) for lag-1 autocorrelation r of the
    residuals, its small-sample bias (Kendall 1954) put back: the long-run variance of a first-order
    autoregression relative to the daily one.
    """
    mean = math.fsum(point.value for point in points) / len(points)
    effects, scatter = _weekday_effects(points, mean=mean)
    residuals = [point.value - mean - effects[point.weekday] for point in points]
    memory = _autocorrelation(residuals)
    return FittedBaseline(
        weekdays=tuple(mean + effect for effect in effects),
        scatter=scatter,
        noise=math.fsum(point.noise for point in points) / len(points),
        stretch=(1 + memory) / (1 - memory),
        days=len(points),
    )


def _weekday_effects(points: Sequence[Point], *, mean: float) -> tuple[list[float], float]:
    """Return the shrunk effect of each weekday and the variance that is left."""
    groups: list[list[float]] = [[] for _ in range(WEEK)]
    for point in points:
        groups[point.weekday].append(point.value - mean)
    seen = [group for group in groups if group]
    means = [math.fsum(group) / len(group) if group else 0.0 for group in groups]
    within = math.fsum(
        (value - average) ** 2
        for group, average in zip(groups, means, strict=True)
        for value in group
    )
    left = within / max(1, len(points) - len(seen))
    between = math.fsum(
        len(group) * average**2 for group, average in zip(groups, means, strict=True)
    ) / max(1, len(seen) - 1)
    real = max(0.0, between - left) * len(seen) / len(points)
    if not real:
        total = math.fsum((point.value - mean) ** 2 for point in points)
        return [0.0] * WEEK, total / (len(points) - 1)
    shrunk = [
        average * real / (real + left / len(group)) if group else 0.0
        for group, average in zip(groups, means, strict=True)
    ]
    return shrunk, left


def _autocorrelation(residuals: Sequence[float]) -> float:
    squares = math.fsum(value * value for value in residuals)
    if not squares:
        return 0.0
    products = math.fsum(a * b for a, b in zip(residuals, residuals[1:], strict=False))
    raw = products / squares
    corrected = raw + (1 + 3 * raw) / len(residuals)
    return min(_STRONGEST, max(0.0, corrected))


METHOD = "two-sided CUSUM of daily means, adjusted for weekdays and autocorrelation"

HISTORY = 3 * WEEK
"""Days with samples before anything is claimed: three of each weekday."""

MEMORY = 12 * WEEK
"""Days that the baseline looks back."""

LEAST_SAMPLES = 10
"""A day with fewer samples is not read."""

ALLOWANCE = 0.6
"""Standard deviations a day that the sum lets pass: tuned to find shifts of twice this."""

THRESHOLD = 8.0
"""Sum, in standard deviations, at which the alarm rings; chosen by simulation."""

EITHER = 2
"""Days before a change that may belong to it: its date is right to a day or two."""

LOUDEST = 4.0
"""One day counts at most so much: one bad day is an incident, no change."""


_WATCHED = {each.measure: each for each in WATCHED}

_enum: Callable[..., Any] = StrEnum  # its names are known at run time only
Measure = _enum("Measure", {name.upper(): name for name in _WATCHED})
"""What is watched: see `domain.figures`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodMoments:
    """The moments of one hour or day; readings of one day are added up."""

    day: date
    moments: Moments


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A change: the day it began (estimated), the day it was seen, the means before and after."""

    measure: str
    began: date
    seen: date
    before: float
    after: float
    part: str = ""
    """Which component of quality it is, such as user feedback; empty where there is one alone."""

    @property
    def sentence(self) -> str:
        """Say what changed since when."""
        verb = "rose" if self.after > self.before else "fell"
        watched = _WATCHED[self.measure]
        name = (watched.words or watched.title) + (f" ({self.part})" if self.part else "")
        return (
            f"{name} {verb} from {significant(self.before)} to {significant(self.after)} since "
            f"{dates.day(self.began)} although the version did not change"
        )


@dataclass(slots=True)
class _Watch:
    """The state of the watch since the series began or last changed."""

    history: list[Point] = field(default_factory=list)
    excursion: list[tuple[Point, float]] = field(default_factory=list)
    baseline: FittedBaseline | None = None
    fitted: int = 0
    above: float = 0.0
    below: float = 0.0

    def read(self, point: Point) -> bool:
        """Take in one day and return whether the alarm rings."""
        if len(self.history) < HISTORY:
            self.history.append(point)
            return False
        if self.baseline is None or len(self.history) >= self.fitted + WEEK:
            self.fitted = len(self.history)
            self.baseline = fit(self.history[-MEMORY:])
        off = max(-LOUDEST, min(LOUDEST, self.baseline.standardised(point)))
        self.above = max(0.0, self.above + off - ALLOWANCE)
        self.below = max(0.0, self.below - off - ALLOWANCE)
        self.excursion.append((point, off))
        if not self.above and not self.below:
            # Days under suspicion join the baseline only when the suspicion has gone.
            self.history += [point for point, _ in self.excursion]
            self.excursion = []
        return max(self.above, self.below) > THRESHOLD

    def began(self) -> int:
        """Return how many of the last days belong to the change: the likeliest, by likelihood."""
        total, best, length = 0.0, 0.0, 1
        for count, (_, off) in enumerate(reversed(self.excursion), start=1):
            total += off
            if total * total / count > best:
                best, length = total * total / count, count
        return length


def find_shifts(
    *, measure: str, readings: Iterable[PeriodMoments], part: str = ""
) -> tuple[Shift, ...]:
    """Return every change in a version's series, oldest first.

    Page's two-sided CUSUM (Page 1954) of daily values, standardised by a baseline of up to twelve
    weeks; the change is dated by maximum likelihood (Hinkley 1970). After a change the series
    starts anew from it. On flat series fewer than one false alarm a year, by simulation.
    """
    shifts = []
    watch = _Watch()
    days = _by_day(readings)
    seen: list[date] = []
    since = 0
    for day in sorted(days):
        moments = days[day]
        if moments.n < LEAST_SAMPLES:
            continue
        seen.append(day)
        if not watch.read(_point(day, moments, measure)):
            continue
        length = watch.began()
        changed = seen[-length:]
        before = Moments.total(days[same] for same in seen[since : -length - EITHER][-MEMORY:])
        after = Moments.total(days[changed_day] for changed_day in changed)
        shifts.append(
            Shift(
                measure=measure,
                began=changed[0],
                seen=day,
                before=before.mean,
                after=after.mean,
                part=part,
            )
        )
        watch, since = (
            _Watch(history=[_point(d, days[d], measure) for d in changed]),
            len(seen) - length,
        )
    return tuple(shifts)


def _by_day(readings: Iterable[PeriodMoments]) -> dict[date, Moments]:
    days: dict[date, Moments] = {}
    for reading in readings:
        days[reading.day] = days.get(reading.day, Moments()).merge(reading.moments)
    return days


def _point(day: date, moments: Moments, measure: str) -> Point:
    value, noise = _watched(moments, measure)
    return Point(ordinal=day.toordinal(), value=value, noise=noise)


def _watched(moments: Moments, measure: str) -> tuple[float, float]:
    """Return the value that is watched and its variance by sampling."""
    n = moments.n
    match _WATCHED[measure].scale:
        case DriftScale.PLAIN:
            return moments.mean, moments.variance / n
        case DriftScale.RATE:
            return math.asin(math.sqrt((moments.sum + 0.375) / (n + 0.75))), 1 / (4 * n + 2)
        case DriftScale.AMOUNT_OR_NONE:
            return math.log1p(moments.mean), moments.variance / n / (1 + moments.mean) ** 2
        case DriftScale.AMOUNT:
            if moments.mean <= 0:
                raise ValueError(f"{measure} is a positive number.")
            return math.log(moments.mean), moments.variance / n / moments.mean**2
