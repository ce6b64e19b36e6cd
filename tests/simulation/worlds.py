"""Streams of quality to look at again and again: one function per kind of world.

A world makes both versions' days on one task; `number` 0 is the first day on which the candidate
could serve, days before it have negative numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from versioning.domain.statistics.evidence import QUALITY, Arm, Day, Stratum
from versioning.domain.statistics.moments import Moments
from versioning.domain.statistics.verdict import Slice

Numbers = NDArray[np.float64]
Draw = Callable[[np.random.Generator, Numbers, int], Numbers]
"""Scores of a day from the level that it adds to their mean, and their number."""

LOOKS = 100
PER_DAY = 20
MEAN = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Both versions' days; a look sees all days up to its own."""

    current: list[Day]
    candidate: list[Day]
    slices: Mapping[str, tuple[list[Day], list[Day]]] = field(default_factory=dict)

    def strata(self, look: int) -> list[Stratum]:
        return [_stratum(self.current, self.candidate, look=look)]

    def tagged(self, look: int) -> list[Slice]:
        return [
            Slice(name=name, strata=(_stratum(*days, look=look),))
            for name, days in self.slices.items()
        ]


def _stratum(current: list[Day], candidate: list[Day], *, look: int) -> Stratum:
    sides = (tuple(day for day in days if day.number <= look) for days in (current, candidate))
    old, new = sides
    return Stratum(task="one", current=Arm(days=old), candidate=Arm(days=new))


def beta(rng: np.random.Generator, level: float, count: int) -> Numbers:
    mean = min(0.97, max(0.03, MEAN + level))
    return rng.beta(8 * mean, 8 * (1 - mean), count)


def binary(rate: float) -> Callable[[np.random.Generator, float, int], Numbers]:
    """Passed or failed."""
    return lambda rng, level, count: (rng.random(count) < rate + level).astype(float)


def heavy_tailed(rng: np.random.Generator, level: float, count: int) -> Numbers:
    """Mostly near 1, with a tail of bad answers, of infinite variance but for its end at 0."""
    return np.maximum(0.0, 1.0 - 0.02 * (1 + rng.pareto(1.5, count)) + level)


def zero_inflated(rng: np.random.Generator, level: float, count: int) -> Numbers:
    """Seven in ten are 0, the rest anything."""
    return rng.beta(2, 2, count) * (rng.random(count) < 0.3 + level)


def constant(_rng: np.random.Generator, level: float, count: int) -> Numbers:
    """All scores of a day are the same."""
    return np.full(count, 0.7 + level)


