"""Gates beside quality: the limits of the figures that have some.

Errors and other rates are compared by their difference; latency and cost are ratios,
candidate / current.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from versioning.domain.figure_kinds import Figure, Gated, Rate
from versioning.domain.figures import FIGURES

from .contrast import Difference, Group, ValueKind, difference, groups_of
from .figures import exact, hundredths, per_thousand, rise, significant
from .inputs import Arm, Basis, Day, PerDay, Stratum, Thresholds
from .intervals import FLOOR
from .summaries import Moments, Sketch, quantile_of_mixture
from .verdict import Needed, needed_until

ERROR_TOLERANCE = Decimal("0.005")
"""Points above its limit below which a rate must surely lie to pass, and above which it must
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

    @property
    def is_surely_less(self) -> bool:
        """Whether the figure surely fell, beside staying within its limit."""
        return self.status is GateStatus.PASSED and self.high is not None and self.high < 0


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
    asked = [figure for figure in FIGURES if _limit_of(figure, thresholds) is not None]
    # Each limit is a question with one side: all of its risk lies there.
    alpha = min(0.5, 2 * thresholds.alpha / max(1, len(asked)))
    look = _Look(
        strata=tuple(strata),
        alpha=alpha,
        basis=basis,
        common=basis is Basis.BEFORE_AFTER or not alike,
        per_day=per_day,
        thresholds=thresholds,
    )
    return tuple(_gate(look, figure) for figure in asked)


def _limit_of(figure: Figure, thresholds: Thresholds) -> Decimal | None:
    return None if figure.gated is None else thresholds.limit_of(figure.gated)


def _gate(look: _Look, figure: Figure) -> Gate:
    assert figure.gated is not None  # noqa: S101  (those without a gate have no limit)
    if figure.rate is not None:
        return _rate_gate(look, figure.gated, values=_values_of(figure))
    return _ratio_gate(look, figure.gated)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What gates are checked on; `common` says that something else may have changed as well."""

    strata: tuple[Stratum, ...]
    alpha: float
    basis: Basis
    common: bool
    per_day: PerDay | None
    thresholds: Thresholds


Values = Callable[[Stratum, Day, bool], Moments]


def _rate_gate(look: _Look, gated: Gated, *, values: Values) -> Gate:
    groups = groups_of(look.strata, values=values, basis=look.basis)
    found = difference(groups, basis=look.basis, kind=ValueKind.RATES)
    if found is None:
        return Gate(
            name=gated.name,
            status=GateStatus.UNKNOWN,
            limit=look.thresholds.limit_of(gated) or Decimal(0),
            reason=f"{gated.what}: {gated.unsaid}",
        )
    limit = look.thresholds.limit_of(gated, rate=found.current) or Decimal(0)
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
        least = f"less, by at least {hundredths(-high, sign=False)}"
        so = least if high < 0 else f"at most {hundredths(high)}"
        status, tail = GateStatus.PASSED, f"surely {so}"
    else:
        status, tail = GateStatus.UNSURE, _within(look, f"up to {hundredths(high)}")
    if status is not GateStatus.FAILED and status is not GateStatus.PASSED:
        needed = _until_sure(look, found=found, limit=float(limit + ERROR_TOLERANCE))
        tail = f"{tail}; {needed.words}"
    return Gate(
        name=gated.name,
        status=status,
        limit=limit,
        reason=f"{gated.what} {current:.1%} → {candidate:.1%} "
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


def _values_of(figure: Figure) -> Values:
    """Return what gives a day's values: of those told in samples where they are known."""
    if figure.field is None:
        return lambda _stratum, day, _is_candidate: Moments.of_binary(hits=day.errors, n=day.n)

    def known_of(_stratum: Stratum, day: Day, _is_candidate: bool) -> Moments:
        n, hits = day.rates.get(figure.name, Rate())
        return Moments.of_binary(hits=hits, n=n)

    return known_of


