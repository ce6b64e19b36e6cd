"""Until when a move can start and still be safe."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.retirement import (
    REMINDER_DAYS,
    Lives,
    Needs,
    forecast,
    latest_safe_start,
    reminder_due,
    starts_this_week,
)

TODAY = date(2026, 3, 1)
DAY = timedelta(days=1)


def test_a_part_of_a_day_counts_as_a_day() -> None:
    needs = Needs(evaluation=timedelta(hours=1), canary=2 * DAY, approval=3 * DAY, buffer=7 * DAY)
    assert latest_safe_start(retires_on=date(2026, 4, 30), needs=needs) == date(2026, 4, 17)


@pytest.mark.parametrize(("days", "is_it"), [(-1, True), (0, True), (6, True), (7, False)])
def test_this_week(days: int, is_it: bool) -> None:
    assert starts_this_week(latest_start=TODAY + days * DAY, today=TODAY) is is_it


@given(left=st.integers(-400, 400))
def test_one_reminder_a_day_and_the_nearest_one(left: int) -> None:
    due = reminder_due(retires_on=TODAY + left * DAY, today=TODAY)

    if left > max(REMINDER_DAYS):
        assert due is None
    else:
        assert due is not None
        assert due >= left
        assert not [days for days in REMINDER_DAYS if left <= days < due]


@given(ages=st.lists(st.integers(1, 2000), min_size=2), age=st.integers(0, 3000))
def test_a_forecast_is_a_range_that_begins_tomorrow_at_the_earliest(
    ages: list[int], age: int
) -> None:
    lives = Lives(count=len(ages), shortest=min(ages), longest=max(ages))

    found = forecast(released_on=TODAY - age * DAY, lives=lives, today=TODAY)

    assert found is not None
    assert TODAY < found.on <= found.latest
    assert str(len(ages)) in found.reason


def test_one_life_is_no_forecast() -> None:
    one, two = (Lives(count=count, shortest=10, longest=10) for count in (1, 2))

    assert forecast(released_on=TODAY, lives=one, today=TODAY) is None
    assert forecast(released_on=TODAY, lives=None, today=TODAY) is None
    assert forecast(released_on=None, lives=two, today=TODAY) is None
