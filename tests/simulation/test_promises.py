"""What docs/statistics.md promises, measured: run with `pytest -m simulation`."""

import statistics

import numpy as np
import pytest

from tests.simulation import days, looking, worlds
from tests.simulation.conftest import Report
from tests.simulation.days import World as DriftWorld
from tests.simulation.harm import SEED, Harm, blocked_after
from tests.simulation.worlds import World
from versioning.domain.statistics.drift import Measure

pytestmark = pytest.mark.simulation

ALPHA = 0.05

OFTENER = {
    "constant by day, levels wander": 0.06,
    "both wander, 0.7, twice as far": 0.07,
}
"""Worlds in which equal versions are upgraded, or blocked, oftener than `ALPHA`, and the most that
is allowed there: docs/statistics.md names each, with its figures."""

STOPPING = {0.10: 450, 0.05: 1000}
"""Mean samples of both sides, 20 a side a day, until a rise is called better, within 60 days."""


@pytest.mark.parametrize("name", worlds.EQUAL)
def test_equal_versions_are_rarely_upgraded_or_blocked(name: str, report: Report) -> None:
    runs, world = worlds.EQUAL[name]
    found = looking.false_claims(runs=runs, make=world.run)
    _report(report, name, found)
    most = OFTENER.get(name, ALPHA)
    assert found.upgraded <= most
    assert found.blocked <= most


@pytest.mark.parametrize("name", worlds.MADE)
def test_others_of_equal_versions_are_rarely_upgraded_or_blocked(name: str, report: Report) -> None:
    runs, make = worlds.MADE[name]
    found = looking.false_claims(runs=runs, make=make)
    _report(report, name, found)
    assert found.upgraded <= ALPHA
    assert found.blocked <= ALPHA


@pytest.mark.parametrize("name", worlds.OTHERWISE)
def test_what_is_not_side_by_side_neither_moves_nor_blocks(name: str, report: Report) -> None:
    runs, make = worlds.OTHERWISE[name]
    found = looking.false_claims(runs=runs, make=make, every=3)
    _report(report, name, found)
    assert found.upgraded == 0
    assert found.blocked <= ALPHA


def _report(report: Report, name: str, found: looking.FalseClaims) -> None:
    report(
        f"equal, {name:<42} upgraded {found.upgraded:5.1%}   blocked {found.blocked:5.1%}   "
        f"({found.runs} runs, seed {looking.SEED})"
    )


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_a_version_worse_by_the_margin_is_rarely_called_not_worse(
    spread: float, report: Report
) -> None:
    runs = 300 if spread else 100
    wrong = looking.false_not_worse(runs=runs, world=World(rise=-0.02, spread=spread))
    report(f"worse by 0.02, levels wander by {spread}: called not worse {wrong:5.1%} ({runs} runs)")
    assert wrong <= ALPHA


@pytest.mark.parametrize("rise", STOPPING)
@pytest.mark.parametrize("common", [0.0, 0.07], ids=["days alike", "days differ for both"])
def test_a_better_version_is_found(rise: float, common: float, report: Report) -> None:
    world = World(rise=rise, common_spread=common, looks=60)
    found = looking.stopping(world=world, runs=60)
    report(
        f"rise {rise:+.2f}, common levels wander by {common}: mean {found.mean:6.0f}, median "
        f"{found.median:6.0f}, found within 60 days {found.found:.0%}"
    )
    assert found.mean <= STOPPING[rise]
    assert found.found >= 0.95


@pytest.mark.parametrize(
    ("name", "harm", "most"),
    [
        ("errors 1 -> 6 %", Harm(limit="error", errors=(0.01, 0.06)), 400),
        ("errors 1 -> 3 %", Harm(limit="error", errors=(0.01, 0.03), days=75), 1500),
        ("latency p95 x 1.5", Harm(limit="latency", latency=1.5), 800),
    ],
)
def test_harm_is_stopped(name: str, harm: Harm, most: int, report: Report) -> None:
    rng = np.random.default_rng(SEED)
    stopped = [blocked_after(rng, harm)[0] or 10**6 for _ in range(40)]
    median = statistics.median(stopped)
    report(f"{name}: blocked after {median:.0f} requests of the candidate (median of 40)")
    assert median <= most


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("errors 3 %, levels wander", Harm(limit="error", errors=(0.03, 0.03), wander=0.5)),
        ("errors 1 %, arms 1:20", Harm(limit="error", per_day=(200, 10))),
        ("latency wanders", Harm(limit="latency", wander=0.1, per_day=(50, 50))),
        ("cost wanders", Harm(limit="cost", wander=0.1, per_day=(50, 50))),
        ("requests are long on some days", Harm(limit="cost", common=0.3, per_day=(50, 50))),
    ],
)
def test_as_good_is_rarely_blocked(name: str, harm: Harm, report: Report) -> None:
    rng = np.random.default_rng(SEED)
    wrong = sum(blocked_after(rng, harm)[0] is not None for _ in range(40)) / 40
    report(f"as good, {name}: blocked {wrong:.1%} (40 runs)")
    assert wrong <= ALPHA


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("latency p95 x 1.25", Harm(limit="latency", latency=1.25, per_day=(100, 100), days=40)),
        ("cost x 1.3", Harm(limit="cost", cost=1.3, per_day=(100, 100), days=40)),
    ],
)
def test_what_is_beyond_its_limit_rarely_passes(name: str, harm: Harm, report: Report) -> None:
    rng = np.random.default_rng(SEED)
    wrong = sum(blocked_after(rng, harm)[1] for _ in range(30)) / 30
    report(f"{name}: passed {wrong:.1%} (30 runs)")
    assert wrong <= ALPHA


@pytest.mark.parametrize("world", days.FLAT_WORLDS, ids=lambda world: world.name)
def test_a_flat_series_alarms_at_most_once_a_year(world: DriftWorld, report: Report) -> None:
    alarms = days.false_alarms_a_year(world=world)
    report(f"flat, {world.name:<34} {alarms:5.2f} alarms a year")
    assert alarms <= 1


@pytest.mark.parametrize(
    ("world", "shift"),
    [
        (DriftWorld(name="quality"), -0.05),
        (DriftWorld(name="quality, good and bad days", spread=0.01, memory=0.5), -0.05),
        (DriftWorld(name="quality, weekends differ", weekend=-0.03), 0.05),
        (DriftWorld(name="errors", measure=Measure.ERRORS), 0.05),
        (DriftWorld(name="latency", measure=Measure.LATENCY, spread=0.05), 0.3),
        (DriftWorld(name="output length", measure=Measure.OUTPUT_LENGTH), -0.3),
    ],
    ids=lambda value: value.name if isinstance(value, DriftWorld) else f"{value:+}",
)
def test_a_silent_change_is_seen_within_days_and_dated(
    world: DriftWorld, shift: float, report: Report
) -> None:
    found = days.detection(world=world, shift=shift)
    report(
        f"change {shift:+.2f}, {world.name:<27} seen after {found.median_delay:.0f} days "
        f"(90 %: {found.slow_delay:.0f}), missed {found.missed:.0%}, "
        f"dated within a day {found.dated_within_a_day:.0%}"
    )
    assert found.median_delay <= 7
    assert found.missed <= 0.02
    assert found.dated_within_a_day >= 0.8
