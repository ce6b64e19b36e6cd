"""Streams of quality to look at again and again: one function per kind of world.

A world makes both versions' days on one task; `number` 0 is the first day on which the candidate
could serve, days before it have negative numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from versioning.domain.signals import QUALITY
from versioning.domain.statistics.inputs import Arm, Day, Slice, Stratum
from versioning.domain.statistics.summaries import Moments

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


Make = Callable[[np.random.Generator], Run]


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


def _both_ramp(_rng: np.random.Generator, day: int) -> tuple[int, int]:
    n = 20 + 20 * max(0, day)
    return n, n if day >= 0 else 0


def _canary(_rng: np.random.Generator, day: int) -> tuple[int, int]:
    """The candidate's share of 200 requests a day grows: 1, 5, 25, then 50 per cent."""
    share = 2 if day < 7 else 10 if day < 14 else 50 if day < 28 else 100
    return 200 - share * (day >= 0), share


def _weekdays(_rng: np.random.Generator, day: int) -> tuple[int, int]:
    return 20, 20 * (day % 7 < 5)


def _every_other_day(_rng: np.random.Generator, day: int) -> tuple[int, int]:
    return 20, 20 * (day % 2 == 0)


def _step(rise: float) -> Callable[[int], float]:
    return lambda day: rise if day >= 0 else 0.0


EQUAL: dict[str, tuple[int, World]] = {
    "beta (6, 2)": (100, World()),
    "binary, 70 %": (100, World(draw=binary(0.7))),
    "binary, 97 %": (100, World(draw=binary(0.97))),
    "heavy-tailed": (100, World(draw=heavy_tailed)),
    "zero-inflated": (100, World(draw=zero_inflated)),
    "constant": (20, World(draw=constant)),
    "constant by day, levels wander": (300, World(draw=constant, spread=0.05)),
    "arms 1:20": (100, World(counts=each(200, 10))),
    "arms 1:20, heavy-tailed": (100, World(draw=heavy_tailed, counts=each(200, 10))),
    "1 to 3 a day": (100, World(counts=_few, spread=0.05)),
    "gaps": (100, World(counts=_gaps, spread=0.05)),
    "ramp": (100, World(counts=_ramp, spread=0.02)),
    "good and bad days": (100, World(spread=0.05, memory=0.0)),
    "both wander, 0.5": (100, World(spread=0.05, memory=0.5)),
    "both wander, 0.7": (300, World(spread=0.05)),
    "both wander, 0.7, twice as far": (300, World(spread=0.1)),
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
    "a canary grows, levels wander": (300, World(counts=_canary, spread=0.05, history=20)),
    "a canary grows, levels wander a little": (
        100,
        World(counts=_canary, spread=0.02, history=20),
    ),
    "both ramp": (60, World(counts=_both_ramp, spread=0.02, history=10)),
    "2,000 a day wander as far": (200, World(spread=0.05, counts=each(2_000, 2_000))),
    "500 a day wander, 0.8": (60, World(spread=0.05, memory=0.8, counts=each(500, 500))),
    "weekdays only, weekends are harder": (
        60,
        World(common=lambda day: -0.1 * (day % 7 >= 5), counts=_weekdays, spread=0.03, history=28),
    ),
    "every other day, a trend": (
        60,
        World(common=lambda day: 0.003 * day, counts=_every_other_day, spread=0.03),
    ),
    "easier for both from day 15 on": (60, World(common=lambda day: 0.1 * (day >= 15))),
    "weekends differ": (60, World(common=lambda day: -0.1 * (day % 7 >= 5))),
    "common good and bad days": (60, World(common_spread=0.07)),
}
"""Worlds of equal versions: how many runs, and what they are."""


def tenant_joins(rng: np.random.Generator) -> Run:
    """From day 20 on half of all requests are of a new tenant, harder by 0.4."""

    def day(number: int) -> Day:
        hard = int(rng.binomial(20, 0.5 if number >= 20 else 0))
        return scored(number, np.concatenate([beta(rng, 0.0, 20 - hard), beta(rng, -0.4, hard)]))

    return Run(
        current=[day(number) for number in range(-20, 60)],
        candidate=[day(number) for number in range(60)],
    )


def rare_bad_days(rng: np.random.Generator) -> Run:
    """Each has bad days of its own, lower by 0.4: one day in twenty."""
    current, candidate = (
        [scored(day, beta(rng, -0.4 * (rng.random() < 0.05), 20)) for day in range(90)]
        for _ in range(2)
    )
    return Run(current=current, candidate=candidate)


def users_stay(rng: np.random.Generator) -> Run:
    """200 users a side, assigned for good, differ by 0.1; each day some of them send requests."""

    def side() -> list[Day]:
        users = rng.normal(0, 0.1, 200)
        return [
            scored(day, np.clip(rng.normal(0.75 + users[rng.integers(0, 200, 20)], 0.1), 0, 1))
            for day in range(60)
        ]

    return Run(current=side(), candidate=side())


def feedback(share: Callable[[int, bool], float], *, of_failures: float | None = None) -> Make:
    """Valid outputs and thumbs of equal versions; thumbs come on a share of the requests.

    `of_failures` is the share among outputs that are not valid.
    """

    def day(rng: np.random.Generator, number: int, is_candidate: bool) -> Day:
        valid, up = rng.random(40) < 0.95, rng.random(40) < 0.7
        asked = share(number, is_candidate)
        known = rng.random(40) < (
            asked if of_failures is None else np.where(valid, asked, of_failures)
        )
        components = {"valid_output": valid, "user_feedback": up[known]}
        return Day(
            number=number,
            n=40,
            scored=40,
            components={
                name: Moments.of(values.astype(float).tolist())
                for name, values in components.items()
            },
        )

    return lambda rng: Run(
        current=[day(rng, number, False) for number in range(-20, 60)],
        candidate=[day(rng, number, True) for number in range(60)],
    )


MADE: dict[str, tuple[int, Make]] = {
    "a harder tenant joins": (60, tenant_joins),
    "rare bad days of each": (60, rare_bad_days),
    "users stay, and differ": (300, users_stay),
    "feedback on 5 or 60 % by day": (60, feedback(lambda day, _: 0.05 if day % 3 else 0.6)),
    "feedback on 30 and 10 %": (60, feedback(lambda _, candidate: 0.1 if candidate else 0.3)),
    "feedback on 30 and 20 %": (60, feedback(lambda _, candidate: 0.2 if candidate else 0.3)),
    "failures get feedback": (60, feedback(lambda _day, _: 0.05, of_failures=0.9)),
}
"""More worlds of equal versions, side by side."""

OTHERWISE: dict[str, tuple[int, Callable[[np.random.Generator], Run]]] = {
    "other hours, easier by 0.05": (40, other_hours),
    "other tags, easier by 0.1": (40, other_tags),
    "all moved, and easier by 0.05": (60, moved(0.05)),
    "all moved, and harder by 0.05": (60, moved(-0.05)),
}
"""Worlds in which the two are never side by side, or not alike."""
