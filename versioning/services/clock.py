"""One clock, one day: which day a moment lies in, for people and for sums."""

from datetime import UTC, date, datetime, time

from django.utils import timezone


def local(moment: datetime) -> datetime:
    """Return the moment in the time zone of the settings (TIME_ZONE)."""
    return timezone.localtime(moment)


def local_day(moment: datetime) -> date:
    """Return the day that people have at a moment, in the time zone of the settings.

    What is decided, told or written in days goes by this one: retirements, reminders, ages,
    wake-up rules, the way back.
    """
    return local(moment).date()


def start_of(day: date) -> datetime:
    """Return the moment at which a day of people begins, in the time zone of the settings."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())


def utc_day(moment: datetime) -> date:
    """Return the day of a moment in UTC.

    Only what is summed and kept by days goes by this one: roll-ups, the days of evidence and
    drift. Those stay the same when the setting changes.
    """
    return moment.astimezone(UTC).date()
