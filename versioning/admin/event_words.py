"""What kinds of events are called on pages; programs know them by their codes."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from versioning.domain.events import EventKind

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

WORDS: "Mapping[EventKind, StrOrPromise]" = {
    EventKind.RECOMMENDED: _("a newer version is recommended"),
    EventKind.REOPENED: _("an upgrade waits for a decision again"),
    EventKind.DECIDED: _("an upgrade is approved, rejected or snoozed"),
    EventKind.APPROVAL_NEEDED: _("an upgrade needs another approval"),
    EventKind.APPROVAL_FELL: _("an approval no longer counts"),
    EventKind.SUPERSEDED: _("an upgrade is superseded"),
    EventKind.TESTS_BEGUN: _("tests have begun"),
    EventKind.FAILED: _("tests have failed"),
    EventKind.ROLLED_BACK: _("a move is rolled back"),
    EventKind.COMMENTED: _("somebody comments on an upgrade"),
    EventKind.CHANGES_ASKED: _("somebody asks for changes"),
    EventKind.CHANGES_WITHDRAWN: _("a request for changes is withdrawn"),
    EventKind.CHANGES_OVERRIDDEN: _("a request for changes is overridden"),
    EventKind.CANARY_BEGUN: _("a canary has begun"),
    EventKind.CANARY_ADVANCED: _("a canary goes to its next step"),
    EventKind.CANARY_PAUSED: _("a canary is paused"),
    EventKind.CANARY_RESUMED: _("a canary goes on"),
    EventKind.CANARY_ABORTED: _("a canary is aborted"),
    EventKind.MOVED: _("applications get another version"),
    EventKind.WATCH_ENDED: _("the watch after a move has ended"),
    EventKind.RETIREMENT_CHANGED: _("a retirement date is set, moved or taken back"),
    EventKind.REMINDER: _("a version retires soon"),
    EventKind.EMERGENCY_DECLARED: _("an emergency is declared"),
    EventKind.EMERGENCY_ENDED: _("an emergency has ended"),
    EventKind.EMERGENCY_REVIEWED: _("an emergency is reviewed"),
    EventKind.START_THIS_WEEK: _("a move has to start this week"),
    EventKind.DRIFTED: _("a version does worse under the same name"),
    EventKind.SERVED_OTHERWISE: _("another id answers than was asked for"),
    EventKind.UNTRACKED: _("samples name models that nobody tracks"),
    EventKind.EVALUATION_ENDED: _("a run of tests has ended"),
    EventKind.BUDGET_REACHED: _("a run of tests has reached its budget"),
    EventKind.PROVIDER_FAILING: _("a provider can't be checked"),
    EventKind.KEY_REFUSED: _("a provider refuses its key"),
    EventKind.PROVIDER_RECOVERED: _("a provider answers again"),
    EventKind.AUTOMATION_OFF: _("automation is switched off"),
    EventKind.AUTOMATION_ON: _("automation is switched on"),
    EventKind.SECOND_FACTOR: _("somebody's second factor is changed or guessed at"),
    EventKind.DIGEST: _("a digest is written"),
}


def choices(kinds: Iterable[EventKind]) -> list[tuple[str, str]]:
    """Return kinds to choose from, each with its code: whoever writes a receiver needs it."""
    return [(kind.value, f"{WORDS[kind]} ({kind.value})") for kind in kinds]


def of(code: str) -> str:
    """Return what a kind is called; one of a newer Hotswap by its code."""
    return next((str(said) for kind, said in WORDS.items() if kind == code), code)
