"""One clock, one day: what time it is for all machines, and which day a moment lies in.

Leases, due times and windows are written by one machine and read by another. Where the database is
a server, its clock is everybody's: a machine whose own is off goes by it.
"""

import time as seconds
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from versioning.domain.clocks import ahead_at_least

TOLERATED = timedelta(seconds=1)
"""A clock this close to the database server's is kept well: it is right, and asks nobody."""

READ_EVERY_S = 60.0
AGAIN_AFTER_S = 10.0
"""Where the server could not be asked: whoever wants the time must not wait for it often."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """How far this machine's clock was ahead, and when, by that clock and by a steady one."""

    ahead: timedelta
    own: datetime
    steady_s: float
    good_for_s: float

    def is_good(self) -> bool:
        since_s = seconds.monotonic() - self.steady_s
        stepped = timezone.now() - self.own - timedelta(seconds=since_s)
        return since_s < self.good_for_s and abs(stepped) < TOLERATED


_reading: _Reading | None = None


def now() -> datetime:
    """Return the moment, by the database server's clock where this machine's is off."""
    return timezone.now() - ahead()


def ahead() -> timedelta:
    """Return how far this machine's clock is ahead of the database server's, at least.

    Nothing where it is kept well, where the database is a file, or where nobody could be asked.
    """
    global _reading
    if not settings.HOTSWAP["CLOCK_OF_DATABASE"]:
        return timedelta(0)
    if _reading is None or not _reading.is_good():
        _reading = _read(before=_reading)
    return _reading.ahead


def _read(*, before: _Reading | None) -> _Reading:
    sent, sent_s = timezone.now(), seconds.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (said,) = cursor.fetchone()
    except Error:
        # What it was is better than nothing: clocks seldom change, connections often break.
        known = before.ahead if before is not None else timedelta(0)
        return _Reading(known, timezone.now(), seconds.monotonic(), AGAIN_AFTER_S)
    took_s = seconds.monotonic() - sent_s
    found = ahead_at_least(sent=sent, received=sent + timedelta(seconds=took_s), said=said)
    off = found if abs(found) > TOLERATED else timedelta(0)
    return _Reading(off, sent, sent_s, READ_EVERY_S)


def local(moment: datetime) -> datetime:
    """Return the moment in the time zone of the settings (TIME_ZONE), whoever asks.

    Not in the active one, which is the reader's on a page (config/reader_zone.py).
    """
    return timezone.localtime(moment, timezone.get_default_timezone())


def local_day(moment: datetime) -> date:
    """Return the day that people have at a moment, in the time zone of the settings.

    What is decided, told or written in days goes by this one: retirements, reminders, ages,
    wake-up rules, the way back.
    """
    return local(moment).date()


def start_of(day: date) -> datetime:
    """Return the moment at which a day of people begins, in the time zone of the settings."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())


def utc_day(moment: datetime) -> date:
    """Return the day of a moment in UTC.

    Only what is summed and kept by days goes by this one: roll-ups, the days of evidence and
    drift. Those stay the same when the setting changes.
    """
    return moment.astimezone(UTC).date()
