"""Levels that last: good and bad days, and what they leave a number of scores worth.

Scores of one day share that day's level, and a level may last for days. Each day's mean is then a
level that wanders (a first-order autoregression over days) plus the noise of that day's scores.
How far levels wander and how long they last can't be known from a few days, so no value is
picked: every pair below counts as much as it explains the days seen so far.

Sources: residual likelihood of a mean with correlated errors (Harville, "Maximum likelihood
approaches to variance component estimation", JASA 1977), by the Kalman filter for missing days
(Jones, "Maximum likelihood fitting of ARMA models to time series with missing observations",
Technometrics 1980); averaging over models instead of picking one (Hoeting, Madigan, Raftery &
Volinsky, "Bayesian model averaging", Statistical Science 1999).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .moments import Moments

LATEST = 60
"""Days that are asked how levels wander; earlier ones count in the mean only."""

FEW_DAYS = 2.0
"""See `DayEffect.doubt`. Chosen by simulation, as are the ideas below: tests/simulation holds what
they promise."""


@dataclass(frozen=True, slots=True)
class Day:
    """The scores of one version on one day; `number` counts days from any fixed one."""

    number: int
    scores: Moments


@dataclass(frozen=True, slots=True)
class Wandering:
    """One idea of how levels behave from day to day.

    `spread` is the standard deviation of levels in units of that of scores within a day, `memory`
    the correlation of a day's level with the day before, `weight` how much the idea counts before
    any day was seen.
    """

    spread: float
    memory: float
    weight: float


IDEAS = (
    Wandering(0.0, 0.0, 0.80),
    Wandering(0.1, 0.9, 0.02),
    Wandering(0.17, 0.85, 0.07),
    Wandering(0.42, 0.8, 0.07),
    Wandering(0.42, 0.9, 0.04),
)
"""Mostly that levels don't wander at all."""


@dataclass(frozen=True, slots=True)
class DayEffect:
    """What days do to the variance of a mean.

    `design` is how many times it exceeds that of independent scores, at least 1. `doubt`, 1 + 2 /
    days^2, is a factor more while there are few days: they tell little of how levels wander, as
    few values tell little of a variance (Student's t).
    """

    design: float = 1.0
    doubt: float = 1.0


def day_effects(
    current: Sequence[Day], candidate: Sequence[Day] = ()
) -> tuple[DayEffect, DayEffect]:
    """Return what each side's days do to its mean; nothing where a side has no days.

    The days of a side are in order of time. Both sides tell how levels behave, since both serve
    the same traffic; the longer one counts for the shorter with as many of its latest days only,
    lest its past outvote what the shorter shows itself.
    """
    noise = _variance_within_days(current, candidate)
    return (
        _effect(current, other=candidate, noise=noise),
        _effect(candidate, other=current, noise=noise),
    )


def _effect(days: Sequence[Day], *, other: Sequence[Day], noise: float) -> DayEffect:
    if not days:
        return DayEffect()
    doubt = 1 + FEW_DAYS / len(days) ** 2
    if not noise:
        return DayEffect(doubt=doubt)
    asked = min(LATEST, len(days))
    told = [
        math.log(idea.weight)
        + _log_likelihood(days[-asked:], idea=idea, noise=noise)
        + _log_likelihood(other[-asked:], idea=idea, noise=noise)
        for idea in IDEAS
    ]
    most = max(told)
    shares = [math.exp(one - most) for one in told]
    mean = math.fsum(
        share * _effect_of(days, idea=idea) for share, idea in zip(shares, IDEAS, strict=True)
    )
    return DayEffect(design=mean / math.fsum(shares), doubt=doubt)


def _variance_within_days(*sides: Sequence[Day]) -> float:
    """Return the variance of scores about their day's mean; about all of it where days are single.

    0 where there is nothing to vary.
    """
    days = [day.scores for side in sides for day in side]
    freedom = sum(scores.n - 1 for scores in days)
    if days and freedom >= len(days):
        return math.fsum(scores.m2 for scores in days) / freedom
    whole = Moments.total(days)
    return whole.m2 / (whole.n - 1) if whole.n > 1 else 0.0


def _log_likelihood(days: Sequence[Day], *, idea: Wandering, noise: float) -> float:
    """Return how well an idea explains the days, whatever the mean is (residual likelihood).

    Up to a constant that is the same for all ideas. The filter runs over the day means and over a
    series of ones alike: so the mean drops out without being known.
    """
    if not days:
        return 0.0
    level = unit = 0.0
    doubt = idea.spread**2
    squares = products = ones = logs = 0.0
    origin, scale = days[0].scores.mean, 1 / math.sqrt(noise)
    for day, kept in _with_memory(days, idea):
        level, unit = kept * level, kept * unit
        doubt = kept * kept * doubt + (1 - kept * kept) * idea.spread**2
        variance = doubt + 1 / day.scores.n
        surprise = (day.scores.mean - origin) * scale - level
        share = 1 - unit
        squares += surprise * surprise / variance
        products += surprise * share / variance
        ones += share * share / variance
        logs += math.log(variance)
        gain = doubt / variance
        level, unit, doubt = level + gain * surprise, unit + gain * share, doubt * (1 - gain)
    return -(logs + math.log(ones) + squares - products * products / ones) / 2


def _effect_of(days: Sequence[Day], *, idea: Wandering) -> float:
    """Return the design effect of the mean of all scores if the idea is right.

    1 + N s^2 sum over pairs of days of w w' memory^|distance|, with w the day's share of scores.
    """
    total = sum(day.scores.n for day in days)
    before = pairs = 0.0
    for day, kept in _with_memory(days, idea):
        share = day.scores.n / total
        before *= kept
        pairs += share * (share + 2 * before)
        before += share
    return 1 + total * idea.spread**2 * pairs


def _with_memory(days: Sequence[Day], idea: Wandering) -> Iterator[tuple[Day, float]]:
    """Return each day with what is left of the level of the day before it in the list."""
    last = days[0].number
    for day in days:
        yield day, idea.memory ** (day.number - last)
        last = day.number
