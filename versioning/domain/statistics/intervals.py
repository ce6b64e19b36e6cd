"""How wide an interval must be that holds at every look, on days that are good and bad.

The width by looks: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit
theory and asymptotic confidence sequences", Annals of Statistics 2024.

The width by days: what two versions differ by on one day is the difference sought, plus a level
that wanders (a first-order autoregression over days: a version has good and bad days of its own),
plus the noise of that day's scores. How far levels wander and how long they last can't be known
from a few days, so no value is picked: every idea below counts as much as it explains the days
seen so far. Sources: residual likelihood of a mean with correlated errors (Harville, "Maximum
likelihood approaches to variance component estimation", JASA 1977), by the Kalman filter for
missing days (Jones, "Maximum likelihood fitting of ARMA models to time series with missing
observations", Technometrics 1980); averaging over models instead of picking one (Hoeting, Madigan,
Raftery & Volinsky, "Bayesian model averaging", Statistical Science 1999).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

ALPHA = 0.05
"""Risk that an interval ever misses the truth, at any of the looks."""

N_OPT = 300
"""The interval is tightest at about this many samples of both sides, less what days take away
(chosen by simulation)."""

FLOOR = 30
"""Samples a side below which the method, being asymptotic, says nothing."""

LEAST_DAYS = 7
"""Days side by side below which nothing good is claimed, and nothing foretold: a week has every
weekday, and fewer days tell too little of good and bad ones."""


def half_width(*, n: float, variance: float, alpha: float = ALPHA, n_opt: float = N_OPT) -> float:
    """Return the half-width at `n` samples of an estimate whose variance is `variance`.

    h = sqrt(n V) sqrt(2 (n rho^2 + 1) / (n^2 rho^2) ln(sqrt(n rho^2 + 1) / alpha)), with
    rho^2 = (-2 ln alpha + ln(-2 ln alpha + 1)) / n_opt. Two-sided; infinite for n = 0.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is a risk between 0 and 1, not {alpha}.")
    if n <= 0:
        return math.inf
    twice_log = -2 * math.log(alpha)
    scaled = n * (twice_log + math.log(twice_log + 1)) / n_opt
    bracket = 2 * (scaled + 1) / scaled * math.log(math.sqrt(scaled + 1) / alpha)
    return math.sqrt(variance * bracket)


def variance_floor(n: float) -> float:
    """Return the least variance that `n` values between 0 and 1 are believed to have.

    What one unseen value at the far end would give to a coin with n equal tosses,
    (n + 1) / (n + 2)^2: equal samples are no proof that all will be equal.
    """
    return (n + 1) / (n + 2) ** 2


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
    day was seen. By noise the spread is `most` units at most: the noise of few rare events says
    nothing of how far rates wander.
    """

    spread: float
    memory: float
    weight: float
    by_noise: bool = False
    most: float = math.inf


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
    Wandering(1.0, 0.8, 0.05, by_noise=True, most=1.5),
    Wandering(2.5, 0.8, 0.05, by_noise=True, most=1.5),
)
"""Ideas of rare events, in units of their rate: a rate of 1 % wanders by a part of 1 %."""

ALIKE = 0.6
WITNESS = 0.5
"""See `taught`. Chosen by simulation."""


def wandering_variance(
    days: Sequence[DayValue], *, ideas: Sequence[Wandering], unit: float
) -> float:
    """Return what wandering levels add to the variance of the weighted mean of days.

    The average over the ideas, each as far as it explains the days. The days are in order of time.
    """
    if not days:
        return 0.0
    spreads = _spreads(days, ideas=ideas, unit=unit)
    shares = _shares(_told(days, ideas=ideas, unit=unit))
    return math.fsum(
        share * _added(days, spread=spread, memory=idea.memory)
        for share, idea, spread in zip(shares, ideas, spreads, strict=True)
    )


def taught(
    ideas: Sequence[Wandering], *, by: Sequence[tuple[Sequence[DayValue], float]]
) -> tuple[Wandering, ...]:
    """Return the ideas with the weights that other series of the same kind give them.

    `by` are series with their units. Others of the kind mostly wander alike, so they tell how this
    one will; `ALIKE` is how likely it does. They have days in common and are no independent
    witnesses: each counts by `WITNESS`.
    """
    if not by:
        return tuple(ideas)
    steady = [math.log(idea.weight) for idea in ideas]
    told = list(steady)
    for days, unit in by:
        heard = _told(days, ideas=ideas, unit=unit)
        told = [
            one + WITNESS * (more - alone)
            for one, more, alone in zip(told, heard, steady, strict=True)
        ]
    return tuple(
        replace(idea, weight=ALIKE * share + (1 - ALIKE) * idea.weight)
        for idea, share in zip(ideas, _shares(told), strict=True)
    )


def _spreads(days: Sequence[DayValue], *, ideas: Sequence[Wandering], unit: float) -> list[float]:
    usual = math.sqrt(statistics.median(day.noise for day in days))
    return [
        min(idea.spread * usual, idea.most * unit) if idea.by_noise else idea.spread * unit
        for idea in ideas
    ]


def _told(days: Sequence[DayValue], *, ideas: Sequence[Wandering], unit: float) -> list[float]:
    """Return the logarithm of each idea's weight times how well it explains the days."""
    return [
        math.log(idea.weight) + _log_likelihood(days, spread=spread, memory=idea.memory)
        for idea, spread in zip(ideas, _spreads(days, ideas=ideas, unit=unit), strict=True)
    ]


def _shares(told: Sequence[float]) -> list[float]:
    most = max(told)
    shares = [math.exp(one - most) for one in told]
    total = math.fsum(shares)
    return [share / total for share in shares]


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
