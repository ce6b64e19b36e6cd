"""How sure the figure of one day is: 95 % intervals for plots, each day by itself.

They show how far a day may be off by chance. No decision rests on them: those that look again and
again use confidence sequences (`sequence`).
"""

import math
from collections.abc import Mapping

from .moments import Moments

Z = 1.959964
"""The normal quantile of 97.5 %."""

Interval = tuple[float, float]


def of_mean(found: Moments) -> Interval | None:
    """Return the normal interval of a mean; None under two numbers."""
    return of_weighted_mean({"": found}, weights={"": 1.0})


def of_weighted_mean(
    components: Mapping[str, Moments], *, weights: Mapping[str, float]
) -> Interval | None:
    """Return the interval of a weighted mean of means, taken as independent of each other.

    None where one that counts has fewer than two numbers.
    """
    told = [(weights.get(name, 0.0), one) for name, one in components.items() if one.n]
    told = [(weight, one) for weight, one in told if weight]
    total = math.fsum(weight for weight, _ in told)
    if not total or any(one.n < 2 for _, one in told):
        return None
    mean = math.fsum(weight * one.mean for weight, one in told) / total
    variance = math.fsum((weight / total) ** 2 * one.variance / one.n for weight, one in told)
    reach = Z * math.sqrt(variance)
    return mean - reach, mean + reach


def of_share(*, hits: int, n: int) -> Interval | None:
    """Return the interval of a share, within 0 to 1; None for none (Wilson 1927)."""
    if not n:
        return None
    share, z2 = hits / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def ranks_of_quantile(quantile: float, *, n: int) -> Interval | None:
    """Return the quantiles between which a quantile lies, from 0 to 1; None where n is too small.

    Order statistics, whatever the distribution (Conover 1999, 3.2).
    """
    if not n:
        return None
    reach = Z * math.sqrt(quantile * (1 - quantile) / n)
    low, high = quantile - reach, quantile + reach
    return (low, high) if low > 0 and high < 1 else None
