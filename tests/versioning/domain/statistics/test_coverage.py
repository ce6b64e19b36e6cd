"""Unequal shares of requests with a signal are doubted; what the unknown may hide is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.statistics.cautions import LEAST_CELLS, KnownCounts, bounds, shares


def days(known: tuple[int, int], *, n: int = 100, count: int = 14) -> list[KnownCounts]:
    one = KnownCounts(n_current=n, known_current=known[0], n_candidate=n, known_candidate=known[1])
    return [one] * count


@pytest.mark.parametrize(
    ("known", "unequal"),
    [
        ((30, 30), False),
        ((30, 10), True),
        ((10, 30), True),
        ((30, 20), True),
        ((97, 93), True),
        ((100, 100), False),
        ((0, 0), False),
        ((30, 29), False),  # surely unequal at last, but it doesn't matter
    ],
)
def test_unequal_shares_are_doubted(known: tuple[int, int], unequal: bool) -> None:
    found = shares(days(known, count=60))
    assert found is not None
    assert found.are_unequal is unequal


def test_what_changes_for_both_on_a_day_is_no_difference() -> None:
    cells = [cell for share in (5, 60) for cell in days((share, share), count=20)]
    found = shares(cells)
    assert found is not None
    assert not found.are_unequal


def test_days_of_one_side_alone_say_nothing() -> None:
    alone = KnownCounts(n_current=500, known_current=500, n_candidate=0, known_candidate=0)
    assert shares([alone]) is None
    assert shares([alone, *days((30, 30))]) == shares(days((30, 30)))


def test_nothing_is_said_in_less_than_a_week() -> None:
    found = shares(days((90, 10), count=LEAST_CELLS - 1))
    assert found is not None
    assert not found.are_unequal


share = st.floats(0, 1)


@given(share, share, share, share, share, share)
def test_whatever_the_unknown_are_the_difference_lies_within_its_bounds(
    c: float, m: float, c_new: float, m_new: float, unknown: float, unknown_new: float
) -> None:
    found = bounds(share_current=c, mean_current=m, share_candidate=c_new, mean_candidate=m_new)
    truth = (c_new * m_new + (1 - c_new) * unknown_new) - (c * m + (1 - c) * unknown)
    assert found.low - 1e-9 <= truth <= found.high + 1e-9
    assert found.low - 1e-9 <= found.as_failures <= found.high + 1e-9
