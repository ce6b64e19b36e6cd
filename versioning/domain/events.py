"""What is told of a tracked model: the kinds of events, and which one each move is."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from versioning.domain.transitions import State


class EventKind(StrEnum):
    """What happened, as those outside read it: never renamed, only added to."""

    RECOMMENDED = "upgrade.recommended"
    REOPENED = "upgrade.reopened"
    """It waits for a decision again: its snooze is over, or what was approved has changed."""
    DECIDED = "upgrade.decided"
    """Approved, rejected or snoozed: see the payload's state."""
    APPROVAL_NEEDED = "upgrade.approval_needed"
    APPROVAL_FELL = "upgrade.approval_fell"
    SUPERSEDED = "upgrade.superseded"
    TESTS_BEGUN = "upgrade.tests_begun"
    FAILED = "upgrade.failed"
    ROLLED_BACK = "upgrade.rolled_back"
    """A move was undone; that clients get the earlier version is a ``model.moved``."""
    COMMENTED = "upgrade.commented"
    CHANGES_ASKED = "upgrade.changes_asked"
    """Its approval is held back until that is withdrawn or overridden."""
    CHANGES_WITHDRAWN = "upgrade.changes_withdrawn"
    CHANGES_OVERRIDDEN = "upgrade.changes_overridden"
    CANARY_BEGUN = "canary.begun"
    CANARY_ADVANCED = "canary.advanced"
    CANARY_PAUSED = "canary.paused"
    CANARY_RESUMED = "canary.resumed"
    CANARY_ABORTED = "canary.aborted"
    MOVED = "model.moved"
    """Clients get another version from now on: by an upgrade, a rollback, or the first one."""
    WATCH_ENDED = "watch.ended"
    RETIREMENT_CHANGED = "retirement.changed"
    """A retirement date was set, moved or taken back."""
    REMINDER = "retirement.reminder"
    EMERGENCY_DECLARED = "emergency.declared"
    """Somebody moves the model past tests, canary and approvals; each move is a ``model.moved``."""
    EMERGENCY_ENDED = "emergency.ended"
    EMERGENCY_REVIEWED = "emergency.reviewed"


VERSIONS: Mapping[EventKind, int] = dict.fromkeys(EventKind, 1)
"""Of each kind's payload. A field that is added leaves it; one that changes raises it."""

OF_A_MOVE = frozenset({"before", "reason"})
_CANARY = frozenset({"canary_step", "weight"})
_SAID = frozenset({"comment_id", "answers"})

DETAILS: Mapping[EventKind, frozenset[str]] = {
    **dict.fromkeys(EventKind, OF_A_MOVE),
    EventKind.APPROVAL_NEEDED: frozenset({"missing"}),
    EventKind.APPROVAL_FELL: frozenset({"fallen"}),
    EventKind.COMMENTED: _SAID,
    EventKind.CHANGES_ASKED: _SAID,
    EventKind.CHANGES_WITHDRAWN: _SAID,
    EventKind.CHANGES_OVERRIDDEN: _SAID,
    EventKind.CANARY_ADVANCED: _CANARY,
    EventKind.CANARY_PAUSED: _CANARY,
    EventKind.CANARY_RESUMED: _CANARY,
    EventKind.WATCH_ENDED: frozenset({"result"}),
    EventKind.RETIREMENT_CHANGED: frozenset({"before", "retires_on", "is_current"}),
    EventKind.EMERGENCY_DECLARED: frozenset({"emergency_id", "ends_at", "reason"}),
    EventKind.EMERGENCY_ENDED: frozenset({"emergency_id", "moves"}),
    EventKind.EMERGENCY_REVIEWED: frozenset({"emergency_id"}),
    EventKind.REMINDER: frozenset({"reminder_id", "retires_on", "days_before", "latest_start"}),
}
"""What each kind's payload has besides its subjects: exactly these, so that nothing slips in."""

_OF_STATE: Mapping[State, EventKind] = {
    State.RECOMMENDED: EventKind.REOPENED,
    State.SNOOZED: EventKind.DECIDED,
    State.APPROVED: EventKind.DECIDED,
    State.REJECTED: EventKind.DECIDED,
    State.SUPERSEDED: EventKind.SUPERSEDED,
    State.TESTING: EventKind.TESTS_BEGUN,
    State.FAILED: EventKind.FAILED,
    State.CANARY: EventKind.CANARY_BEGUN,
    State.ABORTED: EventKind.CANARY_ABORTED,
    State.COMPLETED: EventKind.MOVED,
    State.ROLLED_BACK: EventKind.ROLLED_BACK,
}


def kind_of_move(*, before: State | None, after: State) -> EventKind:
    """Return the one event that a record's move is; ``before`` is None where it is new."""
    if before is None and after is State.RECOMMENDED:
        return EventKind.RECOMMENDED
    return _OF_STATE[after]


MOST_ATTEMPTS = 13
"""So often a delivery is tried by itself, over about a day; then a person may try it anew."""

# Doubled each time up to the longest: a server that restarts is met soon, a dead one seldom.
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
JITTER = 0.2
"""A pause is up to this share shorter or longer: who failed together must not return together."""


def pause_after(attempts: int, *, luck: float) -> timedelta:
    """Return how long a delivery waits after so many attempts (from 1): twice as long each time.

    ``luck`` is from 0 to 1; at 0.5 the pause is neither shorter nor longer.
    """
    # Beyond 2^10 minutes it is the longest one anyway, and no power gets too large to multiply.
    pause = min(FIRST_PAUSE * (1 << min(attempts - 1, 10)), LONGEST_PAUSE)
    return pause * (1 + JITTER * (2 * luck - 1))
