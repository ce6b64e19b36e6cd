"""How urgent things are said: retirement clocks and notices."""

from datetime import datetime, timedelta

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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
        return _("may retire between %(on)s and %(latest)s. %(reason)s") % {
            "on": day(found.on),
            "latest": day(found.latest),
            "reason": found.reason,
        }
    how = {"earliest": _(" at the earliest"), "tentative": _(", as planned now")}
    when = f"{day(found.on)} ({until_day(found.on, now=now)}){how.get(found.precision, '')}"
    source = clock.version.retires_source
    return (
        _("retires on %(when)s, says %(source)s.") % {"when": when, "source": source}
        if source
        else _("retires on %(when)s.") % {"when": when}
    )


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
    return (
        _("A move takes %(total)s: %(join)s.") % {"total": total, "join": ", ".join(said)}
        if len(said) > 1
        else _("It takes %(total)s.") % {"total": total}
    )


def notice_kind(notice: Notice) -> SafeString:
    return badge(notice.get_kind_display(), NOTICE_TONES[Notice.Kind(notice.kind)])


def _days(time: timedelta) -> str:
    count = round(time / timedelta(days=1), 1)
    form = int(count) if count.is_integer() else 2  # no language counts in halves
    return ngettext("%(count)s day", "%(count)s days", form) % {"count": f"{count:g}"}
