"""Windows in a week and freezes, on the clock of the wall."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.calendar import (
    DAYS,
    FreezePeriod,
    UnreadableWindow,
    Window,
    freeze_at,
    is_open,
    next_opening,
)

OFFICE = Window.read({"days": ["mon", "tue"], "from": "09:00", "to": "17:00"})
NIGHT = Window.read({"days": ["fri"], "from": "22:00", "to": "04:00"})
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "moment", "is_it"),
    [
        (OFFICE, "2026-03-02 08:59", False),
        (OFFICE, "2026-03-02 09:00", True),
        (OFFICE, "2026-03-02 16:59", True),
        (OFFICE, "2026-03-02 17:00", False),
        (OFFICE, "2026-03-04 12:00", False),
        (NIGHT, "2026-03-06 21:59", False),
        (NIGHT, "2026-03-06 22:00", True),
        (NIGHT, "2026-03-07 03:59", True),
        (NIGHT, "2026-03-07 04:00", False),
        (NIGHT, "2026-03-06 03:00", False),
    ],
)
def test_a_window_is_open(window: Window, moment: str, is_it: bool) -> None:
    assert is_open(windows=[window], zone="UTC", at=at(moment)) is is_it


def test_without_windows_it_is_always_open() -> None:
    assert is_open(windows=[], zone="UTC", at=MONDAY)
    assert next_opening(windows=[], zone="UTC", at=MONDAY) is None


@pytest.mark.parametrize(
    ("day", "utc_hour"), [("2026-03-27", 8), ("2026-03-30", 7), ("2026-10-26", 8)]
)
def test_nine_o_clock_stays_nine_when_the_clock_changes(day: str, utc_hour: int) -> None:
    every_day = Window.read({"days": list(DAYS), "from": "09:00", "to": "10:00"})
    opens = next_opening(windows=[every_day], zone="Europe/Prague", at=at(f"{day} 00:00"))

    assert opens == at(f"{day} 0{utc_hour}:00")


@given(
    days=st.sets(st.sampled_from(DAYS), min_size=1),
    start=st.integers(0, 23),
    end=st.integers(0, 24),
    hours=st.integers(0, 24 * 14),
)
def test_it_is_open_when_it_opens_next(days: set[str], start: int, end: int, hours: int) -> None:
    window = Window.read({"days": list(days), "from": f"{start:02}:00", "to": f"{end:02}:00"})
    moment = MONDAY + timedelta(hours=hours)

    opens = next_opening(windows=[window], zone="UTC", at=moment)

    assert opens is not None
    assert moment < opens <= moment + timedelta(days=7)
    assert is_open(windows=[window], zone="UTC", at=opens)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        {"days": [], "from": "09:00", "to": "17:00"},
        {"days": ["someday"], "from": "09:00", "to": "17:00"},
        {"days": ["mon"], "from": "9", "to": "17:00"},
        {"days": ["mon"], "from": "09:60", "to": "17:00"},
        {"days": ["mon"], "from": "09:00", "to": "24:01"},
        {"days": ["mon"], "from": "09:00", "to": "17:00", "zone": "UTC"},
    ],
)
def test_what_is_no_window_is_refused(raw: object) -> None:
    with pytest.raises(UnreadableWindow):
        Window.read(raw)


def test_of_two_freezes_the_one_that_ends_last_is_told() -> None:
    hour = timedelta(hours=1)
    short = FreezePeriod("short", MONDAY, MONDAY + hour)
    long = FreezePeriod("long", MONDAY, MONDAY + 2 * hour)

    assert freeze_at(freezes=[long, short], at=MONDAY) == long
    assert freeze_at(freezes=[short], at=MONDAY + hour) is None
    assert freeze_at(freezes=[short], at=MONDAY - hour) is None
