"""Moments add up in any order, and give the same as all numbers at once."""

import json
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.statistics.summaries import Moments, NotAPart

numbers = st.floats(-1e6, 1e6, allow_nan=False)
parts = st.lists(st.lists(numbers, max_size=20), max_size=12)


def near(got: float, wanted: float, *, scale: float) -> bool:
    return math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-9 * max(1.0, scale))


@given(parts)
def test_any_split_gives_the_moments_of_the_whole(split: list[list[float]]) -> None:
    values = [value for part in split for value in part]
    whole = Moments.of(values)
    added = Moments.total(Moments.of(part) for part in split)
    scale = max(map(abs, values), default=0.0)
    assert added.n == whole.n
    assert (added.minimum, added.maximum) == (whole.minimum, whole.maximum)
    assert near(added.mean, whole.mean, scale=scale)
    assert near(added.m2, whole.m2, scale=scale * scale * len(values))


@given(parts)
def test_any_order_gives_the_same(split: list[list[float]]) -> None:
    moments = [Moments.of(part) for part in split]
    there, back = Moments.total(moments), Moments.total(reversed(moments))
    assert there.n == back.n
    assert near(there.mean, back.mean, scale=1e6)
    assert near(there.m2, back.m2, scale=1e12 * max(1, there.n))


@given(st.lists(numbers, min_size=2, max_size=40))
def test_variance_is_that_of_the_standard_library(values: list[float]) -> None:
    wanted = statistics.variance(values)
    assert near(Moments.of(values).variance, wanted, scale=wanted)


def test_small_spread_on_a_large_level_keeps_its_digits() -> None:
    parts_of_it = [Moments.of([1e9 + 0.1, 1e9 + 0.2]), Moments.of([1e9 + 0.3])]
    assert Moments.total(parts_of_it).variance == pytest.approx(0.01, rel=1e-5)


@given(st.lists(st.floats(0, 1), max_size=30), st.lists(st.floats(0, 1), max_size=30))
def test_a_part_taken_out_again_leaves_the_rest(kept: list[float], part: list[float]) -> None:
    both = Moments.of([*kept, *part])
    rest = both.unmerge(Moments.of(part))
    assert rest.n == len(kept)
    assert math.isclose(rest.mean, Moments.of(kept).mean, abs_tol=1e-9)
    assert math.isclose(rest.m2, Moments.of(kept).m2, abs_tol=1e-9)


def test_more_than_there_is_cant_be_taken_out() -> None:
    with pytest.raises(NotAPart):
        Moments.of([1.0]).unmerge(Moments.of([1.0, 2.0]))


def test_an_end_that_was_taken_out_is_unknown() -> None:
    rest = Moments.of([0.0, 0.5, 1.0]).unmerge(Moments.of([1.0]))
    assert (rest.minimum, rest.maximum) == (0.0, None)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (0, 5), (3, 5), (5, 5)])
def test_binary_moments_are_those_of_zeros_and_ones(hits: int, n: int) -> None:
    wanted = Moments.of([1.0] * hits + [0.0] * (n - hits))
    got = Moments.of_binary(hits=hits, n=n)
    assert got.as_tuple() == pytest.approx(wanted.as_tuple())


def test_more_hits_than_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="3 hits"):
        Moments.of_binary(hits=3, n=2)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_has_no_mean(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Moments.of([0.5, value])


@given(st.lists(numbers, max_size=10))
def test_json_keeps_them(values: list[float]) -> None:
    moments = Moments.of(values)
    assert Moments.from_tuple(json.loads(json.dumps(moments.as_tuple()))) == moments


def test_a_row_without_mean_is_refused() -> None:
    with pytest.raises(ValueError, match="n, mean and m2"):
        Moments.from_tuple([3, None, 0.0, None, None])


def test_one_more_number_is_added() -> None:
    assert Moments.of([1.0, 2.0]).add(3.0).sum == pytest.approx(6.0)
