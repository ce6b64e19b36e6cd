"""What a change of pass/fail scores, the hardest to see, takes to be seen."""

from datetime import timedelta

import numpy as np
import pytest

from tests.simulation.conftest import Report
from tests.simulation.days import SEED, START, YEAR
from versioning.domain.statistics.drift import Measure, PeriodMoments, find_shifts
from versioning.domain.statistics.summaries import Moments

pytestmark = pytest.mark.simulation

WINDOW = 50


def days(
    rng: np.random.Generator, *, passing: float, count: int, begins: int = 10**6, fall: float = 0.0
) -> list[PeriodMoments]:
    """Return days of 100 cases that pass or fail; from day `begins` fewer pass."""
    return [
        PeriodMoments(
            day=START + timedelta(days=number),
            moments=Moments.of_binary(
                hits=int(rng.binomial(100, passing - fall * (number >= begins))), n=100
            ),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("passing", [0.8, 0.9])
def test_a_fall_of_five_points_is_seen_within_fifty_days(passing: float, report: Report) -> None:
    rng = np.random.default_rng(SEED)
    begins = START + timedelta(days=60)
    runs, missed = 300, 0
    for _ in range(runs):
        series = days(rng, passing=passing, count=60 + WINDOW, begins=60, fall=0.05)
        found = find_shifts(measure=Measure.QUALITY, readings=series)
        missed += not any(one.seen >= begins for one in found)
    report(
        f"pass/fail at {passing}, 100 a day, -0.05: missed {missed / runs:.1%} of {runs} windows"
    )
    assert missed / runs <= 0.15


@pytest.mark.parametrize("passing", [0.8, 0.9])
def test_flat_pass_or_fail_rarely_alarms(passing: float, report: Report) -> None:
    rng, years = np.random.default_rng(SEED), 60
    alarms = sum(
        len(find_shifts(measure=Measure.QUALITY, readings=days(rng, passing=passing, count=YEAR)))
        for _ in range(years)
    )
    report(f"pass/fail at {passing}, 100 a day, flat: {alarms / years:.2f} alarms a year")
    assert alarms / years <= 0.2
