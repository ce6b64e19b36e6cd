"""What docs/statistics.md promises, measured: run with `pytest -m simulation`."""

import pytest

from tests.simulation import days, looking, worlds
from tests.simulation.conftest import Report
from tests.simulation.days import World
from versioning.domain.statistics.drift import Measure

pytestmark = pytest.mark.simulation

ALPHA = 0.05

DESIGN = {0.02: 1240, 0.05: 400, 0.10: 160}
"""Mean samples of both sides until a rise was called better, by design/statistics.md."""


LATEST = 1.25
"""How many times the designed number is allowed."""

OFTENER = {
    # A run of good days is what a better version looks like, too.
    "good and bad days, 0.7 a day": (ALPHA, 0.065),
    # Not kept: a steady version says that days don't differ, and the candidate's do.
    "only the candidate, 0.7 a day": (0.075, 0.11),
    "only the candidate, after a fortnight": (0.075, 0.12),
}
"""Worlds in which equal versions are upgraded, or called better, oftener than `ALPHA`."""


@pytest.mark.parametrize("world", looking.EQUAL_WORLDS)
def test_equal_versions_are_rarely_upgraded_however_often_one_looks(
    world: str, report: Report
) -> None:
    runs, make = looking.EQUAL_WORLDS[world]
    found = looking.false_claims(world=world, runs=runs, make=make)
    report(
        f"equal, {world:<37} upgraded {found.upgraded:5.1%}   called better {found.better:5.1%}   "
        f"worse {found.worse:5.1%}   ({runs} runs)"
    )
    most_upgraded, most_better = OFTENER.get(world, (ALPHA, ALPHA))
    assert found.upgraded <= most_upgraded
    assert found.better <= most_better


@pytest.mark.parametrize("rise", DESIGN)
@pytest.mark.parametrize("history", [0, worlds.HISTORY], ids=["from scratch", "after a fortnight"])
def test_a_better_version_is_found_about_as_soon_as_designed(
    rise: float, history: int, report: Report
) -> None:
    found = looking.stopping(rise=rise, runs=200, history=history)
    report(
        f"rise {rise:+.2f}, {history:2d} days of history, mean {found.early:6.0f} "
        f"(designed {DESIGN[rise]}), all runs {found.mean:6.0f}, median {found.median:6.0f}, "
        f"never {found.never:.0%}"
    )
    assert found.early <= LATEST * DESIGN[rise]


@pytest.mark.parametrize("world", days.FLAT_WORLDS, ids=lambda world: world.name)
def test_a_flat_series_alarms_at_most_once_a_year(world: World, report: Report) -> None:
    alarms = days.false_alarms_a_year(world=world)
    report(f"flat, {world.name:<34} {alarms:5.2f} alarms a year")
    assert alarms <= 1


@pytest.mark.parametrize(
    ("world", "shift"),
    [
        (World(name="quality"), -0.05),
        (World(name="quality, good and bad days", spread=0.01, memory=0.5), -0.05),
        (World(name="quality, weekends differ", weekend=-0.03), 0.05),
        (World(name="errors", measure=Measure.ERRORS), 0.05),
        (World(name="latency", measure=Measure.LATENCY, spread=0.05), 0.3),
        (World(name="output length", measure=Measure.OUTPUT_LENGTH), -0.3),
    ],
    ids=lambda value: value.name if isinstance(value, World) else f"{value:+}",
)
def test_a_silent_change_is_seen_within_days_and_dated(
    world: World, shift: float, report: Report
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
