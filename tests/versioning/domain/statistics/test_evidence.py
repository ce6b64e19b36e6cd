"""The difference of two versions over tasks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.versioning.domain.statistics.arms import arm, stratum
from versioning.domain.statistics.evidence import (
    Arm,
    Difference,
    Stratum,
    covered,
    difference,
    quality_sides,
)
from versioning.domain.statistics.judgement import Verdict, judge_nothing
from versioning.domain.statistics.moments import Moments
from versioning.domain.statistics.thresholds import PerDay, exact

tasks = st.lists(
    st.tuples(st.integers(2, 500), st.integers(2, 500), st.floats(0, 1), st.floats(0, 1)),
    min_size=1,
    max_size=6,
)


def strata_of(rows: list[tuple[int, int, float, float]]) -> list[Stratum]:
    return [
        stratum(arm(old, n=n), arm(new, n=m), task=str(number))
        for number, (n, m, old, new) in enumerate(rows)
    ]


def found(strata: list[Stratum]) -> Difference:
    coverage = covered(strata, counted=lambda one: one.quality.n)
    return difference(quality_sides(coverage))


@given(tasks)
def test_the_estimate_weighs_tasks_by_the_current_traffic(
    rows: list[tuple[int, int, float, float]],
) -> None:
    total = sum(n for n, *_ in rows)
    wanted = sum(n / total * (new - old) for n, _, old, new in rows)
    assert found(strata_of(rows)).estimate == pytest.approx(wanted, abs=1e-12)


@given(tasks, st.floats(-0.5, 0.5))
def test_a_rise_that_is_the_same_on_every_task_is_the_rise(
    rows: list[tuple[int, int, float, float]], rise: float
) -> None:
    """Whatever the mixes are: no Simpson's paradox."""
    moved = [(n, m, old, old + rise) for n, m, old, _ in rows]
    assert found(strata_of(moved)).estimate == pytest.approx(rise, abs=1e-12)


@given(tasks)
def test_a_task_more_never_adds_reach_beyond_its_samples(
    rows: list[tuple[int, int, float, float]],
) -> None:
    one = found(strata_of(rows))
    assert one.reach_current <= one.n_current * (1 + 1e-9)
    assert one.reach_candidate <= one.n_candidate * (1 + 1e-9)


def test_a_small_arm_borrows_the_spread_of_the_large_one() -> None:
    """Thirty successes in a row look sure, but the current version knows of failures."""
    quiet = arm(1.0, n=30, spread=0.0)
    noisy = arm(0.9, n=3000, spread=0.3)
    assert found([stratum(noisy, quiet)]).variance_candidate == pytest.approx(0.09 / 30, rel=0.02)


def test_more_scores_than_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="more errors, successes or scores"):
        Arm(n=1, quality=Moments.of([0.5, 0.6]))


def test_a_task_that_only_the_candidate_serves_is_no_gap() -> None:
    coverage = covered(
        [stratum(arm(0.8), arm(0.8), task="a"), stratum(Arm(), arm(0.8), task="b")],
        counted=lambda one: one.quality.n,
    )
    assert (coverage.uncovered, coverage.uncovered_share) == ((), 0.0)


def test_nothing_shared_says_when_the_floor_is_met() -> None:
    judged = judge_nothing(n_current=50, n_candidate=10, per_day=PerDay(current=100, candidate=5))
    assert judged.verdict is Verdict.NOT_ENOUGH_DATA
    assert judged.needed is not None
    assert judged.needed.words == "about 20 more samples (about 4 days)"


@given(st.integers(-(10**6), 10**6))
def test_figures_are_as_a_person_would_write_them(thousandths: int) -> None:
    assert exact(thousandths / 1000) * 1000 == thousandths
