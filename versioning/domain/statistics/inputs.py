"""What a comparison is given: both versions day by day, the limits, and which days count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from itertools import pairwise

from versioning.domain.figure_kinds import Gated, Rate, Rises
from versioning.domain.figures import LIMITS, Limits
from versioning.domain.signals import DEFAULT_WEIGHTS, QUALITY

from .figures import exact
from .intervals import ALPHA, FLOOR, LEAST_DAYS
from .summaries import Moments, Sketch

WEIGHTS: Mapping[str, float] = {
    QUALITY: 1.0,
    **{signal.value: weight for signal, weight in DEFAULT_WEIGHTS.items()},
}
"""What a component counts, among those that both versions have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One version's requests of one day (UTC) on one task.

    `number` counts days from any fixed one. `n` counts requests, `errors` those that failed.
    `components` are what quality is made of, each from 0 to 1 (more is better), over the requests
    that have it; `scored` counts requests with any of them. `cost` is USD of the requests where it
    is known, `latency` milliseconds of the successful ones. `rates` are the figures that samples
    tell of answered requests as true or false, by name. `hours` counts requests by part of the
    day (`PARTS`), empty where that isn't known.
    """

    number: int
    n: int = 0
    errors: int = 0
    components: Mapping[str, Moments] = field(default_factory=dict)
    scored: int = 0
    cost: Moments = Moments()
    latency: Sketch = field(default_factory=Sketch)
    rates: Mapping[str, Rate] = field(default_factory=dict)
    hours: Mapping[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if max(self.errors, self.cost.n, self.known) > self.n:
            raise ValueError("A day can't have more errors, costs or scores than requests.")

    @property
    def known(self) -> int:
        """How many requests have a score, or something that a score is made of."""
        return max(self.scored, *(one.n for one in self.components.values()), 0)


PARTS = 8
"""Parts of a day by which hours are compared: three hours each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One version's record on one task, day by day in order of time; see `Day` for what counts."""

    days: tuple[Day, ...] = ()

    def __post_init__(self) -> None:
        if any(later.number <= earlier.number for earlier, later in pairwise(self.days)):
            raise ValueError("Days come in order of time, each once.")

    @property
    def n(self) -> int:
        """Requests."""
        return sum(day.n for day in self.days)

    @property
    def errors(self) -> int:
        """Requests that failed."""
        return sum(day.errors for day in self.days)

    @property
    def scored(self) -> int:
        """Requests with a score."""
        return sum(day.known for day in self.days)

    @property
    def cost(self) -> Moments:
        """USD of the requests where it is known."""
        return Moments.total(day.cost for day in self.days)

    @property
    def latency(self) -> Sketch:
        """Milliseconds of successful requests."""
        return reduce(Sketch.merge, (day.latency for day in self.days), Sketch())

    def component(self, name: str) -> Moments:
        """Return what all days have of a component of quality."""
        return Moments.total(day.components.get(name, Moments()) for day in self.days)

    def on(self, wanted: Callable[[Day], bool]) -> Arm:
        """Return the record of some days only."""
        return replace(self, days=tuple(day for day in self.days if wanted(day)))


