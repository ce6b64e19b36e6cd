"""What requests cost, as a person reads it."""

import pytest

from versioning.domain.statistics.figures import per_thousand


@pytest.mark.parametrize(
    ("usd", "words"),
    [
        (0.0, "$0"),
        (0.0000622, "$0.062"),
        (0.000000001, "$0.0000010"),
        (0.0006, "$0.60"),
        (0.00125, "$1.25"),
        (0.09999, "$100"),
        (1.34, "$1,340"),
    ],
)
def test_a_cost_is_said_per_thousand_requests_and_without_exponents(usd: float, words: str) -> None:
    assert per_thousand(usd) == words
