"""How days and moments are written for people: one form in every sentence and on every page."""

from datetime import date, datetime


def day(value: date | None) -> str:
    """Return a day such as "1 Dec 2026"; None is a day that nobody knows."""
    return "an unknown day" if value is None else f"{value:%-d %b %Y}"


def moment(value: datetime) -> str:
    """Return a moment such as "1 Dec 2026 14:03 UTC", in the zone that it is given in."""
    return f"{value:%-d %b %Y %H:%M %Z}"
