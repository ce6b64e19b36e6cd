"""Quiet hours end when they say, in the recipient's own time, also where clocks change."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.quiet_hours import next_open

PRAGUE = ZoneInfo("Europe/Prague")
EIGHT, SEVEN = dt.time(20), dt.time(7)
BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MOMENTS = st.timedeltas(dt.timedelta(0), dt.timedelta(days=700)).map(lambda after: BEGIN + after)
ZONES = st.sampled_from(["Europe/Prague", "America/New_York", "Asia/Kathmandu", "UTC"])


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-02T12:00+00:00", "2026-03-02T12:00+00:00"),
        ("2026-03-02T19:00+00:00", "2026-03-03T06:00+00:00"),  # 20:00 in Prague
        ("2026-03-03T05:59+00:00", "2026-03-03T06:00+00:00"),
        ("2026-03-03T06:00+00:00", "2026-03-03T06:00+00:00"),
        ("2026-03-28T22:00+00:00", "2026-03-29T05:00+00:00"),  # the night in which an hour is lost
    ],
)
def test_a_night_in_prague(at: str, opens: str) -> None:
    moment = dt.datetime.fromisoformat(at)
    assert next_open(moment, zone=PRAGUE, start=EIGHT, end=SEVEN) == dt.datetime.fromisoformat(
        opens
    )


@given(at=MOMENTS, name=ZONES, start=st.times(), end=st.times())
def test_it_is_never_before_within_a_day_and_then_open(
    at: dt.datetime, name: str, start: dt.time, end: dt.time
) -> None:
    zone = ZoneInfo(name)
    opens = next_open(at, zone=zone, start=start, end=end)
    assert at <= opens <= at + dt.timedelta(hours=25)
    if opens != at:
        assert next_open(opens, zone=zone, start=start, end=end) == opens
