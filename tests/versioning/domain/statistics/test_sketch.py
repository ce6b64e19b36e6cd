"""Quantiles to one per cent, from sketches added up in any order."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.statistics.summaries import (
    BUCKET_LIMIT,
    RELATIVE_ERROR,
    Sketch,
    UnreadableSketch,
    quantile_of_mixture,
)

latencies = st.floats(0.001, 1e7)
several = st.lists(st.lists(latencies, max_size=30), min_size=1, max_size=6)


@given(st.lists(latencies, min_size=1, max_size=200), st.floats(0, 1))
def test_a_quantile_is_off_by_at_most_one_per_cent(values: list[float], q: float) -> None:
    exact = sorted(values)[math.floor(q * (len(values) - 1))]
    got = Sketch.of(values).quantile(q)
    assert got is not None
    assert abs(got - exact) <= RELATIVE_ERROR * exact * (1 + 1e-9)


@pytest.mark.parametrize("q", [0.01, 0.5, 0.95, 0.99, 0.999])
def test_a_long_tail_keeps_the_promise(q: float) -> None:
    values = np.random.default_rng(4).lognormal(6, 1.5, 100_001)
    exact = float(np.quantile(values, q, method="lower"))
    assert Sketch.of(values.tolist()).quantile(q) == pytest.approx(exact, rel=RELATIVE_ERROR)


@given(several)
def test_any_split_and_order_give_the_same_sketch(split: list[list[float]]) -> None:
    whole = Sketch.of(value for part in split for value in part)
    there, back = Sketch(), Sketch()
    for part in split:
        there = there.merge(Sketch.of(part))
    for part in reversed(split):
        back = back + Sketch.of(part)
    assert there == back == whole
    assert hash(there) == hash(whole)
    assert there.n == sum(map(len, split))


@given(st.lists(st.one_of(st.just(0.0), latencies), max_size=60))
def test_bytes_keep_it(values: list[float]) -> None:
    sketch = Sketch.of(values)
    assert Sketch.from_bytes(sketch.to_bytes()) == sketch


def test_a_million_latencies_fit_into_a_kilobyte() -> None:
    values = np.random.default_rng(5).lognormal(6, 0.6, 200_000).tolist()
    assert len(Sketch.of(values).to_bytes()) < 1024


@pytest.mark.parametrize(
    "data", [b"", b"\x02\x00\x00", b"\x01", b"\x01\x00\x05\x01", b"\x01\x00\x00\x07"]
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableSketch):
        Sketch.from_bytes(data)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_a_bad_latency_changes_nothing(value: float) -> None:
    sketch = Sketch.of([1.0])
    with pytest.raises(ValueError, match="finite numbers from 0 up"):
        sketch.add_many([5.0, value])
    assert sketch == Sketch.of([1.0])


def test_zeros_are_counted_apart() -> None:
    sketch = Sketch.of([0.0, 0.0, 0.0, 8.0])
    assert sketch.quantile(0.5) == 0.0
    assert sketch.quantile(1.0) == pytest.approx(8.0, rel=RELATIVE_ERROR)


def test_an_empty_sketch_has_no_quantile() -> None:
    assert Sketch().quantile(0.5) is None


def test_too_many_buckets_fold_the_lowest_only() -> None:
    values = [1.0203**power for power in range(-1000, 1500)]
    sketch = Sketch.of(values)
    assert len(sketch.counts) == BUCKET_LIMIT
    assert sketch.n == len(values)
    exact = sorted(values)[math.floor(0.95 * (len(values) - 1))]
    assert sketch.quantile(0.95) == pytest.approx(exact, rel=RELATIVE_ERROR)


def test_a_mixture_weighs_its_parts_as_told() -> None:
    fast, slow = Sketch.of([1.0] * 900), Sketch.of([100.0] * 100)
    as_counted = quantile_of_mixture(parts=[(fast, 900), (slow, 100)], q=0.5)
    mostly_slow = quantile_of_mixture(parts=[(fast, 0.2), (slow, 0.8)], q=0.5)
    assert as_counted == pytest.approx(1.0, rel=RELATIVE_ERROR)
    assert mostly_slow == pytest.approx(100.0, rel=RELATIVE_ERROR)


@given(st.lists(latencies, min_size=1), st.lists(latencies, min_size=1), st.floats(0, 1))
def test_weights_by_count_give_the_merged_quantile(
    one: list[float], other: list[float], q: float
) -> None:
    parts = [(Sketch.of(one), float(len(one))), (Sketch.of(other), float(len(other)))]
    wanted = Sketch.of([*one, *other]).quantile(q)
    assert quantile_of_mixture(parts=parts, q=q) == pytest.approx(wanted, rel=0.05)


def test_a_quantile_beyond_one_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Sketch.of([1.0]).quantile(1.5)


def test_one_at_a_time_gives_the_same() -> None:
    sketch = Sketch()
    sketch.add(3.0)
    assert sketch == Sketch.of([3.0])
    assert sketch != 3.0
    assert repr(sketch) == "<Sketch of 1>"
