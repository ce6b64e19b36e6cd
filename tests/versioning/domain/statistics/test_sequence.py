"""The width that holds at every look."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.statistics.moments import Moments
from versioning.domain.statistics.sequence import (
    floored_variance,
    half_width,
    samples_until,
)

counts = st.integers(30, 10**9)
risks = st.floats(1e-6, 0.5)


def test_the_width_is_the_published_formula() -> None:
    n, alpha, rho2 = 400, 0.05, (-2 * math.log(0.05) + math.log(-2 * math.log(0.05) + 1)) / 300
    s2 = n * 0.001
    wanted = math.sqrt(s2) * math.sqrt(
        2 * (n * rho2 + 1) / (n * n * rho2) * math.log(math.sqrt(n * rho2 + 1) / alpha)
    )
    assert half_width(n=n, variance=0.001, alpha=alpha) == pytest.approx(wanted, rel=1e-12)


@given(counts, risks)
def test_it_is_wider_than_an_interval_for_one_look(n: int, alpha: float) -> None:
    one_look = NormalDist().inv_cdf(1 - alpha / 2)
    assert half_width(n=n, variance=1.0, alpha=alpha) > one_look


@given(counts, risks)
def test_more_samples_narrow_it(n: int, alpha: float) -> None:
    now = half_width(n=n, variance=1 / n, alpha=alpha)
    later = half_width(n=2 * n, variance=1 / (2 * n), alpha=alpha)
    assert later < now


@given(counts, risks)
def test_a_smaller_risk_widens_it(n: int, alpha: float) -> None:
    assert half_width(n=n, variance=1.0, alpha=alpha / 2) > half_width(
        n=n, variance=1.0, alpha=alpha
    )


def test_without_samples_it_has_no_end() -> None:
    assert half_width(n=0, variance=1.0) == math.inf


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1])
def test_a_risk_lies_between_0_and_1(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        half_width(n=100, variance=1.0, alpha=alpha)


def test_it_holds_at_every_one_of_two_thousand_looks() -> None:
    """1,000 walks of coin tosses: a look at each toss from the 30th misses in at most 5 %."""
    tosses = np.random.default_rng(3).random((1000, 2000)) < 0.5
    n = np.arange(1, 2001)
    means = tosses.cumsum(axis=1) / n
    widths = np.array([half_width(n=int(k), variance=0.25 / k) for k in n])
    missed = (np.abs(means - 0.5) > widths)[:, 30:].any(axis=1).mean()
    assert missed <= 0.05


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_equal_scores_leave_a_width(n: int, score: float) -> None:
    equal = Moments(n, score, 0.0, score, score)
    assert half_width(n=n, variance=floored_variance(equal) / n) > 0


def test_the_floor_gives_way_to_what_was_seen() -> None:
    seen = Moments.of([0.0, 1.0] * 50)
    assert floored_variance(seen) == seen.variance


@given(st.integers(1, 10**8))
def test_the_smallest_count_that_settles_is_found(wanted: int) -> None:
    found = samples_until(settled=lambda samples: samples >= wanted)
    assert found is not None
    assert wanted <= found <= wanted * 1.011 + 1


def test_what_never_settles_has_no_count() -> None:
    assert samples_until(settled=lambda _: False) is None
