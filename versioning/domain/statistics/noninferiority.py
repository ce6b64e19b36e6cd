"""Not worse by more than a margin, on cases that passed or failed: the test, and its power.

Only the cases on which the two differ say anything: `won` where the new version alone passed,
`lost` where the one in use alone did. Cases that came out alike count by their number. What a run
of so many cases can show is said before it begins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .figures import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

RISK = 0.05
"""How often a version that is worse by the margin is called not worse, at most."""

_GRID = 40
"""Points at which the share of differing cases, which nobody knows, is tried; the worst counts."""


def p_not_worse(*, won: int, lost: int, n: int, margin: float) -> float:
    """Return how likely a version worse by `margin` (0 to 1) does at least so well; exact.

    Cases are ordered by the score statistic of Tango ("Equivalence test and confidence interval
    for the difference in proportions for the paired-sample design", Statistics in Medicine 1998);
    the probability is that of the worst share of differing cases (unconditional: Barnard 1945).
    """
    if margin <= 0 or margin >= 1 or n < 1:
        return 1.0
    seen = float(_statistic(won, lost, n=n, margin=margin))
    # Less a hair: outcomes as good as the one seen count, however their statistic is rounded.
    least = _least_won(n=n, margin=margin, reach=seen - 1e-9)
    return max(
        _reached(least, n=n, won=share - margin, lost=share) for share in _shares(margin=margin)
    )


def passes(*, n: int, margin: float, differing: float, risk: float = RISK) -> float:
    """Return how often an equal version is called not worse on `n` cases, 0 to 1.

    `differing` is the share of cases on which two versions differ, half of them each way.
    """
    if margin <= 0 or n < 1:
        return 0.0
    critical = _critical(n=n, margin=round(margin, 6), risk=risk)
    if critical is None:
        return 0.0
    least = _least_won(n=n, margin=margin, reach=critical)
    return _reached(least, n=n, won=differing / 2, lost=differing / 2)


def score_interval(*, won: int, lost: int, n: int, alpha: float) -> tuple[float, float]:
    """Return the differences (new minus in use, -1 to 1) that the score test doesn't reject.

    Two-sided, by bisection (Tango 1998).
    """
    return -_most_lost(won=won, lost=lost, n=n, alpha=alpha), _most_lost(
        won=lost, lost=won, n=n, alpha=alpha
    )


def _most_lost(*, won: int, lost: int, n: int, alpha: float) -> float:
    """Return by how much the version may be worse, -1 to 1, for all that the test says."""
    from scipy.stats import norm

    reach = float(norm.ppf(1 - alpha / 2))
    low, high = (lost - won) / n, 1.0
    for _ in range(40):  # halves to less than 1e-11
        middle = (low + high) / 2
        rejected = float(_statistic(won, lost, n=n, margin=middle)) > reach
        low, high = (low, middle) if rejected else (middle, high)
    return high


@lru_cache(maxsize=256)
def _critical(*, n: int, margin: float, risk: float) -> float | None:
    """Return the least statistic that is reached with at most the risk; None when none is."""
    low, high = 0.0, 2 * math.sqrt(n)
    # An estimate for before a run: fewer points than for its verdict.
    shares = _shares(margin=margin)[:: _GRID // 10]

    def risky(reach: float) -> bool:
        least = _least_won(n=n, margin=margin, reach=reach)
        return any(_reached(least, n=n, won=q - margin, lost=q) > risk for q in shares)

    if risky(high):
        return None
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (middle, high) if risky(middle) else (low, middle)
    # No outcome at all may reach so far.
    best = float(_statistic(n, 0, n=n, margin=margin))
    return high if best >= high else None


def _shares(*, margin: float) -> list[float]:
    """Return the shares of lost cases to try: from the margin to what all cases differing gives."""
    most = (1 + margin) / 2
    # Denser near the margin, where the probability bends.
    return [margin + (most - margin) * (step / _GRID) ** 2 for step in range(_GRID + 1)]


def _statistic(won: Any, lost: Any, *, n: int, margin: float) -> Any:
    """Return how far won - lost lies above -n margin, in standard deviations under it."""
    import numpy as np

    b, c = np.asarray(won, dtype=float), np.asarray(lost, dtype=float)
    shift = -margin
    middle = -b - c + (2 * n - b + c) * shift
    root = np.sqrt(np.maximum(0.0, middle**2 + 8 * n * c * shift * (1 - shift)))
    share = np.maximum((root - middle) / (4 * n), max(0.0, margin))
    return (b - c - n * shift) / np.sqrt(n * np.maximum(2 * share + shift * (1 - shift), 1e-12))


def _least_won(*, n: int, margin: float, reach: float) -> Floats:
    """Return for each number of lost cases how many must be won to reach a statistic.

    n + 1 - lost where none would do. The statistic grows with cases won.
    """
    import numpy as np

    lost = np.arange(n + 1)
    low, high = np.zeros(n + 1), n + 1.0 - lost
    for _ in range(max(1, math.ceil(math.log2(n + 2)))):
        middle = np.floor((low + high) / 2)
        reached = _statistic(middle, lost, n=n, margin=margin) >= reach
        inside = middle < high
        high = np.where(reached & inside, middle, high)
        low = np.where(~reached & inside, np.minimum(middle + 1, high), low)
    return high


def _reached(least: Floats, *, n: int, won: float, lost: float) -> float:
    """Return how likely at least so many are won, where cases are won and lost so often."""
    import numpy as np
    from scipy.stats import binom

    number = np.arange(n + 1)
    others = max(1e-15, 1 - lost)
    beyond = binom.sf(least - 1, n - number, min(1.0, max(0.0, won / others)))
    return float(np.sum(binom.pmf(number, n, lost) * np.where(least > n - number, 0.0, beyond)))


# To show this takes some 1,500 cases already, where a tenth comes out differently:
# (1.64 + 0.84)^2 0.1 / 0.02^2, for a risk of 5 % and a power of 80 %.
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
            f"With {counted(self.cases, 'case')} and a margin of "
            f"{self.margin.normalize():f}, an equal version passes in about {self.passes:.0%} "
            "of runs"
        )
        if self.passes >= WANTED:
            return f"{said}."
        return (
            f"{said}; for {WANTED:.0%}, {counted(self.cases_needed, 'case')} or a margin of "
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
