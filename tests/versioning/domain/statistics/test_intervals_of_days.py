"""Intervals of one day: they hold their figure, and shrink with more samples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.statistics.summaries import (
    Moments,
    interval_of_mean,
    interval_of_share,
    interval_of_weighted_mean,
    ranks_of_quantile,
)

numbers = st.lists(st.floats(0, 1), min_size=2, max_size=30)


@given(numbers)
def test_a_mean_lies_in_its_interval(values: list[float]) -> None:
    found = Moments.of(values)
    interval = interval_of_mean(found)
    assert interval is not None
    assert interval[0] - 1e-12 <= found.mean <= interval[1] + 1e-12


def test_under_two_numbers_nobody_knows() -> None:
    assert interval_of_mean(Moments.of([0.5])) is None
    assert interval_of_mean(Moments()) is None


def test_only_what_counts_widens_it() -> None:
    parts = {"a": Moments.of([0.0, 1.0, 0.0, 1.0]), "b": Moments.of([0.2])}
    assert interval_of_weighted_mean(parts, weights={"a": 1.0, "b": 1.0}) is None
    assert interval_of_weighted_mean(parts, weights={"a": 1.0}) == interval_of_mean(parts["a"])


@given(st.integers(1, 500), st.data())
def test_a_share_lies_in_its_interval_and_that_within_0_and_1(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    interval = interval_of_share(hits=hits, n=n)
    assert interval is not None
    low, high = interval
    assert 0 <= low <= hits / n + 1e-12
    assert hits / n - 1e-12 <= high <= 1


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_s_examples(hits: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, table I, and Wilson's own formula by hand."""
    assert interval_of_share(hits=hits, n=n) == pytest.approx((low, high), abs=5e-5)


def test_a_high_quantile_needs_many() -> None:
    assert ranks_of_quantile(0.95, n=0) is None
    assert ranks_of_quantile(0.95, n=20) is None
    low, high = ranks_of_quantile(0.95, n=1000) or (0, 0)
    assert (low, high) == pytest.approx((0.9365, 0.9635), abs=1e-4)
