"""What is known of two versions: task by task, day by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import pairwise

from .moments import Moments
from .score import DEFAULT_WEIGHTS
from .sketch import Sketch

QUALITY = "quality"
"""The component of an explicit score; the others are the signals of ``score``."""

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
    is known, `latency` milliseconds of the successful ones. `hours` counts requests by part of the
    day (`PARTS`), empty where that isn't known.
    """

    number: int
    n: int = 0
    errors: int = 0
    components: Mapping[str, Moments] = field(default_factory=dict)
    scored: int = 0
    cost: Moments = Moments()
    latency: Sketch = field(default_factory=Sketch)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Both versions on one task."""

    task: str
    current: Arm
    candidate: Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The current version's tasks that nothing is known of, and their share of its traffic."""

    uncovered: tuple[Stratum, ...]
    uncovered_share: float
