"""What one look at a canary means."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.canary import (
    Action,
    CanaryStep,
    Look,
    Says,
    UnreadableStep,
    expected_duration,
    read_steps,
    rule,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STEPS = read_steps([{"weight": 5, "hours": 1, "samples": 10}, {"weight": 50, "approval": True}])


def look(**changes: object) -> Look:
    values: dict[str, object] = {
        "steps": STEPS,
        "position": 0,
        "step_began_at": NOW - HOUR,
        "samples": 10,
        "says": Says.PASSED,
        "sentence": "Better.",
        "approved": False,
        "paused": False,
    }
    return Look(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, Action.ADVANCE),
        ({"step_began_at": NOW}, Action.WAIT),
        ({"samples": 9}, Action.WAIT),
        ({"says": Says.NOT_YET}, Action.WAIT),
        ({"held_by": "Frozen."}, Action.WAIT),
        ({"paused": True}, Action.WAIT),
        ({"position": 1}, Action.WAIT),
        ({"position": 1, "approved": True}, Action.COMPLETE),
        ({"says": Says.BROKEN}, Action.ABORT),
        ({"says": Says.MISDIRECTED}, Action.PAUSE),
        ({"says": Says.MISDIRECTED, "paused": True}, Action.WAIT),
        ({"says": Says.NOT_YET, "step_began_at": NOW - 336 * HOUR}, Action.PAUSE),
    ],
)
def test_each_branch(changes: dict[str, object], action: Action) -> None:
    assert rule(look=look(**changes), now=NOW).action is action


LOOKS = st.builds(
    look,
    position=st.integers(0, 1),
    step_began_at=st.integers(-1000, 1000).map(lambda hours: NOW + hours * HOUR),
    samples=st.integers(0, 20),
    says=st.sampled_from(Says),
    approved=st.booleans(),
    paused=st.booleans(),
    held_by=st.sampled_from(["", "Frozen."]),
)


@given(LOOKS)
def test_a_broken_guardrail_comes_first_and_only_a_pass_goes_on(seen: Look) -> None:
    ruling = rule(look=seen, now=NOW)

    assert (ruling.action is Action.ABORT) is (seen.says is Says.BROKEN)
    if ruling.action in (Action.ADVANCE, Action.COMPLETE):
        assert seen.says is Says.PASSED
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