def wandering(rng: np.random.Generator, *, spread: float, memory: float, size: int) -> Numbers:
    """Return levels of a first-order autoregression."""
    steps = rng.normal(size=size)
    for i in range(1, size):
        steps[i] = memory * steps[i - 1] + (1 - memory**2) ** 0.5 * steps[i]
    return steps * spread


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Two equal versions, unless `rise` says by how much the candidate is better.

    `spread` and `memory` are those of each version's own levels (`steady` leaves the current
    version's out); `common` is what day number t adds to both; `history` days of the current
    version come before. `counts` gives both sides' scores of day t.
    """

    draw: Callable[[np.random.Generator, float, int], Numbers] = beta
    rise: float = 0.0
    spread: float = 0.0
    memory: float = 0.7
    steady: bool = False
    common: Callable[[int], float] = staticmethod(lambda _day: 0.0)
    common_spread: float = 0.0
    history: int = 0
    counts: Callable[[np.random.Generator, int], tuple[int, int]] = staticmethod(
        lambda _rng, _day: (PER_DAY, PER_DAY)
    )
    looks: int = LOOKS

    def run(self, rng: np.random.Generator) -> Run:
        size = self.history + self.looks
        old = wandering(
            rng, spread=0 if self.steady else self.spread, memory=self.memory, size=size
        )
        new = wandering(rng, spread=self.spread, memory=self.memory, size=size)
        both = wandering(rng, spread=self.common_spread, memory=0.8, size=size)
        current, candidate = [], []
        for index in range(size):
            number = index - self.history
            level = self.common(number) + float(both[index])
            n, m = self.counts(rng, number)
            if n:
                current.append(self._day(rng, number, level + float(old[index]), n))
            if m and number >= 0:
                candidate.append(self._day(rng, number, level + float(new[index]) + self.rise, m))
        return Run(current=current, candidate=candidate)

    def _day(self, rng: np.random.Generator, number: int, level: float, count: int) -> Day:
        return scored(number, self.draw(rng, level, count))


def scored(number: int, scores: Numbers, *, hours: Mapping[int, int] | None = None) -> Day:
    """Return a day in which every request has a score."""
    return Day(
        number=number,
        n=len(scores),
        components={QUALITY: Moments.of(scores.tolist())},
        hours=hours or {},
    )


def other_hours(rng: np.random.Generator) -> Run:
    """The candidate serves by night, when requests are easier by 0.05."""
    days = range(40)
    return Run(
        current=[scored(day, beta(rng, 0.0, 20), hours={3: 10, 4: 10}) for day in days],
        candidate=[scored(day, beta(rng, 0.05, 20), hours={0: 10, 1: 10}) for day in days],
    )


def other_tags(rng: np.random.Generator) -> Run:
    """German is easier by 0.1: 80 % of the candidate's requests, 40 % of the current version's."""
    current, candidate, tagged = [], [], ([], [])
    for number in range(40):
        for days, part, share in ((current, tagged[0], 0.4), (candidate, tagged[1], 0.8)):
            german = int(rng.binomial(20, share))
            easy, hard = beta(rng, 0.05, german), beta(rng, -0.05, 20 - german)
            days.append(scored(number, np.concatenate([easy, hard])))
            part.append(scored(number, easy))
    return Run(current=current, candidate=candidate, slices={"language=de": tagged})


def moved(step: float) -> Callable[[np.random.Generator], Run]:
    """All traffic moves on one day, and on this day all requests become easier, or harder."""

    def make(rng: np.random.Generator) -> Run:
        return Run(
            current=[scored(day, beta(rng, 0.0, 20)) for day in range(-30, 0)],
            candidate=[scored(day, beta(rng, step, 20)) for day in range(30)],
        )

    return make


def _ramp(_rng: np.random.Generator, day: int) -> tuple[int, int]:
    return 200, 0 if day < 0 else 2 * (day + 1)


def _gaps(rng: np.random.Generator, _day: int) -> tuple[int, int]:
    return 20 * int(rng.random() < 0.4), 20


def _few(rng: np.random.Generator, _day: int) -> tuple[int, int]:
    return int(rng.integers(1, 4)), int(rng.integers(1, 4))


def each(n: int, m: int) -> Callable[[np.random.Generator, int], tuple[int, int]]:
    return lambda _rng, _day: (n, m)


def _step(rise: float) -> Callable[[int], float]:
    return lambda day: rise if day >= 0 else 0.0


EQUAL: dict[str, tuple[int, World]] = {
    "beta (6, 2)": (100, World()),
    "binary, 70 %": (100, World(draw=binary(0.7))),
    "binary, 97 %": (100, World(draw=binary(0.97))),
    "heavy-tailed": (100, World(draw=heavy_tailed)),
    "zero-inflated": (100, World(draw=zero_inflated)),
    "constant": (20, World(draw=constant)),
    "constant by day, levels wander": (60, World(draw=constant, spread=0.05)),
    "arms 1:20": (100, World(counts=each(200, 10))),
    "arms 1:20, heavy-tailed": (100, World(draw=heavy_tailed, counts=each(200, 10))),
    "1 to 3 a day": (100, World(counts=_few, spread=0.05)),
    "gaps": (100, World(counts=_gaps, spread=0.05)),
    "ramp": (100, World(counts=_ramp, spread=0.02)),
    "good and bad days": (100, World(spread=0.05, memory=0.0)),
    "both wander, 0.5": (100, World(spread=0.05, memory=0.5)),
    "both wander, 0.7": (300, World(spread=0.05)),
    "both wander, 0.7, twice as far": (100, World(spread=0.1)),
    "both wander, 0.7, a little": (200, World(spread=0.02)),
    "both wander, much traffic": (100, World(spread=0.005, counts=each(2_000, 2_000))),
    "only the candidate wanders": (200, World(spread=0.05, steady=True)),
    "only the candidate, 1:20": (100, World(spread=0.05, steady=True, counts=each(200, 10))),
    "easier for both since the candidate came": (
        100,
        World(common=_step(0.05), history=30),
    ),
    "harder for both since the candidate came": (
        100,
        World(common=_step(-0.05), history=30),
    ),
    "a trend, 90 days of history": (60, World(common=lambda day: 0.002 * day, history=90)),
    "a season": (
        60,
        World(common=lambda day: 0.1 * float(np.sin(day / 14 * np.pi)), history=30),
    ),
    "weekends differ": (60, World(common=lambda day: -0.1 * (day % 7 >= 5))),
    "common good and bad days": (60, World(common_spread=0.07)),
}
"""Worlds of equal versions: how many runs, and what they are."""

OTHERWISE: dict[str, tuple[int, Callable[[np.random.Generator], Run]]] = {
    "other hours, easier by 0.05": (40, other_hours),
    "other tags, easier by 0.1": (40, other_tags),
    "all moved, and easier by 0.05": (60, moved(0.05)),
    "all moved, and harder by 0.05": (60, moved(-0.05)),
}
"""Worlds in which the two are never side by side, or not alike."""
