"""Days of a version that stays the same, and of one that changes: what drift detection says."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from versioning.domain.statistics.drift import Measure, PeriodMoments, find_shifts
from versioning.domain.statistics.summaries import Moments

SEED = 20_260_102
START = date(2026, 1, 1)
YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How a series behaves from day to day.

    `spread` is the standard deviation of the day's level and `memory` its correlation with the
    day before; `weekend` is what Saturdays and Sundays add. Levels are points of quality or of
    error rate, or fractions of latency or length.
    """

    name: str
    measure: Measure = Measure.QUALITY
    per_day: int = 200
    spread: float = 0.0
    memory: float = 0.0
    weekend: float = 0.0


FLAT_WORLDS = (
    World(name="independent"),
    World(name="20 samples a day", per_day=20),
    World(name="weekends differ", weekend=-0.03),
    World(name="good and bad days", spread=0.01),
    World(name="good and bad days, 0.5 a day", spread=0.01, memory=0.5),
    World(name="the same, weekends differ", spread=0.02, memory=0.5, weekend=-0.03),
    World(name="good and bad times, 0.7 a day", spread=0.02, memory=0.7),
    World(name="errors", measure=Measure.ERRORS),
    World(name="errors, bad days", measure=Measure.ERRORS, spread=0.005, memory=0.5),
    World(name="latency", measure=Measure.LATENCY, spread=0.05, memory=0.5, weekend=0.1),
    World(name="output length", measure=Measure.OUTPUT_LENGTH, spread=0.03, weekend=-0.1),
)


def readings(
    rng: np.random.Generator,
    *,
    world: World,
    days: int = YEAR,
    shift: float = 0.0,
    begins: int | None = None,
) -> list[PeriodMoments]:
    """Return a reading a day; from day `begins` the level is `shift` higher."""
    level = rng.normal(0, world.spread)
    found = []
    for number in range(days):
        level = world.memory * level + rng.normal(0, world.spread * math.sqrt(1 - world.memory**2))
        day = START + timedelta(days=number)
        moved = level + (world.weekend if day.weekday() >= 5 else 0.0)
        moved += shift if begins is not None and number >= begins else 0.0
        values = _values(rng, world=world, level=moved)
        found.append(PeriodMoments(day=day, moments=Moments.of(values.tolist())))
    return found


def _values(rng: np.random.Generator, *, world: World, level: float) -> np.ndarray:
    if world.measure is Measure.QUALITY:
        mean = min(0.98, max(0.02, 0.75 + level))
        return rng.beta(8 * mean, 8 * (1 - mean), world.per_day)
    if world.measure is Measure.ERRORS:
        return (rng.random(world.per_day) < max(0.001, 0.01 + level)).astype(float)
    return rng.lognormal(6.5 + level, 0.6, world.per_day)


def false_alarms_a_year(*, world: World, years: int = 30) -> float:
    """Return how many alarms a flat series gives in a year."""
    rng = np.random.default_rng(SEED)
    alarms = sum(
        len(find_shifts(measure=world.measure, readings=readings(rng, world=world)))
        for _ in range(years)
    )
    return alarms / years


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """How a change of the level on day 60 is found: delay in days, and error of its date."""

    world: World
    shift: float
    median_delay: float
    slow_delay: float
    missed: float
    dated_within_a_day: float


def detection(*, world: World, shift: float, runs: int = 60) -> Detection:
    """Change a series on its 61st day and watch it for 40 more."""
    rng = np.random.default_rng(SEED)
    begins = START + timedelta(days=60)
    delays, dated = [], []
    for _ in range(runs):
        series = readings(rng, world=world, days=100, shift=shift, begins=60)
        found = [
            one for one in find_shifts(measure=world.measure, readings=series) if one.seen >= begins
        ]
        if found:
            delays.append((found[0].seen - begins).days + 1)
            dated.append(abs((found[0].began - begins).days) <= 1)
    return Detection(
        world=world,
        shift=shift,
        median_delay=statistics.median(delays),
        slow_delay=statistics.quantiles(delays, n=10)[-1],
        missed=1 - len(delays) / runs,
        dated_within_a_day=statistics.fmean(dated),
    )
