"""Arms and strata in one line, for tests."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from versioning.domain.statistics.evidence import Arm, Stratum
from versioning.domain.statistics.moments import Moments
from versioning.domain.statistics.sketch import Sketch
from versioning.domain.statistics.thresholds import Thresholds


def scores(mean: float | Fraction, *, n: int, spread: float = 0.1) -> Moments:
    """Moments of `n` scores with this mean and standard deviation."""
    return Moments(n, float(mean), spread**2 * max(0, n - 1), 0.0, 1.0)


def arm(
    mean: float | Fraction,
    *,
    n: int = 2000,
    scored: int | None = None,
    errors: int = 0,
    usd: float | None = 0.002,
    latency_ms: float = 800.0,
    spread: float = 0.1,
) -> Arm:
    """A version's record on a task, with equal costs and latencies."""
    latency = Sketch()
    latency._absorb(((key, count * n) for key, count in Sketch.of([latency_ms]).counts.items()))
    return Arm(
        n=n,
        quality=scores(mean, n=n if scored is None else scored, spread=spread),
        errors=errors,
        successes=n - errors,
        cost=Moments() if usd is None else Moments(n, usd, 0.0, usd, usd),
        latency=latency,
    )


def stratum(current: Arm, candidate: Arm, *, task: str = "summarise") -> Stratum:
    return Stratum(task=task, current=current, candidate=candidate)


def quality_only(**changes: object) -> Thresholds:
    """Thresholds without gates."""
    wanted = {"max_error_rise": None, "max_latency_rise": None, "max_cost_rise": None}
    return Thresholds(**{**wanted, **changes})  # type: ignore[arg-type]


TEN_PER_CENT = Decimal("0.1")
