"""Versions that fail, lag or cost more: after how many of their requests they are blocked."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from tests.simulation.worlds import wandering
from versioning.domain.statistics.gates import GateStatus, check_gates
from versioning.domain.statistics.inputs import Arm, Day, Stratum, Thresholds
from versioning.domain.statistics.intervals import ALPHA
from versioning.domain.statistics.summaries import Moments, Sketch

SEED = 20_260_103


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """How a candidate's requests differ from the current version's.

    `wander` is the standard deviation of each version's own daily level, as a part of its rate,
    latency or cost; `common` that of both.
    """

    limit: str
    errors: tuple[float, float] = (0.01, 0.01)
    latency: float = 1.0
    cost: float = 1.0
    wander: float = 0.0
    common: float = 0.0
    per_day: tuple[int, int] = (20, 20)
    days: int = 60


def blocked_after(rng: np.random.Generator, harm: Harm) -> tuple[int | None, bool]:
    """Return after how many requests of the candidate its gate failed, and whether it ever passed.

    Looked at every second day. None where it never failed.
    """
    thresholds = _only(harm.limit)
    levels = [
        np.exp(wandering(rng, spread=spread, memory=0.7, size=harm.days))
        for spread in (harm.wander, harm.wander, harm.common)
    ]
    sides: tuple[list[Day], list[Day]] = ([], [])
    passed = False
    for day in range(harm.days):
        for index, days in enumerate(sides):
            level = float(levels[index][day] * levels[2][day])
            days.append(_day(rng, harm, day, is_candidate=bool(index), level=level))
        if day % 2:
            current, candidate = (Arm(days=tuple(days)) for days in sides)
            strata = [Stratum(task="one", current=current, candidate=candidate)]
            (gate,) = check_gates(strata=strata, thresholds=thresholds)
            if gate.status is GateStatus.FAILED:
                return candidate.n, passed
            passed |= gate.status is GateStatus.PASSED
    return None, passed


def _only(limit: str) -> Thresholds:
    """One gate with the risk that it has among three."""
    limits = {
        "max_error_rise": Decimal("0.02"),
        "max_error_times": Decimal(2),
        "max_latency_rise": Decimal("0.2"),
        "max_cost_rise": Decimal("0.2"),
    }
    kept = {name: value if limit in name else None for name, value in limits.items()}
    return Thresholds(**kept, alpha=ALPHA / 3)  # type: ignore[arg-type]


def _day(
    rng: np.random.Generator, harm: Harm, number: int, *, is_candidate: bool, level: float
) -> Day:
    n = harm.per_day[is_candidate]
    errors = int(rng.binomial(n, min(1.0, harm.errors[is_candidate] * level)))
    slow, dear = (harm.latency, harm.cost) if is_candidate else (1.0, 1.0)
    return Day(
        number=number,
        n=n,
        errors=errors,
        cost=Moments.of((rng.lognormal(-6, 0.8, n) * dear * level).tolist()),
        latency=Sketch.of(rng.lognormal(6.5, 0.6, n - errors) * slow * level),
    )
