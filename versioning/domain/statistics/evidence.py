"""What is known of two versions, task by task, and the difference that it shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .levels import Day, day_effects
from .moments import Moments
from .sequence import N_OPT, floored_variance, half_width, variance_floor
from .sketch import Sketch


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One version's record on one task.

    `n` counts requests, `errors` those that failed, `successes` those that gave something usable.
    `quality` (0 to 1) and `cost` (USD per request) hold only the requests where they are known.
    `latency` is in milliseconds. `days` are the moments of quality day by day in order of time:
    with them levels that last are seen and widen the interval.
    """

    n: int = 0
    quality: Moments = field(default_factory=Moments)
    errors: int = 0
    successes: int = 0
    cost: Moments = field(default_factory=Moments)
    latency: Sketch = field(default_factory=Sketch)
    days: tuple[Day, ...] = ()

    def __post_init__(self) -> None:
        if max(self.errors, self.successes, self.quality.n, self.cost.n) > self.n:
            raise ValueError("An arm can't have more errors, successes or scores than requests.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Both versions on one task."""

    task: str
    current: Arm
    candidate: Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side's numbers on one task, as far as a difference of means needs them.

    `spread` is the variance of one value, `effect` how many times the variance of the mean
    exceeds that of independent values, `doubt` a factor more that takes no sample away.
    """

    values: Moments
    spread: float
    effect: float = 1.0
    doubt: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Both sides on one task with the weight of the task, its share of the current's traffic."""

    weight: float
    current: Side
    candidate: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A weighted difference of means with all that its interval needs.

    `reach` is the number of samples that each side's variance is worth (1 / sum of w^2 / n): with
    one task the number of samples, with badly covered tasks less.
    """

    current: float
    candidate: float
    n_current: int
    n_candidate: int
    reach_current: float
    reach_candidate: float
    pairs: tuple[Pair, ...]

    @property
    def variance_current(self) -> float:
        """The variance of the current side's mean."""
        return self._variance_current(more=1.0)

    @property
    def variance_candidate(self) -> float:
        """The variance of the candidate side's mean."""
        return self._variance_candidate(more=1.0)

    @property
    def estimate(self) -> float:
        """Candidate minus current."""
        return self.candidate - self.current

    @property
    def reach(self) -> float:
        """The smaller side's reach: floors of samples apply to it."""
        return min(self.reach_current, self.reach_candidate)

    @property
    def n(self) -> float:
        """Time in the sequence: see `half_width`."""
        return 4 / (1 / self.reach_current + 1 / self.reach_candidate)

    def half_width(
        self, *, alpha: float, more_current: float = 1.0, more_candidate: float = 1.0
    ) -> float:
        """Return the half-width now, or with so many times the samples on each side.

        Time in the sequence is the harmonic total 4 / (1/n + 1/m): n + m for equal sides, and
        four times the smaller side when the other has far more, since it alone limits us.
        """
        current = self.reach_current * more_current
        candidate = self.reach_candidate * more_candidate
        return half_width(
            n=4 / (1 / current + 1 / candidate),
            variance=self._variance_current(more=more_current)
            + self._variance_candidate(more=more_candidate),
            alpha=alpha,
            n_opt=N_OPT,
        )

    def _variance_current(self, *, more: float) -> float:
        return sum(p.weight**2 * _of_mean(p.current, p.candidate, more=more) for p in self.pairs)

    def _variance_candidate(self, *, more: float) -> float:
        return sum(p.weight**2 * _of_mean(p.candidate, p.current, more=more) for p in self.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Which tasks both versions have served, and which share of traffic the others are."""

    shared: tuple[Stratum, ...]
    uncovered: tuple[Stratum, ...]
    uncovered_share: float

    def weights(self) -> list[float]:
        """Return each shared task's share of the current version's traffic over shared tasks."""
        total = sum(stratum.current.n for stratum in self.shared)
        return [stratum.current.n / total for stratum in self.shared]


def covered(strata: Sequence[Stratum], *, counted: Callable[[Arm], int]) -> Coverage:
    """Split tasks into those with at least two samples on both sides and the rest.

    `counted` says how many samples an arm has of what is compared. Tasks that the current version
    has never served don't matter: nothing would move there.
    """
    shared, uncovered = [], []
    for stratum in strata:
        if min(counted(stratum.current), counted(stratum.candidate)) >= 2:
            shared.append(stratum)
        elif stratum.current.n:
            uncovered.append(stratum)
    traffic = sum(stratum.current.n for stratum in strata)
    outside = sum(stratum.current.n for stratum in uncovered)
    return Coverage(
        shared=tuple(shared),
        uncovered=tuple(uncovered),
        uncovered_share=outside / traffic if traffic else 0.0,
    )


def difference(pairs: Sequence[Pair]) -> Difference:
    """Return sum of w (candidate - current) with V = sum of w^2 s^2 / n of each side.

    A side's spread is at least the one pooled over both sides: a small arm that has not met the
    tail yet (a rare failure, a rare high score) looks too sure of itself, and the other knows.
    """
    weighed = [(pair.weight, pair.current, pair.candidate) for pair in pairs]
    return Difference(
        current=math.fsum(weight * side.values.mean for weight, side, _ in weighed),
        candidate=math.fsum(weight * side.values.mean for weight, _, side in weighed),
        n_current=sum(side.values.n for _, side, _ in weighed),
        n_candidate=sum(side.values.n for _, _, side in weighed),
        reach_current=1 / sum(w**2 * side.effect / side.values.n for w, side, _ in weighed),
        reach_candidate=1 / sum(w**2 * side.effect / side.values.n for w, _, side in weighed),
        pairs=tuple(pairs),
    )


def paired_sides(coverage: Coverage, *, side: Callable[[Arm], Side]) -> list[Pair]:
    """Return both sides of each shared task with its weight."""
    return [
        Pair(weight=weight, current=side(stratum.current), candidate=side(stratum.candidate))
        for weight, stratum in zip(coverage.weights(), coverage.shared, strict=True)
    ]


def quality_sides(coverage: Coverage) -> list[Pair]:
    """Return both sides' quality on each shared task, with the effect of levels that last."""
    return [
        _quality_pair(stratum, weight=weight)
        for weight, stratum in zip(coverage.weights(), coverage.shared, strict=True)
    ]


def _quality_pair(stratum: Stratum, *, weight: float) -> Pair:
    arms = (stratum.current, stratum.candidate)
    current, candidate = (
        Side(
            values=arm.quality,
            spread=floored_variance(arm.quality),
            effect=days.design,
            doubt=days.doubt,
        )
        for arm, days in zip(arms, day_effects(*(arm.days for arm in arms)), strict=True)
    )
    return Pair(weight=weight, current=current, candidate=candidate)


def share_side(*, hits: int, n: int) -> Side:
    """Return a share of requests (errors, successes) as a mean of zeros and ones."""
    values = Moments.of_binary(hits=hits, n=n)
    return Side(values=values, spread=floored_variance(values))


def _of_mean(side: Side, other: Side, *, more: float) -> float:
    """Return the variance of one side's mean on one task with so many times the samples.

    A spread above that of the values is the floor, which falls with samples.
    """
    freedom = side.values.n + other.values.n - 2
    pooled = (side.values.m2 + other.values.m2) / freedom
    spread = side.spread
    if spread > side.values.variance:
        spread = max(side.values.variance, variance_floor(side.values.n * more))
    return side.effect * side.doubt * max(spread, pooled) / (side.values.n * more)
