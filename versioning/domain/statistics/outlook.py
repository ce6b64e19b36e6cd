"""What a run of so many cases can show, said before it begins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from .noninferiority import RISK, passes

LEAST_MARGIN = Decimal("0.02")
MOST_MARGIN = Decimal("0.1")
"""A tenth of the score is the most that "not worse" may hide where nobody has said more."""

USUAL_DIFFERING = 0.1
"""Share of cases that two equal versions answer differently, where no run has shown it."""

WANTED = 0.8
"""How often an equal version should pass."""

_STEP = Decimal("0.005")
_MOST_EXACT = 2_000
"""Cases beyond which the normal approximation stands for the exact test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How often an equal version passes (0 to 1), and what it takes to pass in 80 %.

    `differing` is the share of cases that is reckoned to come out differently, half each way.
    """

    cases: int
    margin: Decimal
    passes: float
    differing: float
    cases_needed: int
    margin_needed: Decimal

    @property
    def sentence(self) -> str:
        """Say it in one sentence or two."""
        said = (
            f"With {self.cases:,} {'case' if self.cases == 1 else 'cases'} and a margin of "
            f"{self.margin.normalize():f}, an equal version passes in about {self.passes:.0%} "
            "of runs"
        )
        if self.passes >= WANTED:
            return f"{said}."
        return (
            f"{said}; for {WANTED:.0%}, {self.cases_needed:,} cases or a margin of "
            f"{self.margin_needed.normalize():f} are needed."
        )


def fitting_margin(cases: int) -> Decimal:
    """Return the margin for so many cases where none was set, 0.02 to 0.1: see `margin_for`."""
    return min(MOST_MARGIN, max(LEAST_MARGIN, margin_for(cases=cases, differing=USUAL_DIFFERING)))


def margin_for(*, cases: int, differing: float) -> Decimal:
    """Return the margin at which an equal version passes in 80 %, rounded up to half a point.

    At least what as many equal answers can show: 1 - 0.05^(1 / n), about 3 / n.
    """
    if cases < 1:
        return Decimal(1)
    least = 1 - RISK ** (1 / cases)
    margin = max(least, _quantiles() * math.sqrt(differing / cases))
    steps = (Decimal(f"{min(1.0, margin):.6f}") / _STEP).to_integral_value(rounding=ROUND_UP)
    return steps * _STEP


def outlook(*, cases: int, margin: Decimal, differing: float | None = None) -> Outlook:
    """Say what a run of `cases` shows of an equal version."""
    share = USUAL_DIFFERING if differing is None else min(1.0, differing)
    passing = _passes(cases=cases, margin=float(margin), differing=share)
    needed = _cases_for(margin=float(margin), differing=share)
    wide = margin_for(cases=cases, differing=share)
    if passing < WANTED:
        # The normal approximation behind both is a little hopeful.
        needed, wide = max(needed, cases + 1), max(wide, margin + _STEP)
    return Outlook(
        cases=cases,
        margin=margin,
        passes=passing,
        differing=share,
        cases_needed=needed,
        margin_needed=min(Decimal(1), wide),
    )


def _passes(*, cases: int, margin: float, differing: float) -> float:
    from scipy.stats import norm

    if cases <= _MOST_EXACT:
        return passes(n=cases, margin=margin, differing=differing)
    if not differing:
        return 1.0
    reach = margin / math.sqrt(differing / cases) - float(norm.ppf(1 - RISK))
    return float(norm.cdf(reach))


def _cases_for(*, margin: float, differing: float) -> int:
    if margin <= 0:
        return 10**9
    least = math.log(RISK) / math.log1p(-min(margin, 0.999))
    return math.ceil(1.1 * max(least, differing * (_quantiles() / margin) ** 2))


def _quantiles() -> float:
    from scipy.stats import norm

    return float(norm.ppf(1 - RISK) + norm.ppf(WANTED))
