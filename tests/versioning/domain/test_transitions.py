"""The course of an upgrade record, as product.md draws it."""

import pytest

from versioning.domain.transitions import (
    ALLOWED,
    UNDER_WAY,
    WAITING,
    State,
    may_move,
    states_before,
)

COURSE = [
    (State.RECOMMENDED, State.APPROVED),
    (State.APPROVED, State.TESTING),
    (State.TESTING, State.CANARY),
    (State.CANARY, State.COMPLETED),
    (State.COMPLETED, State.ROLLED_BACK),
]


@pytest.mark.parametrize(("before", "after"), COURSE)
def test_the_course_can_be_walked(before: State, after: State) -> None:
    assert may_move(before=before, after=after)


@pytest.mark.parametrize(("before", "after"), COURSE[1:])
def test_the_course_has_no_way_back_on_the_same_record(before: State, after: State) -> None:
    assert not may_move(before=after, after=before)


def test_an_approval_falls_back_to_a_recommendation_only_before_it_starts() -> None:
    assert states_before(State.RECOMMENDED) == {State.SNOOZED, State.APPROVED}


@pytest.mark.parametrize(
    "end",
    [State.REJECTED, State.SUPERSEDED, State.FAILED, State.ABORTED, State.ROLLED_BACK],
)
def test_an_end_is_an_end(end: State) -> None:
    assert ALLOWED[end] == frozenset()


def test_every_state_has_its_moves_written_down() -> None:
    assert set(ALLOWED) == set(State)


def test_only_a_completed_move_is_rolled_back() -> None:
    assert states_before(State.ROLLED_BACK) == {State.COMPLETED}


def test_a_record_that_waits_is_not_under_way() -> None:
    assert not WAITING & UNDER_WAY
