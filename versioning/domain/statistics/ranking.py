"""Best model per task: every version's figures side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from versioning.domain.signals import QUALITY

from .contrast import Difference, Group, Level, ValueKind, difference, level, unit_of
from .figures import counted, span
from .inputs import WEIGHTS, Arm, Basis, Day, PerDay, Stratum
from .intervals import ALPHA, FLOOR, LEAST_DAYS, SCORES, taught, wandering_variance
from .verdict import Needed, needed_until, quality_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """One version on one task. Cost in USD per successful request, latency p95 in milliseconds;
    None is unknown."""

    name: str
    arm: Arm
    cost: float | None = None
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One line of the table.

    `rank` is None where it has too few scores of what the table is ranked by. `tie` says that it
    can't be told from the first. `on_front`: no other ranked version is at least as good in
    quality, cost and latency and better in one; None when one of the three is unknown. `needed` is
    what would set it apart from the first (the first: from the second), None when nothing is open.
    """

    name: str
    rank: int | None
    n: int
    quality: float | None
    low: float | None
    high: float | None
    cost: float | None
    latency_ms: float | None
    on_front: bool | None
    tie: bool
    needed: Needed | None

    @property
    def figures(self) -> str:
        """Quality with its interval, "0.80 (0.78 to 0.82)"; empty where it has none."""
        if self.quality is None or self.low is None or self.high is None:
            return ""
        return span(self.quality, low=self.low, high=self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The whole table, first place on top, those with too few scores at the end.

    `ranked_by` are the components of quality that it rests on, `shared_days` the days on which all
    ranked versions served; 0 where each is ranked on its own days.
    """

    places: tuple[Place, ...]
    sentence: str
    ranked_by: tuple[str, ...]
    shared_days: int

    @property
    def best(self) -> Place | None:
        """The first place; None when nothing could be ranked."""
        return self.places[0] if self.places and self.places[0].rank else None

    @property
    def tied(self) -> bool:
        """Whether the first can't be told from another ranked version."""
        return self.best is not None and self.best.tie


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """An entrant on the days that count, with its level and the half-width of its interval."""

    entrant: Entrant
    arm: Arm
    level: Level
    half: float

    @property
    def low(self) -> float:
        return self.level.mean - self.half

    @property
    def high(self) -> float:
        return self.level.mean + self.half


def rank(
    *, entrants: Sequence[Entrant], weights: Mapping[str, float] = WEIGHTS, alpha: float = ALPHA
) -> Ranking:
    """Rank versions on one task by the lower end of quality, then cost, then latency.

    Quality is that of the components which most versions have, each over the requests that have
    it: a mean over whatever is known would compare unlike things. The days count on which all
    served, where there are a week of them. The lower end keeps a version with few scores from
    winning by luck; below 30 scores it gets no rank but a line that says what it needs. Intervals
    hold at every look and for all versions together (Bonferroni). An unknown cost or latency comes
    after a known one.

    The first is the best, alone, where it beats each other one at alpha: that needs no share of it,
    since the second best stands in the way of chance (Gutmann & Maymin, "Is the selected population
    the best?", Annals of Statistics 1987). Otherwise each that isn't beaten at alpha / (k - 1) is a
    tie (multiple comparisons with the best: Hsu 1984).
    """
    by = {name: weights[name] for name in _comparable(entrants, weights)}
    known = [entrant for entrant in entrants if _has(entrant.arm, by)]
    days = _shared_days(known, by)
    cut = {one.name: _cut(one.arm, days) for one in known}
    measured = [_measure(one, cut[one.name], by, alpha=alpha / len(known)) for one in known]
    ranked = sorted((one for one in measured if one is not None), key=_order)
    waiting = sorted((one for one in entrants if one not in known), key=_waiting_order)
    table = _Table(ranked=tuple(ranked), by=by, alpha=alpha)
    places = (*table.places(), *(_waits(one, by) for one in waiting))
    return Ranking(
        places=places,
        sentence=_sentence(places, by=tuple(by), days=len(days)),
        ranked_by=tuple(by),
        shared_days=len(days),
    )


def _comparable(entrants: Sequence[Entrant], weights: Mapping[str, float]) -> tuple[str, ...]:
    """Return the components that most versions have enough of; of those, what weighs most."""
    names = [name for name, weight in weights.items() if weight > 0]
    sets = [some for size in range(1, len(names) + 1) for some in combinations(names, size)]

    def worth(some: tuple[str, ...]) -> tuple[int, float]:
        having = sum(_has(entrant.arm, some) for entrant in entrants)
        return having, math.fsum(weights[name] for name in some)

    best = max(sets, key=worth, default=())
    return best if best and worth(best)[0] else ()


def _has(arm: Arm, names: Mapping[str, float] | Sequence[str]) -> bool:
    return bool(names) and all(arm.component(name).n >= FLOOR for name in names)


def _shared_days(entrants: Sequence[Entrant], by: Mapping[str, float]) -> frozenset[int]:
    """Return the days on which all have values; none where they are less than a week, or few."""
    if len(entrants) < 2:
        return frozenset()
    days = frozenset.intersection(
        *(
            frozenset(day.number for day in one.arm.days if any(_of(day, name) for name in by))
            for one in entrants
        )
    )
    enough = len(days) >= LEAST_DAYS and all(_has(_cut(one.arm, days), by) for one in entrants)
    return days if enough else frozenset()


def _of(day: Day, name: str) -> int:
    return day.components[name].n if name in day.components else 0


def _cut(arm: Arm, days: frozenset[int]) -> Arm:
    return arm.on(lambda day: day.number in days) if days else arm


def _measure(
    entrant: Entrant, arm: Arm, by: Mapping[str, float], *, alpha: float
) -> _Measured | None:
    alone = Stratum(task="", current=arm, candidate=arm)
    found = level(quality_groups((alone,), basis=Basis.BEFORE_AFTER, weights=by))
    if found is None:
        return None
    return _Measured(entrant=entrant, arm=arm, level=found, half=found.half_width(alpha=alpha))


def _order(item: _Measured) -> tuple[float, float, float, str]:
    cost, latency = item.entrant.cost, item.entrant.latency_ms
    return (
        -round(item.low, 12),
        math.inf if cost is None else cost,
        math.inf if latency is None else latency,
        item.entrant.name,
    )


def _waiting_order(entrant: Entrant) -> tuple[int, str]:
    return (-entrant.arm.scored, entrant.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """The ranked versions in order, and how each compares with the first."""

    ranked: tuple[_Measured, ...]
    by: Mapping[str, float]
    alpha: float

    def places(self) -> tuple[Place, ...]:
        if not self.ranked:
            return ()
        first, *others = self.ranked
        gaps = self._gaps(first, others)
        open_ones = [self._open(gap, self._one_sided) for gap in gaps]
        if any(needed is not None for needed in open_ones):
            # Not the best for sure: who else may be, is a question about each of the others.
            open_ones = [self._open(gap, self._one_sided / len(gaps)) for gap in gaps]
        waits = next((needed for needed in open_ones if needed is not None), None)
        lead = _place(first, rank=1, tie=waits is not None, needed=waits)
        rest = [
            _place(item, rank=number, tie=needed is not None, needed=needed)
            for number, (item, needed) in enumerate(zip(others, open_ones, strict=True), start=2)
        ]
        return tuple(
            replace(place, on_front=_on_front(item, self.ranked))
            for place, item in zip((lead, *rest), self.ranked, strict=True)
        )

    @property
    def _one_sided(self) -> float:
        """The risk of a two-sided interval, one end of which has all of alpha."""
        return min(0.5, 2 * self.alpha)

    def _gaps(self, first: _Measured, others: Sequence[_Measured]) -> list[Difference]:
        """Return each other minus first; how far days wander, one gap tells of the next."""
        pairs = [self._pair(first, other) for other in others]
        units = [unit_of(groups, ValueKind.SCORES) for groups, _ in pairs]
        heard = [
            [(days, unit) for days in found.series]
            for (_, found), unit in zip(pairs, units, strict=True)
        ]
        gaps = []
        for number, (_, found) in enumerate(pairs):
            rest = [each for at, told in enumerate(heard) if at != number for each in told]
            wander = math.fsum(
                wandering_variance(days, ideas=taught(SCORES, by=rest), unit=units[number])
                for days in found.series
            )
            gaps.append(replace(found, wander=wander))
        return gaps

    def _pair(self, first: _Measured, other: _Measured) -> tuple[Sequence[Group], Difference]:
        """Compare on the days that both served where there are a week of them."""
        strata = (Stratum(task="", current=first.arm, candidate=other.arm),)
        for basis in Basis:
            groups = quality_groups(strata, basis=basis, weights=self.by)
            found = difference(groups, basis=basis, design=1.0)
            beside = basis is Basis.SIDE_BY_SIDE
            if found and (not beside or (found.days >= LEAST_DAYS and found.reach >= FLOOR)):
                return groups, found
        raise ValueError("Both have values of what they are ranked by.")

    def _open(self, gap: Difference, alpha: float) -> Needed | None:
        """Say what would tell the two apart; None where they are."""
        if gap.estimate < -gap.half_width(alpha=alpha):
            return None
        per_day = PerDay(current=gap.n_current / gap.days, candidate=gap.n_candidate / gap.days)
        return needed_until(difference=gap, goal=abs, alpha=alpha, per_day=per_day)


def _place(item: _Measured, *, rank: int, tie: bool, needed: Needed | None) -> Place:
    return Place(
        name=item.entrant.name,
        rank=rank,
        n=item.arm.scored,
        quality=item.level.mean,
        low=max(0.0, item.low),
        high=min(1.0, item.high),
        cost=item.entrant.cost,
        latency_ms=item.entrant.latency_ms,
        on_front=None,
        tie=tie,
        needed=needed,
    )


def _waits(entrant: Entrant, by: Mapping[str, float]) -> Place:
    """Return the line of a version that can't be ranked yet."""
    names = list(by) or [QUALITY]
    lacking = [name for name in names if entrant.arm.component(name).n < FLOOR]
    what = "scores" if lacking == [QUALITY] else " and ".join(map(_words, lacking))
    seen = any(entrant.arm.component(name).n for name in names)
    alone = Stratum(task="", current=entrant.arm, candidate=entrant.arm)
    weights = by or {QUALITY: 1.0}
    found = level(quality_groups((alone,), basis=Basis.BEFORE_AFTER, weights=weights))
    return Place(
        name=entrant.name,
        rank=None,
        n=entrant.arm.scored,
        quality=found.mean if found and seen and not by.keys() - _names(entrant.arm) else None,
        low=None,
        high=None,
        cost=entrant.cost,
        latency_ms=entrant.latency_ms,
        on_front=None,
        tie=False,
        needed=Needed(because=f"at least {FLOOR} {what} come first"),
    )


def _names(arm: Arm) -> set[str]:
    return {name for day in arm.days for name in day.components}


def _words(name: str) -> str:
    return "scores" if name == QUALITY else f"{name.replace('_', ' ')} signals"


def _on_front(item: _Measured, ranked: Sequence[_Measured]) -> bool | None:
    mine = _figures(item)
    if mine is None:
        return None
    others = [_figures(other) for other in ranked if other is not item]
    return not any(other is not None and _dominates(other, mine) for other in others)


def _figures(item: _Measured) -> tuple[float, float, float] | None:
    """Return what should be small: minus quality, cost, latency."""
    cost, latency = item.entrant.cost, item.entrant.latency_ms
    if cost is None or latency is None:
        return None
    return (-item.level.mean, cost, latency)


def _dominates(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _sentence(places: Sequence[Place], *, by: Sequence[str], days: int) -> str:
    ranked = [place for place in places if place.rank]
    if not ranked:
        return "No version has enough scores on this task yet."
    first = ranked[0]
    tied = [place.name for place in ranked[1:] if place.tie]
    made_of = "" if by == (QUALITY,) else f" ({', '.join(name.replace('_', ' ') for name in by)})"
    figures = f"quality{made_of} {first.figures}"
    if not tied:
        alone = "the only version with enough scores" if len(ranked) == 1 else "best"
        said = f"{first.name} is {alone}: {figures}, {counted(first.n, 'sample')}."
    else:
        said = f"Tie: {first.name} leads with {figures}, but {', '.join(tied)} may be as good."
    if len(ranked) == 1:
        return said
    when = f"on the {counted(days, 'day')} that all of them served" if days else "on its own days"
    return f"{said} Each is ranked on its own requests, {when}."
