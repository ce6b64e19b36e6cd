"""Gates beside quality: errors, latency and cost per successful request."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .evidence import Arm, Side, Stratum, covered, difference, paired_sides, share_side
from .judgement import Judgement, Needed, judge
from .money import per_thousand
from .ratios import CannotSay, Ratio, cost_ratio, latency_ratio
from .thresholds import PerDay, Thresholds, exact, rise


class GateStatus(StrEnum):
    """Unknown is no pass."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One limit and how the candidate stands against it.

    `value` is the rise (points of error rate, or a fraction of latency or cost) and `low` to
    `high` its interval, None where it has no end; `current` and `candidate` are the figures it
    comes from (rate, milliseconds, USD per success).
    """

    name: str
    status: GateStatus
    limit: Decimal
    reason: str
    value: Decimal | None = None
    low: float | None = None
    high: float | None = None
    current: float | None = None
    candidate: float | None = None
    needed: Needed | None = None


def check_gates(
    *, strata: Sequence[Stratum], thresholds: Thresholds, per_day: PerDay | None
) -> tuple[Gate, ...]:
    """Return every gate that the thresholds ask for; each gets an equal part of alpha."""
    limits = (thresholds.max_error_rise, thresholds.max_latency_rise, thresholds.max_cost_rise)
    alpha = thresholds.alpha / max(1, sum(limit is not None for limit in limits))
    gates = []
    if thresholds.max_error_rise is not None:
        gates.append(
            _error_gate(
                strata=strata, limit=thresholds.max_error_rise, alpha=alpha, per_day=per_day
            )
        )
    if thresholds.max_latency_rise is not None:
        gates.append(
            _ratio_gate(
                name="latency_p95",
                limit=thresholds.max_latency_rise,
                measure=lambda: latency_ratio(strata=strata, alpha=alpha),
                figure=lambda milliseconds: f"{milliseconds:,.0f} ms",
                what="latency p95",
            )
        )
    if thresholds.max_cost_rise is not None:
        gates.append(
            _ratio_gate(
                name="cost_per_success",
                limit=thresholds.max_cost_rise,
                measure=lambda: cost_ratio(strata=strata, alpha=alpha),
                figure=per_thousand,
                what="cost per 1,000 successful requests",
            )
        )
    return tuple(gates)


def _error_gate(
    *, strata: Sequence[Stratum], limit: Decimal, alpha: float, per_day: PerDay | None
) -> Gate:
    """Passed when the whole interval of the rise lies below the limit."""
    coverage = covered(strata, counted=lambda arm: arm.n)
    if not coverage.shared:
        return Gate(
            name="errors",
            status=GateStatus.UNKNOWN,
            limit=limit,
            reason="error rate: no task has requests on both sides",
        )
    # Judged as rates without error, so that more is better and "not worse" is the pass.
    rates = difference(paired_sides(coverage, side=_sound_side))
    judged = judge(difference=rates, alpha=alpha, margin=limit, per_day=per_day)
    status, tail = _error_status(judged, limit=limit)
    current, candidate = exact(1 - rates.current), exact(1 - rates.candidate)
    return Gate(
        name="errors",
        status=status,
        limit=limit,
        reason=f"error rate {current:.1%} -> {candidate:.1%} "
        f"({candidate - current:+.1%}, limit {limit:+.1%}): {tail}",
        value=candidate - current,
        low=_negated(judged.high),
        high=_negated(judged.low),
        current=float(current),
        candidate=float(candidate),
        needed=judged.needed,
    )


def _error_status(judged: Judgement, *, limit: Decimal) -> tuple[GateStatus, str]:
    low, high = _negated(judged.high), _negated(judged.low)
    if judged.needed is not None:
        return GateStatus.UNKNOWN, f"not sure yet, {judged.needed.words}"
    if exact(high) < limit:
        return GateStatus.PASSED, f"surely at most {high:+.1%}"
    if exact(low) > limit:
        return GateStatus.FAILED, f"surely at least {low:+.1%}"
    return GateStatus.UNKNOWN, "it rose, but perhaps by less than the limit"


def _sound_side(arm: Arm) -> Side:
    return share_side(hits=arm.n - arm.errors, n=arm.n)


def _negated(value: float | None) -> float:
    return -value if value is not None else math.nan


def _ratio_gate(
    *,
    name: str,
    what: str,
    limit: Decimal,
    measure: Callable[[], Ratio],
    figure: Callable[[float], str],
) -> Gate:
    """Passed when the estimate is within the limit, failed when the whole interval is beyond."""
    try:
        ratio = measure()
    except CannotSay as reason:
        return Gate(name=name, status=GateStatus.UNKNOWN, limit=limit, reason=f"{what}: {reason}")
    value = rise(before=ratio.current, after=ratio.candidate)
    rose = f"{value:+.1%}" if value is not None else "from nothing"
    status, tail = GateStatus.UNKNOWN, "above the limit, but not surely; more requests will tell"
    if ratio.candidate <= 0 if value is None else value <= round(limit, 9):
        status, tail = GateStatus.PASSED, "within the limit"
    elif ratio.low > 1 + limit:
        status, tail = GateStatus.FAILED, "surely above the limit"
    return Gate(
        name=name,
        status=status,
        limit=limit,
        reason=f"{what} {figure(ratio.current)} -> {figure(ratio.candidate)} "
        f"({rose}, limit {_percent(limit)}): {tail}",
        value=value,
        low=_finite(ratio.low - 1),
        high=_finite(ratio.high - 1),
        current=ratio.current,
        candidate=ratio.candidate,
    )


def _percent(limit: Decimal) -> str:
    """Return +20%, or +12.5% where it has a part."""
    return f"{float(limit) * 100:+.4g}%"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
