"""How many times the current version's latency or cost the candidate's is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from .contrast import Basis, Difference, Group, Kind, difference, groups_of
from .evidence import Arm, Day, Stratum
from .moments import Moments
from .sketch import Sketch, quantile_of_mixture
from .thresholds import exact

RATIO_FLOOR = 100
"""Requests a side below which p95 (five of them lie above it) and cost say nothing."""

KNOWN_COST = Decimal("0.9")
"""Share of requests whose cost must be known before a cost per success is believed."""

TAIL = 0.95

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
        return _found(beyond(ratio), basis=basis, kind=Kind.RATES, design=design)

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
                current=_times(group.current, ratio / usable.current),
                candidate=_times(group.candidate, 1 / usable.candidate),
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
    kind: Kind = Kind.SCORES,
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


def _times(side: Mapping[int, Moments], factor: float) -> dict[int, Moments]:
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
