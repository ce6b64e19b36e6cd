"""Each scheduled time comes once, in every zone, on every crontab, in every year."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from versioning.domain.crontab import Crontab

EVERY = {"days_of_week": range(7), "days_of_month": range(1, 32), "months": range(1, 13)}
ZONES = sorted(available_timezones())


def daily(hour: int, minute: int) -> Crontab:
    return Crontab(minutes={minute}, hours={hour}, **EVERY)


def times(cron: Crontab, zone: ZoneInfo, since: datetime, until: datetime) -> list[datetime]:
    found, moment = [], since
    while (following := cron.next_after(moment, zone=zone)) and following <= until:
        found.append(following)
        moment = following
    return found


def on_the_wall(cron: Crontab, zone: ZoneInfo, since: datetime, until: datetime) -> set[datetime]:
    """Return each local minute that is meant, by looking at every minute that there is."""
    found = {}
    minute = since
    while (minute := minute + timedelta(minutes=1)) <= until:
        wall = minute.astimezone(zone)
        if (
            wall.second == 0
            and wall.minute in cron.minutes
            and wall.hour in cron.hours
            and wall.isoweekday() % 7 in cron.days_of_week
            and wall.day in cron.days_of_month
            and wall.month in cron.months
        ):
            found.setdefault(wall.replace(tzinfo=None, fold=0), minute)
    return set(found.values())


@pytest.mark.parametrize(
    ("zone", "at", "since", "said"),
    [
        ("Europe/Berlin", (5, 0), (2027, 3, 27), ["27 05:00+0100", "28 05:00+0200"]),
        ("America/Chicago", (17, 4), (2027, 3, 13), ["13 17:04-0600", "14 17:04-0500"]),
        ("Europe/Berlin", (2, 0), (2027, 10, 30), ["30 02:00+0200", "31 02:00+0200"]),
        ("Europe/Berlin", (2, 30), (2027, 3, 27), ["27 02:30+0100", "28 03:30+0200"]),
        ("Australia/Lord_Howe", (2, 20), (2027, 4, 3), ["03 02:20+1100", "04 02:20+1030"]),
        ("Pacific/Apia", (9, 0), (2011, 12, 29), ["29 09:00-1000", "31 09:00+1400"]),
    ],
)
def test_clocks_that_are_set(
    zone: str, at: tuple[int, int], since: tuple[int, int, int], said: list[str]
) -> None:
    where = ZoneInfo(zone)
    begin = datetime(*since, tzinfo=where).astimezone(UTC)
    found = times(daily(*at), where, begin, begin + timedelta(days=2))
    assert [f"{moment.astimezone(where):%d %H:%M%z}" for moment in found][: len(said)] == said


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    hour=st.integers(20 * 8_766, 68 * 8_766),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=3),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
)
def test_each_time_on_the_wall_comes_once(
    zone: str, hour: int, hours: set[int], minutes: set[int], weekdays: set[int]
) -> None:
    """What comes beside them is a time that the wall clock skipped, late by as much as it did."""
    cron = Crontab(
        minutes=minutes,
        hours=hours,
        days_of_week=weekdays,
        days_of_month=range(1, 32),
        months=range(1, 13),
    )
    where = ZoneInfo(zone)
    since = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)  # 1990 to 2037
    found = times(cron, where, since, since + timedelta(days=3))
    assert found == sorted(set(found))
    meant = on_the_wall(cron, where, since - timedelta(hours=3), since + timedelta(days=3))
    missed = {moment for moment in meant if moment > since} - set(found)
    shown_before = {
        moment
        for moment in missed
        if moment.astimezone(where).fold  # the clock showed it an hour ago, before ``since``
    }
    assert missed == shown_before
    skipped = set(found) - meant
    assert all(_was_skipped(moment, where, cron) for moment in skipped)


def _was_skipped(moment: datetime, zone: ZoneInfo, cron: Crontab) -> bool:
    """Say whether some wall time that is meant does not exist, and would have come then."""
    wall = moment.astimezone(zone)
    for back in range(-24 * 60, 24 * 60 + 1):
        naive = wall.replace(tzinfo=None) - timedelta(minutes=back)
        if naive.hour in cron.hours and naive.minute in cron.minutes:
            asked = naive.replace(tzinfo=zone).astimezone(UTC)
            if asked == moment and asked.astimezone(zone).replace(tzinfo=None) != naive:
                return True
    return False


def test_a_day_that_never_comes_is_told() -> None:
    cron = Crontab(minutes={0}, hours={0}, days_of_week=range(7), days_of_month={30}, months={2})
    assert cron.next_after(datetime(2027, 1, 1, tzinfo=UTC), zone=UTC) is None


def test_a_leap_day_is_waited_for() -> None:
    cron = Crontab(minutes={0}, hours={0}, days_of_week=range(7), days_of_month={29}, months={2})
    found = cron.next_after(datetime(2097, 1, 1, tzinfo=UTC), zone=UTC)
    assert found == datetime(2104, 2, 29, tzinfo=UTC)
