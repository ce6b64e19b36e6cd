"""The difference of two versions over tasks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.versioning.domain.statistics.arms import arm, quality_only, stratum
from versioning.domain.signals import QUALITY
from versioning.domain.statistics.comparison import compare
from versioning.domain.statistics.contrast import Difference, difference
from versioning.domain.statistics.figures import exact
from versioning.domain.statistics.inputs import WEIGHTS, Arm, Basis, Day, PerDay, Stratum
from versioning.domain.statistics.summaries import Moments
from versioning.domain.statistics.verdict import Verdict, judge_nothing, quality_groups

tasks = st.lists(
    st.tuples(st.integers(20, 500), st.integers(20, 500), st.floats(0, 1), st.floats(0, 1)),
    min_size=1,
    max_size=6,
)


def strata_of(rows: list[tuple[int, int, float, float]]) -> list[Stratum]:
    return [
        stratum(arm(old, n=n), arm(new, n=m), task=str(number))
        for number, (n, m, old, new) in enumerate(rows)
    ]


def found(strata: list[Stratum]) -> Difference:
    groups = quality_groups(strata, basis=Basis.SIDE_BY_SIDE, weights=WEIGHTS)
    shown = difference(groups, basis=Basis.SIDE_BY_SIDE)
    assert shown is not None
    return shown


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
    """Twenty-eight successes look sure, but the current version knows of failures."""
    quiet = arm(1.0, n=28, spread=0.0)
    noisy = arm(0.9, n=2800, spread=0.3)
    alone = arm(1.0, n=2800, spread=0.0)
    assert found([stratum(noisy, quiet)]).sampling > 2 * found([stratum(alone, quiet)]).sampling


def test_more_scores_than_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="more errors, costs or scores"):
        Day(number=1, n=1, components={QUALITY: Moments.of([0.5, 0.6])})


def test_days_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order of time"):
        Arm(days=(Day(number=2, n=1), Day(number=1, n=1)))


def test_a_task_that_only_the_candidate_serves_is_no_gap() -> None:
    shown = compare(
        strata=[stratum(arm(0.8), arm(0.8), task="a"), stratum(Arm(), arm(0.8), task="b")],
        thresholds=quality_only(),
    )
    assert (shown.uncovered_tasks, shown.uncovered_share) == ((), 0.0)


@pytest.mark.parametrize(
    ("a_day", "words"),
    [
        (5.0, "no task has scores of both versions"),
        (0.0, "the candidate gets no requests at present"),
    ],
)
def test_where_nothing_is_shared_it_says_what_comes_first(a_day: float, words: str) -> None:
    judged = judge_nothing(per_day=PerDay(current=100, candidate=a_day))
    assert judged.verdict is Verdict.NOT_ENOUGH_DATA
    assert judged.needed is not None
    assert judged.needed.words == words


@given(st.integers(-(10**6), 10**6))
def test_figures_are_as_a_person_would_write_them(thousandths: int) -> None:
    assert exact(thousandths / 1000) * 1000 == thousandths
