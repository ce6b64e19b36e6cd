"""How long it took until a comparison was settled, beside what was foretold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from tests.simulation.looking import MARGIN
from tests.simulation.worlds import World
from versioning.domain.statistics.contrast import Difference, difference
from versioning.domain.statistics.inputs import WEIGHTS, Basis, PerDay
from versioning.domain.statistics.intervals import ALPHA
from versioning.domain.statistics.verdict import MOST_DAYS, Needed, Verdict, judge, quality_groups

SEED = 20_261_128
LOOKS = (6, 9, 13, 20, 29, 44, 59)
"""Days (from 0) at which it is foretold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """What was said on a day, and how many days more it took; infinite where `MOST_DAYS` passed."""

    needed: Needed
    took: float

    @property
    def held(self) -> bool:
        if self.needed.days is None:
            return self.took == math.inf
        most = math.inf if self.needed.most_days is None else self.needed.most_days
        return self.needed.days <= self.took <= most


def foretold(*, world: World, runs: int) -> Iterator[Foretold]:
    """Watch each run until it is settled; worlds must last `MOST_DAYS` after the last look."""
    rng = np.random.default_rng(SEED)
    for _ in range(runs):
        run = world.run(rng)
        said: list[tuple[int, Needed]] = []
        for look in range(len(run.candidate)):
            if look < LOOKS[0]:
                continue
            groups = quality_groups(run.strata(look), basis=Basis.SIDE_BY_SIDE, weights=WEIGHTS)
            n = run.candidate[look].n
            if look not in LOOKS and not _may_be_settled(
                difference(groups, basis=Basis.SIDE_BY_SIDE, design=1.0)
            ):
                continue
            found = difference(groups, basis=Basis.SIDE_BY_SIDE)
            judged = judge(
                difference=found,
                alpha=ALPHA,
                margin=Decimal(str(MARGIN)),
                per_day=PerDay(current=n, candidate=n),
            )
            if judged.verdict is not Verdict.NOT_ENOUGH_DATA:
                yield from (Foretold(needed=one, took=_took(look - day)) for day, one in said)
                break
            if look in LOOKS and judged.needed is not None:
                said.append((look, judged.needed))
        else:
            yield from (Foretold(needed=one, took=math.inf) for _, one in said)


def _took(days: int) -> float:
    return days if days <= MOST_DAYS else math.inf


def _may_be_settled(found: Difference) -> bool:
    half = found.half_width(alpha=ALPHA)
    return abs(found.estimate) > half or found.estimate - half > -MARGIN
