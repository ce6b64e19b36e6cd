"""Look at a stream after every day, as staff and the scheduler do."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from tests.simulation.worlds import Run, World
from versioning.domain.statistics.comparison import Comparison, compare
from versioning.domain.statistics.contrast import difference
from versioning.domain.statistics.decision import Decision
from versioning.domain.statistics.inputs import WEIGHTS, Basis, Stratum, Thresholds
from versioning.domain.statistics.intervals import ALPHA
from versioning.domain.statistics.verdict import Verdict, quality_groups

SEED = 20_260_101
MARGIN = 0.02

ANY_IMPROVEMENT = Thresholds(
    min_quality_improvement=Decimal("0.001"),
    max_error_rise=None,
    max_error_times=None,
    max_latency_rise=None,
    max_cost_rise=None,
)
"""The weakest demand for an improvement, and no gate that could hold it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseClaims:
    """How often two equal versions were, at some look, upgraded or blocked."""

    runs: int
    upgraded: float
    blocked: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """After how many samples of both sides a better version was called better, within 60 days."""

    mean: float
    median: float
    found: float


def may_claim(strata: list[Stratum], *, above: float = 0.0) -> bool:
    """Return whether there is a claim if days were all alike: they only ever widen the interval."""
    groups = quality_groups(strata, basis=Basis.SIDE_BY_SIDE, weights=WEIGHTS)
    found = difference(groups, basis=Basis.SIDE_BY_SIDE, design=1.0)
    # Without a day side by side nothing is known beforehand.
    return found is None or abs(found.estimate + above) > found.half_width(alpha=ALPHA)


def looks(run: Run, *, every: int = 1, above: float = 0.0) -> list[Comparison]:
    """Return the comparisons of those looks at which a claim is possible at all."""
    last = max(day.number for day in run.candidate)
    return [
        compare(strata=run.strata(look), thresholds=ANY_IMPROVEMENT, slices=run.tagged(look))
        for look in range(0, last + 1, every)
        if may_claim(run.strata(look), above=above)
    ]


def false_claims(
    *, runs: int, make: Callable[[np.random.Generator], Run], every: int = 1
) -> FalseClaims:
    """Run a world of equal versions and count the runs with a false upgrade or block."""
    rng = np.random.default_rng(SEED)
    upgraded = blocked = 0
    for _ in range(runs):
        said = {found.decision for found in looks(make(rng), every=every)}
        upgraded += Decision.UPGRADE in said
        blocked += Decision.BLOCKED in said
    return FalseClaims(runs=runs, upgraded=upgraded / runs, blocked=blocked / runs)


def false_not_worse(*, runs: int, world: World) -> float:
    """Return how often a version that is worse by the margin was called not worse, or better."""
    rng = np.random.default_rng(SEED)
    fine = {Verdict.NOT_WORSE, Verdict.BETTER}
    wrong = sum(
        any(found.verdict in fine for found in looks(world.run(rng), above=MARGIN))
        for _ in range(runs)
    )
    return wrong / runs


def stopping(*, world: World, runs: int) -> Stopping:
    """Look daily until the candidate is called better; counted are the samples of both sides."""
    rng = np.random.default_rng(SEED)
    samples = []
    for _ in range(runs):
        run = world.run(rng)
        for look in range(len(run.candidate)):
            strata = run.strata(look)
            if look >= 6 and may_claim(strata):
                found = compare(strata=strata, thresholds=ANY_IMPROVEMENT)
                if found.verdict is Verdict.BETTER:
                    samples.append(found.quality.n_current + found.quality.n_candidate)
                    break
    return Stopping(
        mean=statistics.fmean(samples) if samples else float("nan"),
        median=statistics.median(samples) if samples else float("nan"),
        found=len(samples) / runs,
    )
