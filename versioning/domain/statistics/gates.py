"""Gates beside quality: errors, latency and cost per successful request."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .contrast import Basis, Difference, Kind, difference, groups_of
from .evidence import Day, Stratum
from .figures import hundredths, significant
from .moments import Moments
from .money import per_thousand
from .needed import Needed, needed_until
from .ratios import CannotSay, Ratio, cost_ratio, latency_ratio
from .sequence import FLOOR
from .thresholds import PerDay, Thresholds, exact, rise

ERROR_TOLERANCE = Decimal("0.005")
"""Points above its limit below which an error rate must surely lie to pass, and above which it must
be measured to fail: one that is exactly as high as it may be is rarely stopped."""

RATIO_TOLERANCE = Decimal("0.05")
"""The same for a rise of latency or cost, or a quarter of the limit where that is more."""

SURELY = Decimal("0.5")
"""Part of its limit by which latency or cost must surely have risen, with the estimate above the
whole limit, to fail. Errors, being rare, must surely have risen at all."""

COMMON_ERRORS = 0.02
"""Points by which error rates may have changed for everybody between before and after."""

COMMON_RATIO = 1.25
"""Times by which latency and cost may have changed for everybody between before and after."""


class GateStatus(StrEnum):
    """Only passed is a pass; a policy may take "unsure" for enough."""

    PASSED = "passed"
    UNSURE = "unsure"
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
    *,
    strata: Sequence[Stratum],
    thresholds: Thresholds,
    per_day: PerDay | None = None,
    basis: Basis = Basis.SIDE_BY_SIDE,
    alike: bool = True,
) -> tuple[Gate, ...]:
    """Return every gate that the thresholds ask for; each gets an equal part of alpha.

    Where the sides are not side by side, or not alike, what may have changed for everybody is let
    pass as well, and nothing is surely within a limit.
    """
    rises = (
        thresholds.error_limit(0.0),
        thresholds.max_latency_rise,
        thresholds.max_cost_rise,
    )
    # Each limit is a question with one side: all of its risk lies there.
    alpha = min(0.5, 2 * thresholds.alpha / max(1, sum(limit is not None for limit in rises)))
    look = _Look(
        strata=tuple(strata),
        alpha=alpha,
        basis=basis,
        common=basis is Basis.BEFORE_AFTER or not alike,
        per_day=per_day,
    )
    gates = []
    if rises[0] is not None:
        gates.append(_error_gate(look, thresholds=thresholds))
    if thresholds.max_latency_rise is not None:
        gates.append(
            _ratio_gate(
                look,
                name="latency_p95",
                limit=thresholds.max_latency_rise,
                measure=lambda: latency_ratio(strata=strata, basis=basis),
                figure=lambda milliseconds: f"{milliseconds:,.0f} ms",
                what="latency p95",
            )
        )
    if thresholds.max_cost_rise is not None:
        gates.append(
            _ratio_gate(
                look,
                name="cost_per_success",
                limit=thresholds.max_cost_rise,
                measure=lambda: cost_ratio(strata=strata, basis=basis),
                figure=per_thousand,
                what="cost per 1,000 successful requests",
            )
        )
    return tuple(gates)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What gates are checked on; `common` says that something else may have changed as well."""

    strata: tuple[Stratum, ...]
    alpha: float
    basis: Basis
    common: bool
    per_day: PerDay | None


def _error_gate(look: _Look, *, thresholds: Thresholds) -> Gate:
    groups = groups_of(look.strata, values=_failures, basis=look.basis)
    found = difference(groups, basis=look.basis, kind=Kind.RATES)
    if found is None:
        return Gate(
            name="errors",
            status=GateStatus.UNKNOWN,
            limit=thresholds.error_limit(0.0) or Decimal(0),
            reason="error rate: no task has requests on both sides",
        )
    limit = thresholds.error_limit(found.current) or Decimal(0)
    allowed = COMMON_ERRORS if look.common else 0.0
    low, high = found.low(alpha=look.alpha), found.high(alpha=look.alpha)
    current, candidate = exact(found.current), exact(found.candidate)
    value = candidate - current
    needed = None
    beyond = value > limit + exact(allowed) + ERROR_TOLERANCE
    if exact(low - allowed) > 0 and beyond:
        status, tail = GateStatus.FAILED, f"surely more: at least {hundredths(low)}"
    elif min(found.reach_current, found.reach_candidate) < FLOOR:
        status, tail = GateStatus.UNKNOWN, f"fewer than {FLOOR} requests a side"
    elif value > limit:
        status, tail = GateStatus.UNKNOWN, "above the limit, but not surely"
    elif not look.common and exact(high) < limit + ERROR_TOLERANCE:
        status, tail = GateStatus.PASSED, f"surely at most {hundredths(high)}"
    else:
        status, tail = GateStatus.UNSURE, f"within the limit, not surely: up to {hundredths(high)}"
    if status is not GateStatus.FAILED and status is not GateStatus.PASSED:
        needed = _until_sure(look, found=found, limit=float(limit + ERROR_TOLERANCE))
        tail = f"{tail}; {needed.words}"
    return Gate(
        name="errors",
        status=status,
        limit=limit,
        reason=f"error rate {current:.1%} -> {candidate:.1%} "
        f"({_times(found)}{hundredths(float(value))}, limit {hundredths(float(limit))}): {tail}",
        value=value,
        low=low,
        high=high,
        current=float(current),
        candidate=float(candidate),
        needed=needed,
    )


