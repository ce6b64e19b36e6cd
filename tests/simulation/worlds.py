"""Streams of quality to look at again and again: one function per kind of world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from versioning.domain.statistics.evidence import Arm, Stratum
from versioning.domain.statistics.levels import Day
from versioning.domain.statistics.moments import Moments

Draw = Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]]

LOOKS = 100
PER_LOOK = 20
HISTORY = 14
"""Days that the version in use has served before its successor comes, where it has."""


def moments_at_each_look(values: NDArray[np.float64]) -> list[Moments]:
    """Return the moments of everything up to each look; `values` has a row per look."""
    shift = values.flat[0]
    moved = values - shift
    n = values.shape[1] * np.arange(1, values.shape[0] + 1)
    sums = moved.sum(axis=1).cumsum()
    squares = (moved * moved).sum(axis=1).cumsum()
    m2 = np.maximum(0.0, squares - sums * sums / n)
    return [
        Moments(int(count), float(shift + total / count), float(rest))
        for count, total, rest in zip(n, sums, m2, strict=True)
    ]


def arm(quality: Moments, *, days: tuple[Day, ...]) -> Arm:
    """Return an arm in which every request has a score."""
    return Arm(n=quality.n, quality=quality, successes=quality.n, days=days)


def beta(mean: float, *, weight: float = 8.0) -> Draw:
    """Beta(6, 2) for a mean of 0.75 and the default weight."""
    return lambda rng, shape: rng.beta(mean * weight, (1 - mean) * weight, shape)


def binary(rate: float) -> Draw:
    """Passed or failed."""
    return lambda rng, shape: (rng.random(shape) < rate).astype(float)


def heavy_tailed() -> Draw:
    """Mostly near 1, with a tail of bad answers, of infinite variance but for its end at 0."""
    return lambda rng, shape: np.maximum(0.0, 1.0 - 0.02 * (1 + rng.pareto(1.5, shape)))


def zero_inflated() -> Draw:
    """Seven in ten are 0, the rest anything."""
    return lambda rng, shape: rng.beta(2, 2, shape) * (rng.random(shape) < 0.3)


def all_equal() -> Draw:
    """Every score is 0.8."""
    return lambda _rng, shape: np.full(shape, 0.8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """One run: the strata as they are at each look."""

    strata: list[list[Stratum]]


def one_task(
    rng: np.random.Generator,
    *,
    current: Draw,
    candidate: Draw,
    per_current: int = PER_LOOK,
    per_candidate: int = PER_LOOK,
    looks: int = LOOKS,
    history: int = 0,
) -> Looks:
    """Both versions on one task, so many scores a day, a look a day."""
    return _told_by_days(
        current(rng, (history + looks, per_current)), candidate(rng, (looks, per_candidate))
    )


def drifting_mix(rng: np.random.Generator) -> Looks:
    """An easy and a hard task; traffic moves from one to the other, the candidate's first."""
    means = {"easy": 0.9, "hard": 0.5}
    totals = {(task, side): Moments() for task in means for side in ("current", "candidate")}
    days: dict[tuple[str, str], tuple[Day, ...]] = dict.fromkeys(totals, ())
    strata = []
    for look in range(LOOKS):
        share = 0.9 - 0.8 * look / LOOKS
        shares = {"current": share, "candidate": max(0.1, share - 0.2)}
        for (task, side), seen in totals.items():
            part = shares[side] if task == "easy" else 1 - shares[side]
            scores = beta(means[task])(rng, (1, int(rng.binomial(PER_LOOK, part))))
            today = Moments.of(scores[0].tolist()) if scores.size else Moments()
            totals[task, side] = seen.merge(today)
            days[task, side] += (Day(look, today),) if today.n else ()
        strata.append(
            [
                Stratum(
                    task=task,
                    current=arm(totals[task, "current"], days=days[task, "current"]),
                    candidate=arm(totals[task, "candidate"], days=days[task, "candidate"]),
                )
                for task in means
            ]
        )
    return Looks(strata=strata)


def good_and_bad_days(
    rng: np.random.Generator,
    *,
    memory: float,
    spread: float = 0.05,
    current_spread: float | None = None,
    per_look: int = PER_LOOK,
    history: int = 0,
) -> Looks:
    """Each version has good and bad days; `memory` is their correlation from day to day."""
    sides = []
    former = spread if current_spread is None else current_spread
    for size, far in ((history + LOOKS, former), (LOOKS, spread)):
        levels = _wandering(rng, memory=memory, size=size) * far
        means = np.clip(0.75 + levels, 0.05, 0.95)[:, None]
        sides.append(rng.beta(8 * means, 8 * (1 - means), (size, per_look)))
    return _told_by_days(*sides)


def each_like_the_last(rng: np.random.Generator, *, memory: float) -> Looks:
    """Every score is correlated with the one before it."""
    sides = [
        0.75 + 0.2 * np.tanh(_wandering(rng, memory=memory, size=LOOKS * PER_LOOK))
        for _ in range(2)
    ]
    return _told_by_days(*(side.reshape(LOOKS, PER_LOOK) for side in sides))


def _wandering(rng: np.random.Generator, *, memory: float, size: int) -> NDArray[np.float64]:
    """Return a first-order autoregression with variance 1."""
    steps = rng.normal(size=size)
    for i in range(1, size):
        steps[i] = memory * steps[i - 1] + (1 - memory**2) ** 0.5 * steps[i]
    return steps


def _told_by_days(current: NDArray[np.float64], candidate: NDArray[np.float64]) -> Looks:
    """Look after every day of the candidate; rows are days, the current's more by its history."""
    history = len(current) - len(candidate)
    old, new = moments_at_each_look(current), moments_at_each_look(candidate)
    old_days, new_days = _days(current, first=-history), _days(candidate, first=0)
    return Looks(
        strata=[
            [
                Stratum(
                    task="one",
                    current=arm(old[history + look], days=old_days[: history + look + 1]),
                    candidate=arm(new[look], days=new_days[: look + 1]),
                )
            ]
            for look in range(len(candidate))
        ]
    )


def _days(values: NDArray[np.float64], *, first: int) -> tuple[Day, ...]:
    return tuple(Day(first + number, Moments.of(row)) for number, row in enumerate(values.tolist()))
