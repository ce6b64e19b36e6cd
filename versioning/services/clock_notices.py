"""Clocks that are off: staff are told of each machine's, and of the one that all go by."""

from collections.abc import Collection
from datetime import datetime, timedelta
from socket import gethostname

from django.conf import settings
from django.db.models import QuerySet

from providers.conversation import DatedAnswer
from versioning.domain.clocks import ahead_at_least
from versioning.models import Notice
from versioning.services import clock, notices

OFF = timedelta(seconds=15)
"""Half of what a code of a second factor lives: well-kept clocks are a hundred times closer."""

IN_ITS_SECOND = timedelta(seconds=1)
"""A ``Date`` says no parts of a second."""

SUBJECT = "Clock of "
SERVER = "the database server"

_was_off: bool | None = None


def note_own_clock(*, now: datetime) -> None:
    """Tell of this machine's clock, or that it is right again; it writes where that is news.

    A process's first look writes in any case: one before it may have told.
    """
    global _was_off
    if not settings.HOTSWAP["CLOCK_OF_DATABASE"]:
        return
    ahead = clock.ahead()
    is_off = abs(ahead) >= OFF
    if is_off == _was_off:
        return
    _tell(
        gethostname(),
        f"is {_off_by(ahead)} the database server's, which Hotswap goes by: nothing is lost or "
        "done twice. Others may refuse what that machine signs (Bedrock), and it what they sign "
        f"(single sign-on). {_SET_IT}"
        if is_off
        else "",
        now=now,
    )
    _was_off = is_off


def compare(answers: Collection[DatedAnswer], *, now: datetime) -> None:
    """Hold the clock that all go by against what the answers of a round of checks say.

    It is told to be off only where all of them say so: one that agrees is no coincidence.
    """
    ours = clock.ahead()
    found = {
        answer.host: ahead_at_least(
            sent=answer.sent - ours,
            received=answer.received - ours,
            said=answer.said,
            rounded=IN_ITS_SECOND,
        )
        for answer in answers
    }
    if not found:
        return
    ahead = min(found.values(), key=abs)
    name = SERVER if settings.HOTSWAP["CLOCK_OF_DATABASE"] else gethostname()
    they = ", ".join(sorted(found)[:3])
    _tell(
        name,
        f"is {_off_by(ahead)} that of {they}, by their answers to the last check. All of Hotswap "
        f"goes by it: codes of a second factor, and whatever ends at a time. {_SET_IT}"
        if abs(ahead) >= OFF
        else "",
        now=now,
    )


def open_ones() -> QuerySet[Notice]:
    """Return what staff are told of clocks now."""
    return Notice.objects.open().filter(kind=Notice.Kind.FAULT, subject__startswith=SUBJECT)


_SET_IT = "Have it set by NTP (timedatectl set-ntp true, or chrony)."


def _off_by(ahead: timedelta) -> str:
    seconds = round(abs(ahead).total_seconds())
    return f"{seconds} s {'ahead of' if ahead > timedelta(0) else 'behind'}"


def _tell(name: str, what: str, *, now: datetime) -> None:
    subject = f"{SUBJECT}{name}"
    if what:
        notices.raise_fault(subject=subject, sentence=f"The clock of {name} {what}", now=now)
    elif open_ones().filter(subject=notices.subject_of(subject)).exists():
        notices.resolve_fault(subject=subject, by="the clock", now=now)
