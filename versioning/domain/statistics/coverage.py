"""Is as much known of one version's requests as of the other's, and what may the unknown hide?

A signal is compared over the requests that have it. That is fair while having it has nothing to
do with the version: so unequal shares are a doubt, however good the figures look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .sequence import FLOOR, half_width

RISK = 0.05
"""Risk of calling equal shares unequal, over all looks and all signals together."""

LEAST_POINTS = 0.02
LEAST_ODDS = 1.25
"""How far shares must be apart to matter: by points, and by the odds of being known."""

LEAST_CELLS = 7
"""Cells below which nothing is said: users who always answer come in clumps, and fewer cells
don't show how large these are. Nothing moves in less than a week anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """How many requests of one day and task each version had, and of how many it is known."""

    n_current: int
    known_current: int
    n_candidate: int
    known_candidate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The shares of requests of which it is known, 0 to 1, over days and tasks of both.

    `half` is the half-width of their difference, good at every look.
    """

    current: float
    candidate: float
    half: float

    @property
    def are_unequal(self) -> bool:
        """Whether the shares surely differ, and by enough to matter."""
        apart = abs(self.candidate - self.current)
        if apart <= self.half or apart < LEAST_POINTS:
            return False
        low, high = sorted((self.current, self.candidate))
        return high * (1 - low) >= LEAST_ODDS * low * (1 - high)


def shares(cells: Sequence[Cell], *, alpha: float = RISK) -> Shares | None:
    """Compare what is known of both on the days and tasks that both have; None without any.

    Cell by cell, so that what changes for both (a survey that begins, a quiet weekend) cancels:
    Cochran-Mantel-Haenszel weights n m / (n + m), the variance of a share or that between cells
    (users who always answer come in clumps), whichever is more.
    """
    both = [cell for cell in cells if cell.n_current and cell.n_candidate]
    if not both:
        return None
    weights = [_weight(cell) for cell in both]
    total = math.fsum(weights)
    current = math.fsum(
        w * c.known_current / c.n_current for w, c in zip(weights, both, strict=True)
    )
    candidate = math.fsum(
        w * c.known_candidate / c.n_candidate for w, c in zip(weights, both, strict=True)
    )
    apart = (candidate - current) / total
    variance = math.fsum(w * _pooled(c) for w, c in zip(weights, both, strict=True)) / total**2
    scatter = math.fsum(w**2 * (_apart(c) - apart) ** 2 for w, c in zip(weights, both, strict=True))
    # Student's excess over the normal, about: a few cells' scatter is often too small.
    excess = (len(both) + 1) / max(1, len(both) - 3)
    variance = max(variance, scatter / total**2 * excess)
    reach = 4 * total
    return Shares(
        current=current / total,
        candidate=candidate / total,
        half=math.inf
        if reach < 2 * FLOOR or len(both) < LEAST_CELLS
        else half_width(n=reach, variance=variance, alpha=alpha),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the difference (candidate minus current) of all requests may be, known or not."""

    as_failures: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """For a sentence."""
        return (
            f"if all without it were failures the difference would be {self.as_failures:+.2f}, and "
            f"whatever they are it lies between {self.low:+.2f} and {self.high:+.2f}"
        )


def bounds(
    *, share_current: float, mean_current: float, share_candidate: float, mean_candidate: float
) -> Bounds:
    """Return the worst and the best that requests without a score could make of a difference.

    Scores lie between 0 and 1, so the mean over all lies between c m and c m + 1 - c (Manski,
    "Nonparametric bounds on treatment effects", 1990).
    """
    current, candidate = share_current * mean_current, share_candidate * mean_candidate
    return Bounds(
        as_failures=candidate - current,
        low=candidate - current - (1 - share_current),
        high=candidate - current + (1 - share_candidate),
    )


def _weight(cell: Cell) -> float:
    return cell.n_current * cell.n_candidate / (cell.n_current + cell.n_candidate)


def _pooled(cell: Cell) -> float:
    """Return the variance of one request's being known; never zero, as for equal scores."""
    n = cell.n_current + cell.n_candidate
    share = (cell.known_current + cell.known_candidate + 0.5) / (n + 1)
    return share * (1 - share)


def _apart(cell: Cell) -> float:
    return cell.known_candidate / cell.n_candidate - cell.known_current / cell.n_current