def _ratio_gate(look: _Look, gated: Gated) -> Gate:
    name, what, limit = gated.name, gated.what, look.thresholds.limit_of(gated) or Decimal(0)
    measure, figure = _RATIOS[name]
    try:
        ratio = measure(strata=look.strata, basis=look.basis)
    except CannotSay as reason:
        return Gate(name=name, status=GateStatus.UNKNOWN, limit=limit, reason=f"{what}: {reason}")
    value = rise(before=ratio.current, after=ratio.candidate)
    rose = f"{_percent(value)}" if value is not None else "from nothing"
    told = _Told.of(ratio, look=look, limit=limit)
    status = _ratio_status(look, ratio=ratio, value=value, limit=limit, told=told)
    tails = {
        GateStatus.FAILED: "surely above it"
        if told.low > float(1 + limit)
        else f"surely above {_percent(SURELY * limit)}",
        GateStatus.PASSED: f"surely less, by at least {_percent_of(1 - told.high)}"
        if told.high < 1
        else f"surely below {_percent(passes_below(name, limit))}",
        GateStatus.UNSURE: _within(look, _up_to(told.high)),
        GateStatus.UNKNOWN: "above the limit, but not surely; more requests will tell",
    }
    return Gate(
        name=name,
        status=status,
        limit=limit,
        reason=f"{what} {figure(ratio.current)} → {figure(ratio.candidate)} "
        f"({rose}, limit {_percent(limit)}): {tails[status]}",
        value=value,
        low=_finite(told.low - 1),
        high=_finite(told.high - 1),
        current=ratio.current,
        candidate=ratio.candidate,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What is known of a ratio: whether it surely passes or rose too much, and its interval."""

    surely_passes: bool
    surely_rose: bool
    low: float
    high: float

    @classmethod
    def of(cls, ratio: Ratio, *, look: _Look, limit: Decimal) -> _Told:
        """Ask the two questions of the gate, and let the interval agree with their answers.

        The ends of the interval are sought with the days' doubt at its middle, the two questions
        are asked with their own: without this a bar could cross a limit that it surely keeps.
        """
        most = float(1 + limit + _tolerance(limit))
        least = float(1 + SURELY * limit) * (COMMON_RATIO if look.common else 1.0)
        surely_passes = not ratio.candidate or ratio.surely_below(most, alpha=look.alpha)
        surely_rose = ratio.surely_above(least, alpha=look.alpha)
        low, high = ratio.interval(alpha=look.alpha)
        return cls(
            surely_passes=surely_passes,
            surely_rose=surely_rose,
            low=max(low, least) if surely_rose else min(low, least),
            high=min(high, most) if surely_passes else max(high, most),
        )


def _ratio_status(
    look: _Look, *, ratio: Ratio, value: Decimal | None, limit: Decimal, told: _Told
) -> GateStatus:
    """Return how a ratio stands to its limit; a free side stays free, or rises from nothing."""
    within = ratio.candidate <= 0 if value is None else value <= round(limit, 9)
    if within:
        sure = told.surely_passes and (not look.common or not ratio.candidate)
        return GateStatus.PASSED if sure else GateStatus.UNSURE
    allowed = COMMON_RATIO if look.common else 1.0
    beyond = value is None or float(1 + value) > float(1 + limit) * allowed
    return GateStatus.FAILED if beyond and told.surely_rose else GateStatus.UNKNOWN


def passes_below(name: str, limit: Decimal) -> Decimal:
    """Return below what the figure of a gate must surely lie to pass: its limit and a tolerance.

    In the limit's own unit: points of a rate from 0 to 1, or a fraction of latency or cost.
    """
    return limit + (_tolerance(limit) if name in _RATIOS else ERROR_TOLERANCE)


def _tolerance(limit: Decimal) -> Decimal:
    return max(RATIO_TOLERANCE, limit / 4)


def _within(look: _Look, up_to: str) -> str:
    """Say why what lies within its limit as measured does not surely do so."""
    if not look.common:
        return f"within the limit, not surely: {up_to}"
    if look.basis is Basis.BEFORE_AFTER:
        return "within the limit as measured, before / after: what else changed is not known"
    return "within the limit as measured, but their requests are not alike"


def _up_to(high: float) -> str:
    return f"up to {_percent(high - 1)}" if math.isfinite(high) else "perhaps far more"


def _percent(fraction: Decimal | float) -> str:
    """Return +20 %, or +12.5 % where it has a part."""
    return f"{significant(float(fraction) * 100, sign=True)} %"


def _percent_of(fraction: float) -> str:
    return f"{significant(fraction * 100)} %"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


RATIO_FLOOR = 100
"""Requests a side below which p95 (five of them lie above it) and cost say nothing."""

KNOWN_COST = Decimal("0.9")
"""Share of requests whose cost must be known before a cost per success is believed."""

TAIL = 0.95  # what policies call p95: one request in twenty waits longer

FARTHEST = 16.0
"""Ratios are sought between 1 / 16 and 16; beyond, an end of an interval counts as open."""


class CannotSay(ValueError):
    """There is no ratio yet; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A figure of both sides, and what is known of candidate / current.

    `at` gives the difference whose sign says whether the true ratio is above a value: see
    `latency_ratio` and `cost_ratio`.
    """

    current: float
    candidate: float
    at: Callable[[float, float | None], Difference]

    def surely_above(self, value: float, *, alpha: float) -> bool:
        """Return whether the true ratio is above a value, at every look."""
        return self.at(value, None).low(alpha=alpha) > 0

    def surely_below(self, value: float, *, alpha: float) -> bool:
        """Return whether the true ratio is below a value, at every look."""
        return self.at(value, None).high(alpha=alpha) < 0

    def interval(self, *, alpha: float) -> tuple[float, float]:
        """Return between which values the true ratio lies: 0 and infinity are open ends."""
        middle = _divided(self.candidate, self.current)
        if not 1 / FARTHEST < middle < FARTHEST:
            middle = 1.0
        design = self.at(middle, None).design

        def above(ratio: float) -> bool:
            return self.at(ratio, design).low(alpha=alpha) > 0

        def not_below(ratio: float) -> bool:
            return self.at(ratio, design).high(alpha=alpha) >= 0

        low = _last(above) if above(1 / FARTHEST) else 0.0
        high = _last(not_below) if not not_below(FARTHEST) else math.inf
        return low, high


def latency_ratio(*, strata: Sequence[Stratum], basis: Basis) -> Ratio:
    """Return p95 of both sides in milliseconds, over the current version's mix of tasks.

    Whether the candidate's is more than r times as high is told by counts, whatever the shape: of
    the current version's requests 5 % lie above its p95 on each task; of the candidate's more than
    5 % lie above r times that, if its p95 is above it. Days on which all are slow cancel. Raise
    CannotSay below 100 requests a side.
    """
    tails = {stratum.task: stratum.current.latency.tail(TAIL) for stratum in strata}

    def beyond(ratio: float) -> tuple[Group, ...]:
        def values(stratum: Stratum, day: Day, is_candidate: bool) -> Moments:
            tail = tails[stratum.task]
            share = day.latency.share_in(tail.times(ratio) if is_candidate else tail)
            n = day.latency.n
            return Moments(n, share, n * share * (1 - share))

        return groups_of(strata, values=values, basis=basis)

    def at(ratio: float, design: float | None) -> Difference:
        return _found(beyond(ratio), basis=basis, kind=ValueKind.RATES, design=design)

    groups = beyond(1.0)
    _enough(groups, basis=basis)
    current, candidate = (
        quantile_of_mixture(parts=_sketches(groups, strata, pick=pick), q=TAIL) or 0.0
        for pick in (_current, _candidate)
    )
    return Ratio(current=current, candidate=candidate, at=at)


def cost_ratio(*, strata: Sequence[Stratum], basis: Basis) -> Ratio:
    """Return USD per successful request of both sides, over the current version's mix of tasks.

    Failures are paid too: mean cost / share of successes. Whether the candidate's is more than r
    times as high is told by the differences candidate - r current day by day: days on which all
    requests are long cancel. Raise CannotSay below 100 priced requests a side, when too many are
    not priced, or when nothing succeeded.
    """
    spent = groups_of(strata, values=lambda _s, day, _c: day.cost, basis=basis, bounded=False)
    if not spent and any(s.current.n and s.candidate.n for s in strata):
        raise CannotSay(
            f"no request{_whose(strata)} says what it cost; send cost_usd with samples, 0 for a "
            "server of your own"
        )
    _enough(spent, basis=basis)
    served = [s for s in strata if s.task in {group.task for group in spent}]
    known = min(_priced(served, _current), _priced(served, _candidate))
    if exact(known) < KNOWN_COST:
        raise CannotSay(f"cost is known for {known:.0%} of the requests only")
    usable = _found(groups_of(served, values=_successes, basis=basis), basis=basis)
    if not usable.current or not usable.candidate:
        raise CannotSay("one side has no successful request, so a success has no price")

    def at(ratio: float, design: float | None) -> Difference:
        groups = [
            replace(
                group,
                current=_scaled(group.current, ratio / usable.current),
                candidate=_scaled(group.candidate, 1 / usable.candidate),
            )
            for group in spent
        ]
        found = _found(groups, basis=basis, design=design)
        # The share of successes is itself an estimate (delta method).
        doubt = usable.sampling * (found.candidate / usable.candidate) ** 2
        return replace(found, sampling=found.sampling + doubt)

    told = at(1.0, 1.0)
    return Ratio(current=told.current, candidate=told.candidate, at=at)


def _whose(strata: Sequence[Stratum]) -> str:
    """Name the version whose requests lack a cost, where it is one alone."""
    told = [any(pick(stratum).cost.n for stratum in strata) for pick in (_current, _candidate)]
    names = (" of the current version", " of the candidate")
    lacking = [name for name, tells in zip(names, told, strict=True) if not tells]
    return lacking[0] if len(lacking) == 1 else ""


def _last(holds: Callable[[float], bool]) -> float:
    """Return the largest ratio for which something holds, to 2 %; it holds at the smallest."""
    low, high = -math.log(FARTHEST), math.log(FARTHEST)
    while high - low > math.log(1.02):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(math.exp(middle)) else (low, middle)
    return math.exp(low)


def _found(
    groups: Sequence[Group],
    *,
    basis: Basis,
    kind: ValueKind = ValueKind.SCORES,
    design: float | None = None,
) -> Difference:
    found = difference(groups, basis=basis, kind=kind, design=design)
    if found is None:
        raise CannotSay("no task has such requests on both sides")
    return found


def _enough(groups: Sequence[Group], *, basis: Basis) -> None:
    found = _found(groups, basis=basis, design=1.0)
    reach = min(found.reach_current, found.reach_candidate)
    if reach < RATIO_FLOOR:
        raise CannotSay(f"{RATIO_FLOOR} requests a side are needed, there are {reach:.0f}")


def _sketches(
    groups: Sequence[Group], strata: Sequence[Stratum], *, pick: Callable[[Stratum], Arm]
) -> list[tuple[Sketch, float]]:
    arms = {stratum.task: pick(stratum) for stratum in strata}
    return [(arms[group.task].latency, group.share) for group in groups]


def _successes(_stratum: Stratum, day: Day, _is_candidate: bool) -> Moments:
    return Moments.of_binary(hits=day.n - day.errors, n=day.n)


def _scaled(side: Mapping[int, Moments], factor: float) -> dict[int, Moments]:
    return {
        day: Moments(values.n, values.mean * factor, values.m2 * factor**2)
        for day, values in side.items()
    }


def _current(stratum: Stratum) -> Arm:
    return stratum.current


def _candidate(stratum: Stratum) -> Arm:
    return stratum.candidate


def _priced(strata: Sequence[Stratum], pick: Callable[[Stratum], Arm]) -> float:
    arms = [pick(stratum) for stratum in strata]
    return sum(arm.cost.n for arm in arms) / sum(arm.n for arm in arms)


def _divided(above: float, below: float) -> float:
    if below:
        return above / below
    return math.inf if above else 1.0


_RATIOS: Mapping[str, tuple[Callable[..., Ratio], Callable[[float], str]]] = {
    "latency_p95": (latency_ratio, lambda milliseconds: f"{milliseconds:,.0f} ms"),
    "cost_per_success": (cost_ratio, per_thousand),
}
"""How the gates that are no rates are measured, and how their figures are said."""
