"""How many times the current version's latency or cost the candidate's is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .evidence import (
    Arm,
    Coverage,
    Difference,
    Side,
    Stratum,
    covered,
    difference,
    paired_sides,
    share_side,
)
from .sequence import half_width
from .sketch import quantile_of_mixture
from .thresholds import exact

RATIO_FLOOR = 100
"""Requests a side below which p95 (five of them lie above it) and cost say nothing."""

KNOWN_COST = Decimal("0.9")
"""Share of requests whose cost must be known before a cost per success is believed."""

TAIL = 0.95


class CannotSay(ValueError):
    """There is no ratio yet; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A figure of both sides, and the interval of candidate / current."""

    current: float
    candidate: float
    low: float
    high: float


def latency_ratio(*, strata: Sequence[Stratum], alpha: float) -> Ratio:
    """Return p95 of both sides in milliseconds, over the current version's mix of tasks.

    The interval is free of assumptions on the shape: the quantiles between which the true p95
    lies at every look, each side with half the risk. Raise CannotSay below 100 requests a side.
    """
    coverage = covered(strata, counted=lambda arm: arm.latency.n)
    known = _enough(coverage, side=lambda arm: share_side(hits=0, n=arm.latency.n))

    def around(pick: Callable[[Stratum], Arm], n: float) -> tuple[float, float, float]:
        parts = [
            (pick(stratum).latency, weight)
            for stratum, weight in zip(coverage.shared, coverage.weights(), strict=True)
        ]
        half = half_width(n=n, variance=TAIL * (1 - TAIL) / n, alpha=alpha / 2)
        low, middle, high = (
            quantile_of_mixture(parts=parts, q=min(1.0, max(0.0, q))) or 0.0
            for q in (TAIL - half, TAIL, TAIL + half)
        )
        return low, middle, math.inf if TAIL + half >= 1 else high

    low, current, high = around(_current, known.reach_current)
    bottom, candidate, top = around(_candidate, known.reach_candidate)
    return Ratio(
        current=current, candidate=candidate, low=_divided(bottom, high), high=_divided(top, low)
    )


def cost_ratio(*, strata: Sequence[Stratum], alpha: float) -> Ratio:
    """Return USD per successful request of both sides, over the current version's mix of tasks.

    Failures are paid too: mean cost / share of successes. The interval is that of the logarithm
    by the delta method. Raise CannotSay below 100 priced requests a side, when too many are not
    priced, or when nothing succeeded.
    """
    coverage = covered(strata, counted=lambda arm: arm.cost.n)
    if not coverage.shared and covered(strata, counted=lambda arm: arm.n).shared:
        raise CannotSay(
            "no request says what it cost; send cost_usd with samples, 0 for a server of your own"
        )
    spent = _enough(coverage, side=lambda arm: Side(values=arm.cost, spread=arm.cost.variance))
    known = min(_priced(coverage, _current), _priced(coverage, _candidate))
    if exact(known) < KNOWN_COST:
        raise CannotSay(f"cost is known for {known:.0%} of the requests only")
    usable = difference(
        paired_sides(coverage, side=lambda arm: share_side(hits=arm.successes, n=arm.n))
    )
    if not usable.current or not usable.candidate:
        raise CannotSay("one side has no successful request, so a success has no price")
    current, candidate = spent.current / usable.current, spent.candidate / usable.candidate
    ratio = _divided(candidate, current)
    # A free side has no logarithm: free stays free, and anything is infinitely more than free.
    spread = 1.0 if ratio in (0.0, math.inf) or not current else _spread(spent, usable, alpha)
    return Ratio(current=current, candidate=candidate, low=ratio / spread, high=ratio * spread)


def _spread(spent: Difference, usable: Difference, alpha: float) -> float:
    variance = (
        spent.variance_current / spent.current**2
        + spent.variance_candidate / spent.candidate**2
        + usable.variance_current / usable.current**2
        + usable.variance_candidate / usable.candidate**2
    )
    return math.exp(half_width(n=spent.n, variance=variance, alpha=alpha))


def _enough(coverage: Coverage, *, side: Callable[[Arm], Side]) -> Difference:
    if not coverage.shared:
        raise CannotSay("no task has such requests on both sides")
    found = difference(paired_sides(coverage, side=side))
    if found.reach < RATIO_FLOOR:
        raise CannotSay(f"{RATIO_FLOOR} requests a side are needed, there are {found.reach:.0f}")
    return found


def _current(stratum: Stratum) -> Arm:
    return stratum.current


def _candidate(stratum: Stratum) -> Arm:
    return stratum.candidate


def _priced(coverage: Coverage, pick: Callable[[Stratum], Arm]) -> float:
    arms = [pick(stratum) for stratum in coverage.shared]
    return sum(arm.cost.n for arm in arms) / sum(arm.n for arm in arms)


def _divided(above: float, below: float) -> float:
    if below:
        return above / below
    return math.inf if above else 1.0
