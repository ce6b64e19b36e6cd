"""A signal that comes late, and of few requests: it moves no mean, and no verdict, by itself."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.statistics.comparison import Comparison, compare
from versioning.domain.statistics.inputs import WEIGHTS, Arm, Day, Stratum, Thresholds
from versioning.domain.statistics.summaries import Moments, Sketch
from versioning.domain.statistics.verdict import IN_FULL, Verdict, counting, mean_quality

names = st.sampled_from(sorted(WEIGHTS))
value = st.floats(0, 1)


def of(mean: float, n: int) -> Moments:
    return Moments(n, mean, n * mean * (1 - mean))


def test_one_thumb_among_1500_scores_hardly_moves_the_mean() -> None:
    before = {"valid_output": of(0.88, 1500)}
    after = before | {"user_feedback": of(1.0, 1)}
    means = [mean_quality(parts, weights=WEIGHTS) for parts in (before, after)]
    assert means[0] == pytest.approx(0.88)
    assert means[1] == pytest.approx(0.88, abs=0.0015)


@given(
    known=st.dictionaries(names, st.tuples(value, st.integers(IN_FULL, 3_000)), min_size=1),
    late=st.tuples(names, value, st.integers(0, 400)),
    score=value,
)
def test_one_more_value_moves_it_by_a_hundredth_of_its_weight_at_most(
    known: dict[str, tuple[float, int]], late: tuple[str, float, int], score: float
) -> None:
    name, mean, n = late
    parts = {each: of(*one) for each, one in known.items() if each != name}
    if not parts:
        return
    before = mean_quality(parts | {name: of(mean, n)}, weights=WEIGHTS)
    more = of(mean, n).merge(Moments.of([score])) if n else Moments.of([score])
    after = mean_quality(parts | {name: more}, weights=WEIGHTS)
    assert before is not None
    assert after is not None
    others = sum(WEIGHTS[each] for each in parts)
    assert abs(after - before) <= WEIGHTS[name] / others / IN_FULL + 1e-9


@given(
    st.dictionaries(names, st.tuples(value, st.integers(IN_FULL, 3_000)), min_size=1),
    st.integers(1, 9),
)
def test_from_a_hundred_on_it_is_the_same_however_many_have_it(
    known: dict[str, tuple[float, int]], times: int
) -> None:
    few = {name: of(mean, n) for name, (mean, n) in known.items()}
    many = {name: of(mean, n * times) for name, (mean, n) in known.items()}
    first = next(iter(few))
    mixed = many | {first: few[first]}
    assert mean_quality(mixed, weights=WEIGHTS) == pytest.approx(mean_quality(few, weights=WEIGHTS))


@given(st.dictionaries(names, st.integers(1, 500), min_size=1))
def test_where_all_have_as_many_each_has_its_weight(counts: dict[str, int]) -> None:
    equal = dict.fromkeys(counts, min(counts.values()))
    assert counting(equal, weights=WEIGHTS) == pytest.approx({n: WEIGHTS[n] for n in counts})


def test_what_counts_nothing_is_left_out() -> None:
    assert counting({"quality": 0, "user_feedback": 3, "mood": 9}, weights=WEIGHTS) == {
        "user_feedback": WEIGHTS["user_feedback"]
    }
    assert mean_quality({"mood": of(0.5, 9)}, weights=WEIGHTS) is None


def served(quality: float, *, thumbs: int, seed: int) -> Arm:
    dice = random.Random(seed)
    days = []
    for number in range(30):
        scores = [min(1.0, max(0.0, dice.gauss(quality, 0.1))) for _ in range(60)]
        parts = {"valid_output": Moments.of(scores)}
        if number == 29 and thumbs:
            parts["user_feedback"] = Moments.of([0.0] * thumbs)
        days.append(Day(number=number, n=60, components=parts, latency=Sketch.of([800.0] * 60)))
    return Arm(days=tuple(days))


def compared(*, thumbs: int) -> Comparison:
    strata = [
        Stratum(
            task="t",
            current=served(0.7, thumbs=thumbs, seed=1),
            candidate=served(0.76, thumbs=thumbs, seed=2),
        )
    ]
    return compare(strata=strata, thresholds=Thresholds(max_latency_rise=None, max_cost_rise=None))


def test_two_thumbs_on_the_last_day_dont_undo_a_months_verdict() -> None:
    without, late = compared(thumbs=0), compared(thumbs=2)
    assert without.verdict is late.verdict is Verdict.BETTER
    assert without.estimate == pytest.approx(late.estimate, abs=0.003)
