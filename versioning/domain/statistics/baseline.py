"""What a series of days usually is: its mean, its weekdays, its scatter from day to day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WEEK = 7

_STRONGEST = 0.8
"""Autocorrelation that is believed at most; beyond it a series has no level to leave."""


_WARY = 1.5
_UNSURE = 3.0
"""How much more than theory the memory of days, and a short history, widen a deviation: weekdays
and memory are estimated from the same few weeks. Chosen by simulation, with ``drift.THRESHOLD``."""


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
class Baseline:
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


def fit(points: Sequence[Point]) -> Baseline:
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
    return Baseline(
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
