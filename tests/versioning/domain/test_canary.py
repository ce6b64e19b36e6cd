"""What one look at a canary means."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.canary import (
    Action,
    CanaryFacts,
    CanaryStep,
    GateState,
    UnreadableStep,
    decide,
    expected_duration,
    read_steps,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STEPS = read_steps([{"weight": 5, "hours": 1, "samples": 10}, {"weight": 50, "approval": True}])


def look(**changes: object) -> CanaryFacts:
    values: dict[str, object] = {
        "steps": STEPS,
        "position": 0,
        "step_began_at": NOW - HOUR,
        "samples": 10,
        "gates": GateState.PASSED,
        "sentence": "Better.",
        "approved": False,
        "paused": False,
    }
    return CanaryFacts(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, Action.ADVANCE),
        ({"step_began_at": NOW}, Action.WAIT),
        ({"samples": 9}, Action.WAIT),
        ({"gates": GateState.NOT_YET}, Action.WAIT),
        ({"held_by": "Frozen."}, Action.WAIT),
        ({"paused": True}, Action.WAIT),
        ({"position": 1}, Action.WAIT),
        ({"position": 1, "approved": True}, Action.COMPLETE),
        ({"gates": GateState.BROKEN}, Action.ABORT),
        ({"gates": GateState.MISDIRECTED}, Action.PAUSE),
        ({"gates": GateState.MISDIRECTED, "paused": True}, Action.WAIT),
        ({"gates": GateState.NOT_YET, "step_began_at": NOW - 336 * HOUR}, Action.PAUSE),
    ],
)
def test_each_branch(changes: dict[str, object], action: Action) -> None:
    assert decide(look=look(**changes), now=NOW).action is action


LOOKS = st.builds(
    look,
    position=st.integers(0, 1),
    step_began_at=st.integers(-1000, 1000).map(lambda hours: NOW + hours * HOUR),
    samples=st.integers(0, 20),
    gates=st.sampled_from(GateState),
    approved=st.booleans(),
    paused=st.booleans(),
    held_by=st.sampled_from(["", "Frozen."]),
)


@given(LOOKS)
def test_a_broken_guardrail_comes_first_and_only_a_pass_goes_on(seen: CanaryFacts) -> None:
    decided = decide(look=seen, now=NOW)

    assert (decided.action is Action.ABORT) is (seen.gates is GateState.BROKEN)
    if decided.action in (Action.ADVANCE, Action.COMPLETE):
        assert seen.gates is GateState.PASSED
        assert not seen.paused
        assert not seen.held_by


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [{}],
        [{"weight": 0}],
        [{"weight": 101}],
        [{"weight": True}],
        [{"weight": "many"}],
        [{"weight": 5, "minutes": 3}],
        [{"weight": 5}, {"weight": 5}],
        [{"weight": 50}, {"weight": 5}],
        [{"weight": 5, "hours": 10, "deadline_hours": 10}],
    ],
)
def test_what_are_no_steps_is_refused(raw: object) -> None:
    with pytest.raises(UnreadableStep):
        read_steps(raw)


def test_it_lasts_as_long_as_its_slower_holds() -> None:
    steps = [
        CanaryStep(weight=Decimal("0.1"), hold_hours=Decimal(24), hold_samples=20),
        CanaryStep(weight=Decimal("0.5"), hold_samples=60),
    ]
    # 100 a day: 10 a day reach 20 samples in 2 days; 40 more at 50 a day take 0.8 days.
    assert expected_duration(steps=steps, requests_a_day=100) == timedelta(days=2.8)
    assert expected_duration(steps=steps, requests_a_day=0) is None


def test_one_step_with_all_keys_is_a_canary_too() -> None:
    (step,) = read_steps([{"weight": 100}])
    assert step == CanaryStep(
        weight=Decimal(1),
        hold_hours=Decimal(0),
        hold_samples=0,
        needs_approval=False,
        deadline_hours=Decimal(14 * 24),
    )
    assert step == CanaryStep(weight=Decimal(1))
    assert decide(look=look(steps=[step]), now=NOW).action is Action.COMPLETE


def test_each_part_is_read_for_what_it_is() -> None:
    (step,) = read_steps(
        [{"weight": 5, "hours": 0, "samples": 7, "approval": True, "deadline_hours": 1.5}]
    )
    assert step == CanaryStep(
        weight=Decimal("0.05"),
        hold_hours=Decimal(0),
        hold_samples=7,
        needs_approval=True,
        deadline_hours=Decimal("1.5"),
    )


@pytest.mark.parametrize(
    "most",
    [
        {"samples": 10**9},
        {"deadline_hours": 8_760},
        {"hours": 8_759, "deadline_hours": 8_760},
    ],
)
def test_a_year_and_a_billion_samples_are_the_most(most: dict[str, int]) -> None:
    read_steps([{"weight": 5, **most}])
    part = next(iter(most))
    with pytest.raises(UnreadableStep, match=f"^{part} must be"):
        read_steps([{"weight": 5, **most, part: 8_761 if "hours" in part else 10**9 + 1}])


def test_only_who_is_asked_for_must_come() -> None:
    """Time passes without a request; half a request a day is two days for one."""
    day = CanaryStep(weight=Decimal("0.5"), hold_hours=Decimal(24))
    assert expected_duration(steps=[day], requests_a_day=0) == timedelta(days=1)
    one = CanaryStep(weight=Decimal("0.5"), hold_samples=1)
    assert expected_duration(steps=[one], requests_a_day=1) == timedelta(days=2)
    nothing = CanaryStep(weight=Decimal(1))
    assert expected_duration(steps=[nothing], requests_a_day=1) == timedelta(0)


@pytest.mark.parametrize(("samples", "days"), [(15, 3), (5, 2)])
def test_samples_of_earlier_steps_count(samples: int, days: int) -> None:
    steps = [
        CanaryStep(weight=Decimal("0.1"), hold_hours=Decimal(48)),
        CanaryStep(weight=Decimal("0.1"), hold_samples=samples),
    ]
    # Ten have come after the two days of the first step, at five a day.
    assert expected_duration(steps=steps, requests_a_day=50) == timedelta(days=days)


@pytest.mark.parametrize("approved", [True, False])
def test_a_step_that_needs_approval_waits_for_a_person(approved: bool) -> None:
    step = CanaryStep(weight=Decimal("0.5"), needs_approval=True)
    decided = decide(look=look(steps=[step, *STEPS[1:]], approved=approved), now=NOW)
    assert decided.action is (Action.ADVANCE if approved else Action.WAIT)
    assert approved or "person's approval" in decided.why
