"""The states of an upgrade record and the moves between them."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where an upgrade record is on its course."""

    RECOMMENDED = "recommended"
    SNOOZED = "snoozed"
    APPROVED = "approved"
    TESTING = "testing"
    CANARY = "canary"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    ABORTED = "aborted"


WAITING = frozenset({State.RECOMMENDED, State.SNOOZED})
"""Waits for a decision."""

UNDER_WAY = frozenset({State.APPROVED, State.TESTING, State.CANARY})
"""At most one record of a tracked model is in one of these (law 3)."""

ALLOWED: Mapping[State, frozenset[State]] = {
    State.RECOMMENDED: frozenset({State.SNOOZED, State.APPROVED, State.REJECTED, State.SUPERSEDED}),
    State.SNOOZED: frozenset({State.RECOMMENDED, State.APPROVED, State.REJECTED, State.SUPERSEDED}),
    # An approval falls (back to recommended) when what was approved changes.
    State.APPROVED: frozenset(
        {State.RECOMMENDED, State.TESTING, State.CANARY, State.COMPLETED, State.SUPERSEDED}
    ),
    State.TESTING: frozenset({State.CANARY, State.COMPLETED, State.FAILED}),
    State.CANARY: frozenset({State.COMPLETED, State.ABORTED}),
    State.COMPLETED: frozenset({State.ROLLED_BACK}),
    State.ROLLED_BACK: frozenset(),
    State.REJECTED: frozenset(),
    State.SUPERSEDED: frozenset(),
    State.FAILED: frozenset(),
    State.ABORTED: frozenset(),
}


def may_move(*, before: State, after: State) -> bool:
    """Say whether a record may go from one state to the other in one step."""
    return after in ALLOWED[before]


def states_before(after: State) -> frozenset[State]:
    """Return the states from which a record may move to this one."""
    return frozenset(state for state, nexts in ALLOWED.items() if after in nexts)
