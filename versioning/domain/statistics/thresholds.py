"""What a comparison is asked: limits, traffic and the split that was meant."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .sequence import ALPHA


def exact(value: float) -> Decimal:
    """Return a figure as a person would write it, to twelve digits: 0.1 + 0.2 is 0.3."""
    return Decimal(f"{value:.12g}")


def rise(*, before: float, after: float) -> Decimal | None:
    """Return the rise relative to `before` to nine decimals; None from 0.

    From 2/3 to 11/15 is exactly 0.1, though neither can be written down exactly.
    """
    if not before:
        return None
    value = (Decimal(after) - Decimal(before)) / Decimal(before)
    return value if value > 10**9 else exact(round(float(value), 9) + 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """A policy's limits; fractions, so 0.1 is ten per cent.

    min_quality_improvement: rise of mean quality relative to the current version's. 0 asks only
        for "not worse" (a move for another reason: price, retirement).
    not_worse_margin: points of quality (0 to 1) that a version may lie below and still count as
        not worse.
    max_error_rise: points of error rate that the whole interval must stay below.
    max_latency_rise, max_cost_rise: rise of p95 latency, of cost per successful request, relative
        to the current version. None leaves a gate out.
    max_uncovered_share: share of traffic that may run on tasks without evidence.
    min_quality_coverage: share of requests with a score below which a warning is given.
    alpha: risk of a wrong claim, over all looks.
    """

    min_quality_improvement: Decimal = Decimal("0")
    not_worse_margin: Decimal = Decimal("0.02")
    max_error_rise: Decimal | None = Decimal("0.02")
    max_latency_rise: Decimal | None = Decimal("0.2")
    max_cost_rise: Decimal | None = Decimal("0.2")
    max_uncovered_share: Decimal = Decimal("0.05")
    min_quality_coverage: Decimal = Decimal("0.2")
    alpha: float = ALPHA

    def __post_init__(self) -> None:
        limits = (
            self.min_quality_improvement,
            self.not_worse_margin,
            self.max_error_rise,
            self.max_latency_rise,
            self.max_cost_rise,
            self.max_uncovered_share,
            self.min_quality_coverage,
        )
        if any(limit is not None and limit < 0 for limit in limits):
            raise ValueError("A threshold is a fraction from 0 up.")
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha is a risk between 0 and 1, not {self.alpha}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PerDay:
    """Requests a day that each side gets at present, over the tasks that are compared."""

    current: float
    candidate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How traffic was meant to be split while both served, and how it was."""

    expected_share: Decimal
    current: int
    candidate: int

    def __post_init__(self) -> None:
        if not 0 < self.expected_share < 1:
            raise ValueError("The candidate's expected share lies between 0 and 1.")