class Basis(StrEnum):
    """What a difference rests on."""

    SIDE_BY_SIDE = "side_by_side"
    BEFORE_AFTER = "before_after"

    @property
    def words(self) -> str:
        """In a sentence: "side by side"."""
        return "side by side" if self is Basis.SIDE_BY_SIDE else "before / after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Both versions on one task."""

    task: str
    current: Arm
    candidate: Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Requests with a declared tag, such as language=de, task by task."""

    name: str
    strata: tuple[Stratum, ...]


RATE_FLOOR = Decimal("0.01")
"""A rise of a rate by a point is let pass, however many times the rate it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds(Limits):  # type: ignore[misc]
    """A policy's limits; fractions, so 0.1 is ten per cent.

    min_quality_improvement: rise of mean quality relative to the current version's. 0 asks only
        for "not worse" (a move for another reason: price, retirement).
    not_worse_margin: points of quality (0 to 1) that a version may lie below and still count as
        not worse.
    limits of figures, by the names of their settings (`domain.figures`): points that a rate may
        rise by; times the current version's rate, or a point above it (`RATE_FLOOR`) where that is
        more; the fraction that latency or cost may rise by. None leaves a limit out.
    max_uncovered_share: share of traffic that may run on tasks without evidence.
    min_quality_coverage: share of requests below which a part of quality that is known of them
        gets a warning, with what the others may hide.
    accept_unsure: whether a gate whose estimate is within its limit, but not surely, is enough.
    alpha: risk of a wrong claim, over all looks.
    """

    min_quality_improvement: Decimal = Decimal("0")
    not_worse_margin: Decimal = Decimal("0.02")
    max_uncovered_share: Decimal = Decimal("0.05")
    min_quality_coverage: Decimal = Decimal("0.5")
    accept_unsure: bool = False
    alpha: float = ALPHA

    def __post_init__(self) -> None:
        limits = (
            self.min_quality_improvement,
            self.not_worse_margin,
            self.max_uncovered_share,
            self.min_quality_coverage,
        )
        if any(limit is not None and limit < 0 for limit in limits):
            raise ValueError("A threshold is a fraction from 0 up.")
        for limit in LIMITS:
            value = getattr(self, limit.setting)
            if value is not None and value < limit.least:
                raise ValueError(f"{limit.setting} is at least {limit.least}, not {value}.")
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha is a risk between 0 and 1, not {self.alpha}.")

    def limit_of(self, gated: Gated, *, rate: float = 0.0) -> Decimal | None:
        """Return what a figure may rise by: points of a rate (of the current version's), or a
        fraction. None where no limit is set.
        """
        limits = []
        for limit in gated.limits:
            value: Decimal | None = getattr(self, limit.setting)
            if value is None or (limit.rises is Rises.POINTS and value >= 1):
                continue  # no rate rises by more than from none to all
            times = limit.rises is Rises.TIMES
            limits.append(max(RATE_FLOOR, (value - 1) * exact(rate)) if times else value)
        return min(limits, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerDay:
    """Requests a day that each side gets at present, over the tasks that are compared."""

    current: float
    candidate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How traffic was meant to be split while both served, and how it was."""

    expected_share: Decimal
    current: int
    candidate: int

    def __post_init__(self) -> None:
        if not 0 < self.expected_share < 1:
            raise ValueError("The candidate's expected share lies between 0 and 1.")


NEAR = 28
"""Days on each side that count before and after: nearer ones have more in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Two versions' records cut to what is compared, and how.

    `afterwards` are the candidate's days after the last one side by side against the current
    version's last ones, where there are enough to say something.
    """

    basis: Basis
    strata: tuple[Stratum, ...]
    shared_days: int
    afterwards: tuple[Stratum, ...] = ()


def meeting(strata: Sequence[Stratum]) -> Meeting:
    """Cut the records to the days on which both served, or say that they hardly did.

    Side by side: a week of such days with enough requests, or at least half of the candidate's
    requests came on them. Otherwise before / after: the nearest days of both.
    """
    met = tuple(_met(stratum) for stratum in strata)
    shared = {day.number for stratum in met for day in stratum.candidate.days}
    inside = _requests(met)
    every = sum(stratum.candidate.n for stratum in strata)
    week = len(shared) >= LEAST_DAYS and min(inside) >= FLOOR
    if not any(stratum.current.n for stratum in strata) or not every:
        return Meeting(basis=Basis.SIDE_BY_SIDE, strata=met, shared_days=0)
    if week or (shared and 2 * inside[1] >= every):
        return Meeting(
            basis=Basis.SIDE_BY_SIDE,
            strata=met,
            shared_days=len(shared),
            afterwards=_afterwards(strata, last=max(shared)),
        )
    return Meeting(basis=Basis.BEFORE_AFTER, strata=_nearest(strata), shared_days=len(shared))


def cut_like(strata: Sequence[Stratum], *, basis: Basis) -> tuple[Stratum, ...]:
    """Cut a part's records as the whole's were."""
    if basis is Basis.SIDE_BY_SIDE:
        return tuple(_met(stratum) for stratum in strata)
    return _nearest(strata)


def _met(stratum: Stratum) -> Stratum:
    """Return a task's records of the days on which both served it."""
    both = {day.number for day in stratum.current.days if day.n} & {
        day.number for day in stratum.candidate.days if day.n
    }
    return replace(
        stratum,
        current=stratum.current.on(lambda day: day.number in both),
        candidate=stratum.candidate.on(lambda day: day.number in both),
    )


def _nearest(strata: Sequence[Stratum]) -> tuple[Stratum, ...]:
    """Return the current version's last days and the candidate's first ones after them.

    Of the candidate the days from its first on; of the current version those up to its last.
    """
    last = max((day.number for s in strata for day in s.current.days), default=0)
    first = min((day.number for s in strata for day in s.candidate.days), default=0)
    return tuple(
        replace(
            stratum,
            current=stratum.current.on(lambda day: day.number > last - NEAR),
            candidate=stratum.candidate.on(lambda day: day.number < first + NEAR),
        )
        for stratum in strata
    )


def _afterwards(strata: Sequence[Stratum], *, last: int) -> tuple[Stratum, ...]:
    """Return the candidate's days after the last shared one; none where the current serves on."""
    cut = tuple(
        replace(
            stratum,
            current=stratum.current.on(lambda day: last - NEAR < day.number <= last),
            candidate=stratum.candidate.on(lambda day: last < day.number <= last + NEAR),
        )
        for stratum in strata
    )
    goes_on = any(day.number > last for s in strata for day in s.current.days if day.n)
    return () if goes_on or min(_requests(cut)) < FLOOR else cut


def _requests(strata: Sequence[Stratum]) -> tuple[int, int]:
    return (
        sum(stratum.current.n for stratum in strata),
        sum(stratum.candidate.n for stratum in strata),
    )
