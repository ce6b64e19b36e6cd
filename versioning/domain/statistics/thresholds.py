"""What a comparison is asked: limits, traffic and the split that was meant."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .sequence import ALPHA

ERROR_FLOOR = Decimal("0.01")
"""A rise of the error rate by a point is let pass, however many times the rate it is."""


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
    max_error_rise: points of error rate that it may rise by.
    max_error_times: how many times the current version's error rate it may be, or a point above
        it (`ERROR_FLOOR`) where that is more; the stricter of both limits holds.
    max_latency_rise, max_cost_rise: rise of p95 latency, of cost per successful request, relative
        to the current version. None leaves a gate out.
    max_uncovered_share: share of traffic that may run on tasks without evidence.
    min_quality_coverage: share of requests below which a part of quality that is known of them
        gets a warning, with what the others may hide.
    accept_unsure: whether a gate whose estimate is within its limit, but not surely, is enough.
    alpha: risk of a wrong claim, over all looks.
    """

    min_quality_improvement: Decimal = Decimal("0")
    not_worse_margin: Decimal = Decimal("0.02")
    max_error_rise: Decimal | None = Decimal("0.02")
    max_error_times: Decimal | None = Decimal("2")
    max_latency_rise: Decimal | None = Decimal("0.2")
    max_cost_rise: Decimal | None = Decimal("0.2")
    max_uncovered_share: Decimal = Decimal("0.05")
    min_quality_coverage: Decimal = Decimal("0.5")
    accept_unsure: bool = False
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
        if self.max_error_times is not None and self.max_error_times < 1:
            raise ValueError("Errors may at least be as many as they are: 1 time or more.")
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha is a risk between 0 and 1, not {self.alpha}.")

    def error_limit(self, rate: float) -> Decimal | None:
        """Return the points that an error rate (of the current version) may rise by.

        None where no limit is set.
        """
        limits = [] if self.max_error_rise is None else [self.max_error_rise]
        if self.max_error_times is not None:
            limits.append(max(ERROR_FLOOR, (self.max_error_times - 1) * exact(rate)))
        return min(limits, default=None)


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
