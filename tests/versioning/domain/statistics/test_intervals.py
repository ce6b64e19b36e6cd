"""The width that holds at every look."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.statistics.intervals import half_width, variance_floor

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


@given(st.integers(1, 10**6))
def test_equal_scores_are_no_proof_that_all_will_be_equal(n: int) -> None:
    assert variance_floor(n + 1) < variance_floor(n)
    assert variance_floor(n) > 0
