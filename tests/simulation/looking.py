"""Look at a stream after every batch, as staff and the scheduler do."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from tests.simulation import worlds
from tests.simulation.worlds import Looks
from versioning.domain.statistics.evidence import (
    Stratum,
    covered,
    difference,
    quality_sides,
)
from versioning.domain.statistics.sequence import ALPHA, FLOOR
from versioning.domain.statistics.verdict import Decision, Thresholds, compare

SEED = 20_260_101

ANY_IMPROVEMENT = Thresholds(
    min_quality_improvement=Decimal("0.001"), max_latency_rise=None, max_cost_rise=None
)
"""The weakest demand for an improvement: a policy asks for 10 % unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseClaims:
    """How often two equal versions were called different at some look, and upgraded."""

    world: str
    runs: int
    better: float
    worse: float
    upgraded: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """After how many samples of both sides a better version was called better.

    `early` is the mean over the runs that stop within 60 days, as design/statistics.md has it.
    """

    rise: float
    median: float
    mean: float
    early: float
    never: float


def claim(strata: Sequence[Stratum]) -> int:
    """Return 1 for better, -1 for worse, 0 for no claim: `judge` without what it would need."""
    undoubted = [_without_days(stratum) for stratum in strata]
    # Days only ever widen the interval: without a claim of independent scores there is none.
    return _claim(undoubted) and _claim(strata)


def _without_days(stratum: Stratum) -> Stratum:
    return replace(
        stratum,
        current=replace(stratum.current, days=()),
        candidate=replace(stratum.candidate, days=()),
    )


def _claim(strata: Sequence[Stratum]) -> int:
    coverage = covered(strata, counted=lambda arm: arm.quality.n)
    if not coverage.shared:
        return 0
    found = difference(quality_sides(coverage))
    if found.reach < FLOOR:
        return 0
    half = found.half_width(alpha=ALPHA)
    return (found.estimate > half) - (found.estimate < -half)


def first_claim(looks: Looks) -> tuple[int, int]:
    """Return the first claim and the number of its look (from 1); (0, 0) when there is none."""
    for number, strata in enumerate(looks.strata, start=1):
        said = claim(strata)
        if said:
            return said, number
    return 0, 0


def upgraded(looks: Looks) -> bool:
    """Return whether the decision is UPGRADE at some look."""
    # Without "better" there is no upgrade for one who asks for an improvement.
    return any(
        claim(strata) == 1
        and compare(strata=strata, thresholds=ANY_IMPROVEMENT).decision is Decision.UPGRADE
        for strata in looks.strata
    )


def false_claims(
    *, world: str, runs: int, make: Callable[[np.random.Generator], Looks]
) -> FalseClaims:
    """Run a world of equal versions and count the claims and the upgrades."""
    rng = np.random.default_rng(SEED)
    said, moves = [], 0
    for _ in range(runs):
        looks = make(rng)
        first, _number = first_claim(looks)
        said.append(first)
        moves += bool(first) and upgraded(looks)
    return FalseClaims(
        world=world,
        runs=runs,
        better=said.count(1) / runs,
        worse=said.count(-1) / runs,
        upgraded=moves / runs,
    )


def stopping(*, rise: float, runs: int, history: int = 0) -> Stopping:
    """Quality ~ Beta(6, 2) against a mean `rise` higher, 20 samples a side a day, a daily look.

    Counted are the samples since the candidate came.
    """
    rng = np.random.default_rng(SEED)
    days = []
    for _ in range(runs):
        looks = worlds.one_task(
            rng,
            current=worlds.beta(0.75),
            candidate=worlds.beta(0.75 + rise),
            looks=200,
            history=history,
        )
        said, number = first_claim(looks)
        days.append(number if said == 1 else 10**6)
    samples = [day * 2 * worlds.PER_LOOK for day in days]
    found = [count for count in samples if count < 10**6]
    return Stopping(
        rise=rise,
        median=statistics.median(samples),
        mean=statistics.fmean(found),
        early=statistics.fmean([count for count in found if count <= 60 * 2 * worlds.PER_LOOK]),
        never=1 - len(found) / runs,
    )


