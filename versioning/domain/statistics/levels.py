"""Levels that last: good and bad days, and how far they leave a mean of days in doubt.

What two versions differ by on one day is the difference sought, plus a level that wanders (a
first-order autoregression over days: a version has good and bad days of its own), plus the noise
of that day's scores. How far levels wander and how long they last can't be known from a few days,
so no value is picked: every idea below counts as much as it explains the days seen so far.

Sources: residual likelihood of a mean with correlated errors (Harville, "Maximum likelihood
approaches to variance component estimation", JASA 1977), by the Kalman filter for missing days
(Jones, "Maximum likelihood fitting of ARMA models to time series with missing observations",
Technometrics 1980); averaging over models instead of picking one (Hoeting, Madigan, Raftery &
Volinsky, "Bayesian model averaging", Statistical Science 1999).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .moments import Moments

FEW_DAYS = 8.0
"""See `doubt_of`. Chosen by simulation, as are the ideas below."""


@dataclass(frozen=True, slots=True)
class DayValue:
    """A day's value, its weight in the mean (all weights are 1) and its variance by sampling.

    `number` counts days from any fixed one.
    """

    number: int
    value: float
    weight: float
    noise: float


@dataclass(frozen=True, slots=True)
class Wandering:
    """One idea of how levels behave from day to day.

    `spread` is the standard deviation of levels: in units that the caller gives, or (`by_noise`)
    in units of a usual day's noise, so that it fits any amount of traffic. `memory` is the
    correlation of a day's level with the day before, `weight` how much the idea counts before any
    day was seen.
    """

    spread: float
    memory: float
    weight: float
    by_noise: bool = False


# Mostly that levels don't wander. The others are spread over what real ones do; those by noise
# keep much traffic honest, where even a small wandering is far more than noise. Chosen by
# simulation: tests/simulation holds what they promise.
_STEADY = Wandering(0.0, 0.0, 0.55)
_BY_NOISE = (
    *(
        Wandering(spread, 0.2, weight, by_noise=True)
        for spread, weight in ((1.0, 0.015), (2.5, 0.015), (8.0, 0.003))
    ),
    *(
        Wandering(spread, memory, weight, by_noise=True)
        for memory in (0.8, 0.92)
        for spread, weight in ((1.0, 0.05), (2.5, 0.05), (8.0, 0.002), (30.0, 0.0002))
    ),
)
SCORES = (
    _STEADY,
    Wandering(0.1, 0.9, 0.025),
    Wandering(0.17, 0.85, 0.0875),
    Wandering(0.42, 0.8, 0.0875),
    Wandering(0.42, 0.9, 0.05),
    *_BY_NOISE,
)
"""Ideas of scores, in units of the standard deviation of a score within a day."""

RATES = (
    Wandering(0.0, 0.0, 0.65),
    Wandering(0.4, 0.7, 0.1125),
    Wandering(0.8, 0.8, 0.0875),
    Wandering(1.5, 0.8, 0.05),
    Wandering(1.0, 0.8, 0.05, by_noise=True),
    Wandering(2.5, 0.8, 0.05, by_noise=True),
)
"""Ideas of rare events, in units of their rate: a rate of 1 % wanders by a part of 1 %."""


def wandering_variance(
    days: Sequence[DayValue], *, ideas: Sequence[Wandering], unit: float
) -> float:
    """Return what wandering levels add to the variance of the weighted mean of days.

    The average over the ideas, each as far as it explains the days. The days are in order of time.
    """
    if not days:
        return 0.0
    usual = math.sqrt(statistics.median(day.noise for day in days))
    spreads = [idea.spread * (usual if idea.by_noise else unit) for idea in ideas]
    told = [
        math.log(idea.weight) + _log_likelihood(days, spread=spread, memory=idea.memory)
        for idea, spread in zip(ideas, spreads, strict=True)
    ]
    most = max(told)
    shares = [math.exp(one - most) for one in told]
    added = math.fsum(
        share * _added(days, spread=spread, memory=idea.memory)
        for share, idea, spread in zip(shares, ideas, spreads, strict=True)
    )
    return added / math.fsum(shares)


@dataclass(frozen=True, slots=True)
class ScoredDay:
    """The scores of one version on one day; `number` counts days from any fixed one."""

    number: int
    scores: Moments


@dataclass(frozen=True, slots=True)
class DayEffect:
    """What days do to the variance of one version's mean.

    `design` is how many times it exceeds that of independent scores, at least 1; `doubt` a factor
    more while there are few days (`doubt_of`).
    """

    design: float = 1.0
    doubt: float = 1.0


def day_effect(days: Sequence[ScoredDay]) -> DayEffect:
    """Return what days do to the mean of all scores; nothing without days. In order of time."""
    total = sum(day.scores.n for day in days)
    if not total:
        return DayEffect()
    doubt = doubt_of(len(days))
    freedom = total - len(days)
    within = math.fsum(day.scores.m2 for day in days)
    if freedom < len(days):
        whole = Moments.total(day.scores for day in days)
        within, freedom = whole.m2, whole.n - 1
    if not within:
        return DayEffect(doubt=doubt)
    spread = within / freedom
    series = [
        DayValue(day.number, day.scores.mean, day.scores.n / total, spread / day.scores.n)
        for day in days
    ]
    added = wandering_variance(series, ideas=SCORES, unit=math.sqrt(spread))
    return DayEffect(design=1 + added / (spread / total), doubt=doubt)


def doubt_of(days: float) -> float:
    """Return how many times as large the variance is again, 1 + 8 / (T + 1)^2, for so many days.

    Few days tell little of how levels wander, as few values tell little of a variance (Student's
    t).
    """
    return 1 + FEW_DAYS / (days + 1) ** 2


def _log_likelihood(days: Sequence[DayValue], *, spread: float, memory: float) -> float:
    """Return how well an idea explains the days, whatever the mean is (residual likelihood).

    Up to a constant that is the same for all ideas. The filter runs over the values and over a
    series of ones alike: so the mean drops out without being known.
    """
    level = unit = 0.0
    doubt = spread**2
    squares = products = ones = logs = 0.0
    origin = days[0].value
    for day, kept in _with_memory(days, memory):
        level, unit = kept * level, kept * unit
        doubt = kept * kept * doubt + (1 - kept * kept) * spread**2
        variance = doubt + day.noise
        surprise = day.value - origin - level
        share = 1 - unit
        squares += surprise * surprise / variance
        products += surprise * share / variance
        ones += share * share / variance
        logs += math.log(variance)
        gain = doubt / variance
        level, unit, doubt = level + gain * surprise, unit + gain * share, doubt * (1 - gain)
    return -(logs + math.log(ones) + squares - products * products / ones) / 2


def _added(days: Sequence[DayValue], *, spread: float, memory: float) -> float:
    """Return spread^2 times the sum over pairs of days of w w' memory^|distance|."""
    if not spread:
        return 0.0
    before = pairs = 0.0
    for day, kept in _with_memory(days, memory):
        before *= kept
        pairs += day.weight * (day.weight + 2 * before)
        before += day.weight
    return spread**2 * pairs


def _with_memory(days: Sequence[DayValue], memory: float) -> Iterator[tuple[DayValue, float]]:
    """Return each day with what is left of the level of the day before it in the list."""
    last = days[0].number
    for day in days:
        yield day, memory ** (day.number - last)
        last = day.number
