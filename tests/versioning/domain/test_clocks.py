from datetime import UTC, datetime, timedelta

import pytest

from versioning.domain.clocks import ahead_at_least

SENT = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said_s", "took_s", "rounded_s", "ahead_s"),
    [
        (0, 0, 0, 0),
        (0.4, 1, 0, 0),  # on the way
        (-120, 0.2, 0, 120),
        (120, 0.2, 0, -119.8),
        (-3, 10, 0, 3),
        (12, 10, 0, -2),
        (-0.9, 0.1, 1, 0),  # as late in its second as it can be
        (-120, 0.2, 1, 119),
        (120, 0.2, 1, -119.8),
    ],
)
def test_a_clock_is_off_by_no_more_than_is_sure(
    said_s: float, took_s: float, rounded_s: float, ahead_s: float
) -> None:
    found = ahead_at_least(
        sent=SENT,
        received=SENT + timedelta(seconds=took_s),
        said=SENT + timedelta(seconds=said_s),
        rounded=timedelta(seconds=rounded_s),
    )
    assert found == timedelta(seconds=ahead_s)
