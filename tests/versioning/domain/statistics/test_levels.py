"""What days that differ leave a number of scores worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.versioning.domain.statistics.arms import quality_only
from versioning.domain.signals import QUALITY
from versioning.domain.statistics.comparison import Comparison, compare
from versioning.domain.statistics.contrast import Level, level
from versioning.domain.statistics.inputs import WEIGHTS, Arm, Basis, Day, Stratum
from versioning.domain.statistics.intervals import doubt_of
from versioning.domain.statistics.summaries import Moments
from versioning.domain.statistics.verdict import Verdict, quality_groups


def day_of(number: int, scores: list[float]) -> Day:
    return Day(number=number, n=len(scores), components={QUALITY: Moments.of(scores)})


def effect(days: tuple[Day, ...]) -> Level:
    """What days do to a version's own mean."""
    alone = Stratum(task="one", current=Arm(days=days), candidate=Arm(days=days))
    found = level(quality_groups((alone,), basis=Basis.BEFORE_AFTER, weights=WEIGHTS))
    assert found is not None
    return found


def days_of(
    rng: np.random.Generator,
    *,
    days: int,
    per_day: int = 20,
    mean: float = 0.6,
    spread: float = 0.0,
    memory: float = 0.0,
) -> tuple[Day, ...]:
    """Days of scores of a standard deviation of 0.1, whose levels wander by `spread`."""
    level, found = rng.normal(0, spread), []
    for number in range(days):
        level = memory * level + rng.normal(0, spread) * (1 - memory**2) ** 0.5
        found.append(day_of(number, rng.normal(mean + level, 0.1, per_day).tolist()))
    return tuple(found)


def compared(current: tuple[Day, ...], candidate: tuple[Day, ...]) -> Comparison:
    return compare(
        strata=[Stratum(task="one", current=Arm(days=current), candidate=Arm(days=candidate))],
        thresholds=quality_only(),
    )


def test_steady_days_soon_cost_nothing() -> None:
    rng = np.random.default_rng(1)
    effects = [effect(days_of(rng, days=40)) for _ in range(50)]
    assert np.median([effect.design for effect in effects]) < 1.6
    assert doubt_of(40) < 1.01


@pytest.mark.parametrize("per_day", [20, 1000])
def test_the_scores_of_one_day_are_worth_few(per_day: int) -> None:
    """Whatever their number: they share one level."""
    found = effect(days_of(np.random.default_rng(1), days=1, per_day=per_day))
    assert found.design > 1
    assert per_day / found.design < 60
    assert doubt_of(1) == 3


def test_days_that_differ_are_what_counts() -> None:
    """Sixty days that differ by as much as scores do: 1,200 scores are worth about sixty."""
    rng = np.random.default_rng(2)
    differing = days_of(rng, days=60, spread=0.1)
    assert 1200 / effect(differing).design < 120


def test_levels_that_last_are_worth_less_than_levels_of_a_day() -> None:
    rng = np.random.default_rng(3)
    lasting = days_of(rng, days=60, spread=0.04, memory=0.9)
    single = days_of(rng, days=60, spread=0.04)
    assert effect(lasting).design > effect(single).design > 2


def test_a_gap_of_weeks_breaks_what_lasts() -> None:
    rng = np.random.default_rng(5)
    near = days_of(rng, days=30, spread=0.04, memory=0.8)
    far = tuple(replace(day, number=day.number * 30) for day in near)
    assert effect(far).design < effect(near).design


def test_equal_scores_leave_less_room_for_levels_than_for_chance() -> None:
    equal = tuple(day_of(number, [0.8] * 20) for number in range(10))
    assert effect(equal).design < 2


def test_a_score_a_day_is_no_reason_to_fail() -> None:
    rng = np.random.default_rng(6)
    found = effect(days_of(rng, days=30, per_day=1))
    assert 1 <= found.design < 2


@given(st.lists(st.lists(st.floats(0, 1), min_size=2, max_size=5), min_size=1, max_size=6))
def test_days_only_ever_take_away(days: list[list[float]]) -> None:
    found = effect(tuple(day_of(number, scores) for number, scores in enumerate(days)))
    assert found.design >= 1 - 1e-9


def test_a_good_day_is_no_better_version_but_good_weeks_are() -> None:
    rng = np.random.default_rng(7)
    current = days_of(rng, days=40, per_day=200)
    candidate = days_of(rng, days=40, per_day=200, mean=0.63)

    assert compared(current[:1], candidate[:1]).verdict is not Verdict.BETTER
    assert compared(current, candidate).verdict is Verdict.BETTER


def test_a_broken_version_is_worse_on_its_first_day() -> None:
    rng = np.random.default_rng(8)
    current, broken = (days_of(rng, days=1, per_day=100, mean=mean) for mean in (0.6, 0.2))
    assert compared(current, broken).verdict is Verdict.WORSE
