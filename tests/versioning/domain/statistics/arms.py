"""Arms and strata in one line, for tests."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from versioning.domain.signals import QUALITY
from versioning.domain.statistics.inputs import Arm, Day, Stratum, Thresholds
from versioning.domain.statistics.summaries import Moments, Sketch

FORTNIGHT = range(14)


def scores(mean: float | Fraction, *, n: int, spread: float = 0.1) -> Moments:
    """Moments of `n` scores with this mean and standard deviation."""
    return Moments(n, float(mean), spread**2 * max(0, n - 1), 0.0, 1.0)


def arm(
    mean: float | Fraction,
    *,
    n: int = 2100,
    scored: int | None = None,
    errors: int = 0,
    usd: float | None = 0.002,
    latency_ms: float = 800.0,
    spread: float = 0.1,
    days: range = FORTNIGHT,
) -> Arm:
    """A version's record on a task, the same on each of the days, with equal costs and latencies.

    Counts are of all days together, shared out as evenly as they go.
    """
    shared = zip(
        days,
        _shares(n, len(days)),
        _shares(n if scored is None else scored, len(days)),
        _shares(errors, len(days)),
        strict=True,
    )
    return Arm(
        days=tuple(
            Day(
                number=number,
                n=count,
                errors=failed,
                components={QUALITY: scores(mean, n=with_score, spread=spread)}
                if with_score
                else {},
                cost=Moments() if usd is None else Moments(count, usd, 0.0, usd, usd),
                latency=_equal(latency_ms, count - failed),
            )
            for number, count, with_score, failed in shared
            if count
        )
    )


def stratum(current: Arm, candidate: Arm, *, task: str = "summarise") -> Stratum:
    return Stratum(task=task, current=current, candidate=candidate)


def quality_only(**changes: object) -> Thresholds:
    """Thresholds without gates."""
    wanted = {
        "max_error_rise": None,
        "max_error_times": None,
        "max_latency_rise": None,
        "max_cost_rise": None,
    }
    return Thresholds(**{**wanted, **changes})  # type: ignore[arg-type]


def _shares(whole: int, parts: int) -> list[int]:
    return [whole // parts + (number < whole % parts) for number in range(parts)]


def _equal(value: float, count: int) -> Sketch:
    latency = Sketch()
    latency._absorb(((key, n * count) for key, n in Sketch.of([value]).counts.items()))
    return latency


TEN_PER_CENT = Decimal("0.1")