def _until_sure(look: _Look, *, found: Difference, limit: float) -> Needed:
    """Say how many more requests would show that errors lie within the limit and its tolerance."""
    return needed_until(
        difference=found,
        goal=lambda truth: limit - truth,
        alpha=look.alpha,
        per_day=look.per_day,
    )


def _times(found: Difference) -> str:
    """Say "3 times as many" where there are at least half as many again."""
    if not found.current or found.candidate < 1.5 * found.current:
        return ""
    return f"{significant(found.candidate / found.current, digits=2)} times as many, "


def _failures(_stratum: Stratum, day: Day, _is_candidate: bool) -> Moments:
    return Moments.of_binary(hits=day.errors, n=day.n)


def _ratio_gate(
    look: _Look,
    *,
    name: str,
    what: str,
    limit: Decimal,
    measure: Callable[[], Ratio],
    figure: Callable[[float], str],
) -> Gate:
    try:
        ratio = measure()
    except CannotSay as reason:
        return Gate(name=name, status=GateStatus.UNKNOWN, limit=limit, reason=f"{what}: {reason}")
    value = rise(before=ratio.current, after=ratio.candidate)
    rose = f"{_percent(value)}" if value is not None else "from nothing"
    status = _ratio_status(look, ratio=ratio, value=value, limit=limit)
    low, high = ratio.interval(alpha=look.alpha)
    tails = {
        GateStatus.FAILED: f"surely above {_percent(SURELY * limit)}",
        GateStatus.PASSED: f"surely below {_percent(limit + _tolerance(limit))}",
        GateStatus.UNSURE: f"within the limit, not surely: {_up_to(high)}",
        GateStatus.UNKNOWN: "above the limit, but not surely; more requests will tell",
    }
    return Gate(
        name=name,
        status=status,
        limit=limit,
        reason=f"{what} {figure(ratio.current)} -> {figure(ratio.candidate)} "
        f"({rose}, limit {_percent(limit)}): {tails[status]}",
        value=value,
        low=_finite(low - 1),
        high=_finite(high - 1),
        current=ratio.current,
        candidate=ratio.candidate,
    )


def _ratio_status(
    look: _Look, *, ratio: Ratio, value: Decimal | None, limit: Decimal
) -> GateStatus:
    """Return how a ratio stands to its limit; a free side stays free, or rises from nothing."""
    allowed = COMMON_RATIO if look.common else 1.0
    within = ratio.candidate <= 0 if value is None else value <= round(limit, 9)
    if within:
        most = float(1 + limit + _tolerance(limit))
        sure = not look.common and ratio.surely_below(most, alpha=look.alpha)
        return GateStatus.PASSED if sure or not ratio.candidate else GateStatus.UNSURE
    beyond = value is None or float(1 + value) > float(1 + limit) * allowed
    least = float(1 + SURELY * limit) * allowed
    if beyond and ratio.surely_above(least, alpha=look.alpha):
        return GateStatus.FAILED
    return GateStatus.UNKNOWN


def _tolerance(limit: Decimal) -> Decimal:
    return max(RATIO_TOLERANCE, limit / 4)


def _up_to(high: float) -> str:
    return f"up to {_percent(high - 1)}" if math.isfinite(high) else "perhaps far more"


def _percent(fraction: Decimal | float) -> str:
    """Return +20 %, or +12.5 % where it has a part."""
    return f"{significant(float(fraction) * 100, sign=True)} %"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
