"""How urgent things are said: retirement clocks and notices."""

from datetime import datetime, timedelta

from django.utils.safestring import SafeString

from versioning.admin.words import badge, day, until_day
from versioning.domain.retirement import Needs
from versioning.models import Notice
from versioning.services.upgrades.retirement import Clock

NOTICE_TONES = {
    Notice.Kind.WORSE: "bad",
    Notice.Kind.WAY_BACK: "bad",
    Notice.Kind.CANARY_PAUSED: "warn",
    Notice.Kind.CANARY_ABORTED: "warn",
    Notice.Kind.ROLLED_BACK: "warn",
    Notice.Kind.TESTS_FAILED: "warn",
    Notice.Kind.APPROVAL_FELL: "info",
    Notice.Kind.FAULT: "bad",
}


def clock_date(clock: Clock, *, now: datetime) -> str:
    """Return when the clock's version retires, and how that is known."""
    found = clock.retirement
    if found.precision == "forecast":
        return f"may retire between {day(found.on)} and {day(found.latest)}. {found.reason}"
    how = {"earliest": " at the earliest", "tentative": ", as planned now"}
    when = f"{day(found.on)} ({until_day(found.on, now=now)}){how.get(found.precision, '')}"
    source = clock.version.retires_source
    return f"retires on {when}, says {source}." if source else f"retires on {when}."


def needs(parts: Needs) -> str:
    """Return what a move takes, its parts in order."""
    named = (
        ("tests", parts.evaluation),
        ("canary", parts.canary),
        ("approval", parts.approval),
        ("buffer", parts.buffer),
    )
    said = [f"{name} {_days(time)}" for name, time in named if time]
    total = _days(parts.total)
    return f"A move takes {total}: {', '.join(said)}." if len(said) > 1 else f"It takes {total}."


def notice_kind(notice: Notice) -> SafeString:
    return badge(notice.get_kind_display(), NOTICE_TONES[Notice.Kind(notice.kind)])


def _days(time: timedelta) -> str:
    count = round(time / timedelta(days=1), 1)
    return f"{count:g} day{'s'[: count != 1]}"
