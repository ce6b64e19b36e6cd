"""How soon the best of ten is told apart, and how often one that isn't."""

import numpy as np
import pytest

from tests.simulation.conftest import Report
from tests.simulation.worlds import beta, scored, wandering
from versioning.domain.statistics.inputs import Arm, Day
from versioning.domain.statistics.ranking import Entrant, rank

pytestmark = pytest.mark.simulation

SEED = 20_261_128
ALPHA = 0.05
LOOKS = (7, 10, 14, 20, 28, 40, 60)
PER_DAY = 20

Model = tuple[float, float]
"""How much better than 0.75 a model is, and the standard deviation of its own levels."""

LOWER: list[Model] = [(-0.1, 0.0)] * 8


def days(rng: np.random.Generator, model: Model, *, count: int) -> list[Day]:
    rise, spread = model
    levels = wandering(rng, spread=spread, memory=0.7, size=count)
    return [
        scored(number, beta(rng, rise + float(level), PER_DAY))
        for number, level in enumerate(levels)
    ]


def alone(models: list[list[Day]], *, look: int) -> str:
    """Return the name of the model that is called best, alone; empty where there is a tie."""
    found = rank(
        entrants=[
            Entrant(name=str(number), arm=Arm(days=tuple(made[:look])))
            for number, made in enumerate(models)
        ]
    )
    return found.best.name if found.best and not found.tied else ""


@pytest.mark.parametrize(("samples", "least"), [(400, 0.25), (600, 0.6), (800, 0.8)])
def test_one_better_than_nine_is_told_apart(samples: int, least: float, report: Report) -> None:
    rng, runs = np.random.default_rng(SEED), 80
    look = samples // PER_DAY
    hits = sum(
        alone([days(rng, m, count=look) for m in [(0.05, 0.0), *[(0.0, 0.0)] * 9]], look=look)
        == "0"
        for _ in range(runs)
    )
    report(f"best of ten: 0.80 against nine at 0.75, {samples} each: alone {hits / runs:.0%}")
    assert hits / runs >= least


@pytest.mark.parametrize(
    ("name", "models"),
    [
        ("ten equal ones wander", [(0.0, 0.05)] * 10),
        ("the first two are equal, one wanders", [(0.0, 0.05), (0.0, 0.0), *LOWER]),
        ("the first two are equal and wander", [(0.0, 0.05), (0.0, 0.05), *LOWER]),
        ("two equal ones, one wanders", [(0.0, 0.05), (0.0, 0.0)]),
    ],
)
def test_none_is_called_best_that_is_not(name: str, models: list[Model], report: Report) -> None:
    """Whichever of equal ones is called best: of each it may be wrong in five per cent."""
    rng, runs = np.random.default_rng(SEED), 80
    called: dict[str, int] = {}
    for _ in range(runs):
        made = [days(rng, model, count=LOOKS[-1]) for model in models]
        for one in {alone(made, look=look) for look in LOOKS} - {""}:
            called[one] = called.get(one, 0) + 1
    most = max(called.values(), default=0) / runs
    report(f"best of {len(models)}: {name}: one called best alone {most:.1%} ({runs} runs)")
    assert most <= ALPHA
