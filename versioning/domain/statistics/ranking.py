"""Best model per task: every version's figures side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .levels import ScoredDay, day_effect
from .moments import Moments
from .sequence import ALPHA, FLOOR, floored_variance, half_width, samples_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """One version on one task. Cost in USD per successful request, latency p95 in milliseconds;
    None is unknown."""

    name: str
    quality: Moments
    cost: float | None = None
    latency_ms: float | None = None
    days: tuple[ScoredDay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One line of the table.

    `rank` is None below the floor of samples. `tie` says that it can't be told from the first.
    `on_front`: no other ranked version is at least as good in quality, cost and latency and
    better in one; None when one of the three is unknown. `needed` are this version's further
    samples that would set it apart from the first (the first: from the second), None when
    nothing is open or no realistic number would do.
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
    needed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The whole table, first place on top, those with too few samples at the end."""

    places: tuple[Place, ...]
    sentence: str

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
    """An entrant with its interval."""

    entrant: Entrant
    reach: float
    spread: float
    half: float

    @property
    def low(self) -> float:
        return self.entrant.quality.mean - self.half

    @property
    def high(self) -> float:
        return self.entrant.quality.mean + self.half

    @property
    def known(self) -> bool:
        return self.reach >= FLOOR


def rank(*, entrants: Sequence[Entrant], alpha: float = ALPHA) -> Ranking:
    """Rank versions on one task by the lower end of quality, then cost, then latency.

    The lower end keeps a version with few samples from winning by luck; below 30 samples it gets
    no rank but a line that says what it needs. Intervals hold at every look and for all versions
    together (Bonferroni). An unknown cost or latency comes after a known one.
    """
    share = alpha / max(1, len(entrants))
    measured = [_measure(entrant, alpha=share) for entrant in entrants]
    ranked = sorted((item for item in measured if item.known), key=_order)
    waiting = sorted((item for item in measured if not item.known), key=_waiting_order)
    tied = _tied(ranked, alpha=alpha)
    places = tuple(
        _place(item, rank=position + 1, ranked=ranked, tied=tied, alpha=share)
        for position, item in enumerate(ranked)
    ) + tuple(_place(item, rank=None, ranked=ranked, tied=tied, alpha=share) for item in waiting)
    return Ranking(places=places, sentence=_sentence(places))


def _measure(entrant: Entrant, *, alpha: float) -> _Measured:
    n = entrant.quality.n
    days = day_effect(entrant.days)
    reach = n / days.design
    spread = floored_variance(entrant.quality) * days.doubt
    half = half_width(n=reach, variance=spread / reach, alpha=alpha) if n else math.inf
    return _Measured(entrant=entrant, reach=reach, spread=spread, half=half)


def _order(item: _Measured) -> tuple[float, float, float, str]:
    cost, latency = item.entrant.cost, item.entrant.latency_ms
    return (
        -round(item.low, 12),
        math.inf if cost is None else cost,
        math.inf if latency is None else latency,
        item.entrant.name,
    )


def _waiting_order(item: _Measured) -> tuple[float, str]:
    return (-item.reach, item.entrant.name)


def _tied(ranked: Sequence[_Measured], *, alpha: float) -> frozenset[str]:
    """Return those that can't be told from the first, and the first when there are any.

    The difference to the first is tested, at alpha / (k - 1) each: the first beats the truly best
    by chance in alpha of cases at most (multiple comparisons with the best: Hsu 1984).
    """
    if not ranked:
        return frozenset()
    first, *others = ranked
    risk = alpha / max(1, len(others))
    close = [
        item.entrant.name
        for item in others
        if _gap(first, item) <= _half_of_gap(first, item, alpha=risk)
    ]
    return frozenset([first.entrant.name, *close]) if close else frozenset()


def _gap(one: _Measured, other: _Measured) -> float:
    return one.entrant.quality.mean - other.entrant.quality.mean


def _half_of_gap(
    one: _Measured,
    other: _Measured,
    *,
    alpha: float,
    more_one: float = 0.0,
    more_other: float = 0.0,
) -> float:
    """Return the half-width of the difference, now or with so much more reach on each side."""
    reach, reach_other = one.reach + more_one, other.reach + more_other
    return half_width(
        n=4 / (1 / reach + 1 / reach_other),
        variance=one.spread / reach + other.spread / reach_other,
        alpha=alpha,
    )


def _place(
    item: _Measured,
    *,
    rank: int | None,
    ranked: Sequence[_Measured],
    tied: frozenset[str],
    alpha: float,
) -> Place:
    entrant = item.entrant
    seen = entrant.quality.n > 0
    return Place(
        name=entrant.name,
        rank=rank,
        n=entrant.quality.n,
        quality=entrant.quality.mean if seen else None,
        low=max(0.0, item.low) if seen else None,
        high=min(1.0, item.high) if seen else None,
        cost=entrant.cost,
        latency_ms=entrant.latency_ms,
        on_front=_on_front(item, ranked) if rank else None,
        tie=entrant.name in tied,
        needed=_needed(item, ranked=ranked, tied=tied, alpha=alpha),
    )


def _needed(
    item: _Measured, *, ranked: Sequence[_Measured], tied: frozenset[str], alpha: float
) -> int | None:
    effect = item.entrant.quality.n / item.reach if item.reach else 1.0
    if not item.known:
        return math.ceil((FLOOR - item.reach) * effect)
    if item.entrant.name not in tied:
        return None
    rival = ranked[1] if item is ranked[0] else ranked[0]
    gap = abs(_gap(item, rival))

    # Both get as many samples more.
    def settled(samples: float) -> bool:
        more = samples / effect
        return _half_of_gap(item, rival, alpha=alpha, more_one=more, more_other=more) < gap

    return samples_until(settled=settled)


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
    return (-item.entrant.quality.mean, cost, latency)


def _dominates(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _sentence(places: Sequence[Place]) -> str:
    ranked = [place for place in places if place.rank]
    if not ranked:
        return "No version has enough scores on this task yet."
    first = ranked[0]
    tied = [place.name for place in ranked[1:] if place.tie]
    figures = f"quality {first.quality:.2f} ({first.low:.2f} to {first.high:.2f})"
    if not tied:
        alone = "the only version with enough scores" if len(ranked) == 1 else "best"
        said = f"{first.name} is {alone}: {figures}, {first.n:,} samples."
    else:
        said = f"Tie: {first.name} leads with {figures}, but {', '.join(tied)} may be as good."
    return said if len(ranked) == 1 else f"{said} Each is ranked on its own requests."
