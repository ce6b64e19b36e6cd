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
    START_THIS_WEEK = "retirement.start_this_week"
    """The last day on which a move can start and still be safe is within a week, or past."""
    DRIFTED = "version.drifted"
    SERVED_OTHERWISE = "version.served_otherwise"
    UNTRACKED = "model.untracked"
    """Samples name models that nobody tracks."""
    EVALUATION_ENDED = "evaluation.ended"
    BUDGET_REACHED = "evaluation.budget_reached"
    """A run stopped before all was asked, and goes on only when somebody gives it more."""
    PROVIDER_FAILING = "provider.failing"
    KEY_REFUSED = "provider.key_refused"
    PROVIDER_RECOVERED = "provider.recovered"
    """One of which it was told that it fails, or refuses the key, answers again."""
    AUTOMATION_OFF = "automation.off"
    AUTOMATION_ON = "automation.on"
    SECOND_FACTOR = "person.second_factor"
    """The second factor of somebody's sign-in was switched on or off, reset, or guessed at."""
    DIGEST = "digest.written"
    """Sums up for one recipient, and is told to nobody else."""


VERSIONS: Mapping[EventKind, int] = dict.fromkeys(EventKind, 1)
"""Of each kind's payload. A field that is added leaves it; one that changes raises it."""

CONCERN_ALL = frozenset(
    {EventKind.AUTOMATION_OFF, EventKind.AUTOMATION_ON, EventKind.SECOND_FACTOR}
)
"""Of no model and no provider: whoever wants the kind gets them, whatever else they narrow."""

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
