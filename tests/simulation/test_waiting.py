"""How often the time that is foretold holds the time that it takes."""

import statistics

import pytest

from tests.simulation import waiting, worlds
from tests.simulation.conftest import Report
from tests.simulation.worlds import World

pytestmark = pytest.mark.simulation

LONG = 240

WORLDS: dict[str, World] = {
    "better by 0.05": World(rise=0.05, looks=150),
    "better by 0.02": World(rise=0.02, looks=LONG),
    "equal": World(looks=LONG),
    "equal, common good and bad days": World(common_spread=0.07, looks=LONG),
    "equal, pass or fail at 80 %, 50 a day": World(
        draw=worlds.binary(0.8), counts=worlds.each(50, 50), looks=LONG
    ),
    "equal, 100 a day": World(counts=worlds.each(100, 100), looks=150),
    "worse by the margin": World(rise=-0.02, looks=LONG),
    "better by 0.05, levels wander": World(rise=0.05, spread=0.05, looks=LONG),
}


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_foretold_holds_in_two_cases_of_three(name: str, report: Report) -> None:
    runs = 60
    found = list(waiting.foretold(world=WORLDS[name], runs=runs))
    held = statistics.fmean(one.held for one in found)
    ends = [one.needed for one in found if one.needed.days]
    wide = statistics.median(
        (waiting.MOST_DAYS if one.most_days is None else one.most_days) / (one.days or 1)
        for one in ends
    )
    report(
        f"foretold, {name:<38} held {held:4.0%} of {len(found)} forecasts ({runs} runs); the far "
        f"end is {wide:.0f} times the near one at the median, open in "
        f"{statistics.fmean(one.most_days is None for one in ends):.0%}"
    )
    assert held >= 0.65