EQUAL_WORLDS: dict[str, tuple[int, Callable[[np.random.Generator], Looks]]] = {
    "beta (6, 2)": (
        500,
        lambda rng: worlds.one_task(rng, current=worlds.beta(0.75), candidate=worlds.beta(0.75)),
    ),
    "binary, 70 %": (
        500,
        lambda rng: worlds.one_task(rng, current=worlds.binary(0.7), candidate=worlds.binary(0.7)),
    ),
    "binary, 97 %": (
        500,
        lambda rng: worlds.one_task(
            rng, current=worlds.binary(0.97), candidate=worlds.binary(0.97)
        ),
    ),
    "skewed": (
        500,
        lambda rng: worlds.one_task(
            rng,
            current=worlds.beta(0.95, weight=4),
            candidate=worlds.beta(0.95, weight=4),
        ),
    ),
    "heavy-tailed": (
        500,
        lambda rng: worlds.one_task(
            rng, current=worlds.heavy_tailed(), candidate=worlds.heavy_tailed()
        ),
    ),
    "zero-inflated": (
        500,
        lambda rng: worlds.one_task(
            rng, current=worlds.zero_inflated(), candidate=worlds.zero_inflated()
        ),
    ),
    "all equal": (
        50,
        lambda rng: worlds.one_task(rng, current=worlds.all_equal(), candidate=worlds.all_equal()),
    ),
    "arms 1:20, beta": (
        500,
        lambda rng: worlds.one_task(
            rng,
            current=worlds.beta(0.75),
            candidate=worlds.beta(0.75),
            per_current=200,
            per_candidate=10,
        ),
    ),
    "arms 1:20, binary 90 %": (
        500,
        lambda rng: worlds.one_task(
            rng,
            current=worlds.binary(0.9),
            candidate=worlds.binary(0.9),
            per_current=200,
            per_candidate=10,
        ),
    ),
    "arms 1:20, heavy-tailed": (
        500,
        lambda rng: worlds.one_task(
            rng,
            current=worlds.heavy_tailed(),
            candidate=worlds.heavy_tailed(),
            per_current=200,
            per_candidate=10,
        ),
    ),
    "drifting mix of tasks": (200, worlds.drifting_mix),
    "autocorrelated, 0.5 a sample": (
        200,
        lambda rng: worlds.each_like_the_last(rng, memory=0.5),
    ),
    "autocorrelated, 0.8 a sample": (
        200,
        lambda rng: worlds.each_like_the_last(rng, memory=0.8),
    ),
    "good and bad days": (200, lambda rng: worlds.good_and_bad_days(rng, memory=0.0)),
    "good and bad days, 0.5 a day": (
        200,
        lambda rng: worlds.good_and_bad_days(rng, memory=0.5),
    ),
    "good and bad days, 0.7 a day": (
        1000,
        lambda rng: worlds.good_and_bad_days(rng, memory=0.7),
    ),
    "the same, after a fortnight": (
        300,
        lambda rng: worlds.good_and_bad_days(rng, memory=0.7, history=worlds.HISTORY),
    ),
    "the same, twice as far": (
        200,
        lambda rng: worlds.good_and_bad_days(rng, memory=0.7, spread=0.1),
    ),
    "little, 0.7 a day": (
        300,
        lambda rng: worlds.good_and_bad_days(rng, memory=0.7, spread=0.02),
    ),
    "little, 0.7 a day, much traffic": (
        1500,
        lambda rng: worlds.good_and_bad_days(rng, memory=0.7, spread=0.02, per_look=200),
    ),
    "only the candidate, 0.7 a day": (
        500,
        lambda rng: worlds.good_and_bad_days(rng, memory=0.7, current_spread=0),
    ),
    "only the candidate, after a fortnight": (
        500,
        lambda rng: worlds.good_and_bad_days(
            rng, memory=0.7, current_spread=0, history=worlds.HISTORY
        ),
    ),
}
