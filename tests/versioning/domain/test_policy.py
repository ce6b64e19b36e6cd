"""May it go by itself? Every rule that stops it is named."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.calendar import FreezePeriod, Window
from versioning.domain.canary import CanaryStep
from versioning.domain.policy import (
    Asker,
    Asks,
    Automation,
    EffectivePolicy,
    Facts,
    MoveStage,
    Rule,
    Unsure,
    decide,
    examine,
    stops_before_evidence,
)
from versioning.domain.statistics.decision import Decision

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
GOOD = Facts(
    stage=MoveStage.BEGIN, evidence_decision=Decision.UPGRADE, released_on=date(2026, 1, 1)
)
FREE = EffectivePolicy(automation=Automation.AFTER_GATES)


def test_it_goes_where_nothing_stops_it() -> None:
    decision = decide(facts=GOOD, policy=FREE, now=NOW)

    assert (decision.allowed, decision.waits_for) == (True, "")


@pytest.mark.parametrize(
    ("facts", "policy", "rule"),
    [
        ({"automation_on": False}, {}, Rule.SWITCH),
        ({"active": False}, {}, Rule.INACTIVE),
        ({"pinned": True}, {}, Rule.PINNED),
        ({}, {"automation": Automation.NEVER}, Rule.AUTOMATION),
        ({}, {"automation": Automation.ON_REQUEST}, Rule.AUTOMATION),
        ({"urgent_on": date(2026, 4, 2)}, {"automation": "near_retirement"}, Rule.AUTOMATION),
        ({"step": "replacement"}, {"steps_allowed": ("replacement",)}, Rule.STEP),
        ({"step": "maybe"}, {"steps_allowed": ("maybe",)}, Rule.STEP),
        ({"step": "major"}, {"steps_allowed": ("minor",)}, Rule.STEP),
        ({"released_on": date(2026, 3, 1)}, {"minimum_age_days": 2}, Rule.AGE),
        ({"released_on": None}, {"minimum_age_days": 1}, Rule.AGE),
        ({}, {"approvals_needed": 2}, Rule.APPROVALS),
        ({"freezes": [FreezePeriod("f", NOW, NOW + DAY)]}, {}, Rule.FREEZE),
        ({"way_back": "closed"}, {}, Rule.WAY_BACK),
        ({"evidence_decision": Decision.STAY}, {}, Rule.EVIDENCE),
        ({"evidence_decision": Decision.NOT_ENOUGH_EVIDENCE}, {}, Rule.EVIDENCE),
        ({"evidence_decision": Decision.BLOCKED}, {"required_suites": ("s",)}, Rule.EVIDENCE),
        ({"another_under_way": True}, {}, Rule.UNDER_WAY),
        ({"changes_asked": "bo asks for changes: wait."}, {}, Rule.CHANGES),
        ({"under_way": 2}, {"max_at_once": 2}, Rule.PACE),
        ({"begun_today": 1}, {"max_per_day": 1}, Rule.PACE),
    ],
)
def test_one_rule_stops_it(facts: dict[str, object], policy: dict[str, object], rule: Rule) -> None:
    values = {key: Automation(v) if key == "automation" else v for key, v in policy.items()}
    decision = decide(
        facts=replace(GOOD, **facts),  # type: ignore[arg-type]
        policy=replace(FREE, **values),  # type: ignore[arg-type]
        now=NOW,
    )

    assert [reason.rule for reason in decision.reasons] == [rule]


@pytest.mark.parametrize(("day", "goes"), [(date(2026, 4, 1), True), (date(2026, 4, 2), False)])
def test_near_retirement_is_thirty_days(day: date, goes: bool) -> None:
    policy = EffectivePolicy(automation=Automation.NEAR_RETIREMENT)

    assert decide(facts=replace(GOOD, urgent_on=day), policy=policy, now=NOW).allowed is goes


def test_a_client_may_ask_unless_nothing_ever_goes_by_itself() -> None:
    asked = replace(GOOD, asked_by=Asker.CLIENT)

    assert decide(facts=asked, policy=EffectivePolicy(), now=NOW).allowed
    never = EffectivePolicy(automation=Automation.NEVER)
    assert not decide(facts=asked, policy=never, now=NOW).allowed


def test_tests_gather_the_evidence_themselves() -> None:
    unknown = replace(GOOD, evidence_decision=Decision.NOT_ENOUGH_EVIDENCE)

    assert decide(facts=unknown, policy=replace(FREE, required_suites=("s",)), now=NOW).allowed


@given(
    pinned=st.booleans(),
    on=st.booleans(),
    shown=st.sampled_from(Decision),
    stage=st.sampled_from(MoveStage),
    automation=st.sampled_from(Automation),
)
def test_what_is_examined_is_what_decides(
    pinned: bool, on: bool, shown: Decision, stage: MoveStage, automation: Automation
) -> None:
    facts = replace(GOOD, pinned=pinned, automation_on=on, evidence_decision=shown, stage=stage)
    policy = EffectivePolicy(automation=automation)

    rows = examine(facts=facts, policy=policy, now=NOW)
    decision = decide(facts=facts, policy=policy, now=NOW)

    assert all(row.ok for row in rows) is decision.allowed
    assert {row.rule for row in rows if not row.ok} == {r.rule for r in decision.reasons}
    assert all(row.sentence for row in rows)
    if pinned:
        assert not decision.allowed


def test_what_is_built_in() -> None:
    """What the guide says of a policy in which nothing is set: docs/upgrades.md."""
    assert EffectivePolicy() == EffectivePolicy(
        automation=Automation.ON_REQUEST,
        steps_allowed=("revision", "snapshot", "minor", "major"),
        minimum_improvement=Decimal("0.1"),
        max_error_rise=Decimal("0.02"),
        max_error_times=Decimal(2),
        max_latency_rise=Decimal("0.2"),
        max_cost_rise=Decimal("0.2"),
        unsure_limits_pass=False,
        minimum_age_days=0,
        near_retirement_days=30,
        required_suites=(),
        unsure_tests=Unsure.ASKS,
        tests_alone=False,
        canary_steps=(),
        canary_asks=Asks.NOT_WORSE,
        approvals_needed=1,
        requester_may_approve=True,
        windows=(),
        time_zone="UTC",
        max_at_once=None,
        max_per_day=None,
        watch_days=7,
        rollback_by_itself=False,
        approval_days=3,
        buffer_days=7,
    )


CANARY = (CanaryStep(weight=Decimal("0.05")), CanaryStep(weight=Decimal("0.5")))


@pytest.mark.parametrize(
    ("policy", "first"),
    [
        (FREE, "made current at once"),
        (replace(FREE, canary_steps=CANARY), "tried as a canary, at first with 5% of the keys"),
        (replace(FREE, canary_steps=CANARY, required_suites=("a", "b")), "tested with a, b"),
    ],
)
def test_it_says_what_comes_next(policy: EffectivePolicy, first: str) -> None:
    assert decide(facts=GOOD, policy=policy, now=NOW).next == f"It is {first}."
    approved = replace(GOOD, stage=MoveStage.GO_ON)
    assert decide(facts=approved, policy=policy, now=NOW).next == "It goes on."


def test_who_is_stopped_twice_waits_for_the_first() -> None:
    stopped = replace(GOOD, automation_on=False, pinned=True, pin_reason="audit")
    decision = decide(facts=stopped, policy=FREE, now=NOW)
    assert decision.waits_for == decision.reasons[0].sentence == "All automation is switched off."
    assert decision.reasons[1].sentence == "The model is pinned (audit)."


def test_a_reason_is_given_where_there_is_one() -> None:
    off = replace(GOOD, automation_on=False, automation_off_because="incident", pinned=True)
    sentences = [reason.sentence for reason in decide(facts=off, policy=FREE, now=NOW).reasons]
    assert sentences == ["All automation is switched off (incident).", "The model is pinned."]


@pytest.mark.parametrize(
    ("facts", "stops"),
    [
        ({}, False),
        ({"pinned": True}, True),
        ({"freezes": (FreezePeriod("f", NOW, NOW + DAY),)}, True),
        ({"evidence_decision": Decision.BLOCKED}, False),
        ({"way_back": "closed"}, False),
        ({"another_under_way": True}, False),
    ],
)
def test_some_rules_need_no_look_at_the_evidence(facts: dict[str, object], stops: bool) -> None:
    found = replace(GOOD, **facts)  # type: ignore[arg-type]
    assert stops_before_evidence(facts=found, policy=FREE, now=NOW) is stops


def test_it_says_when_retirement_is_near_enough() -> None:
    policy = EffectivePolicy(automation=Automation.NEAR_RETIREMENT)
    (reason,) = decide(
        facts=replace(GOOD, urgent_on=date(2026, 4, 30)), policy=policy, now=NOW
    ).reasons
    assert reason.until == datetime(2026, 3, 31, tzinfo=UTC)
    (unknown,) = decide(facts=GOOD, policy=policy, now=NOW).reasons
    assert unknown.until is None


@pytest.mark.parametrize(("days", "goes"), [(60, True), (61, False)])
def test_it_is_old_enough_from_the_day_on(days: int, goes: bool) -> None:
    policy = replace(FREE, minimum_age_days=days)
    decision = decide(facts=GOOD, policy=policy, now=NOW)
    assert decision.allowed is goes
    assert [reason.until for reason in decision.reasons] == (
        [] if goes else [datetime(2026, 3, 3, tzinfo=UTC)]
    )


@pytest.mark.parametrize(
    ("window", "sentence", "until"),
    [
        (
            Window(("tue",), 9 * 60, 17 * 60),
            "Outside its windows until 3 Mar 2026 09:00 UTC.",
            datetime(2026, 3, 3, 9, tzinfo=UTC),
        ),
        (Window((), 9 * 60, 17 * 60), "Outside its windows.", None),
    ],
)
def test_a_window_says_when_it_opens(window: Window, sentence: str, until: datetime | None) -> None:
    (reason,) = decide(facts=GOOD, policy=replace(FREE, windows=(window,)), now=NOW).reasons
    assert (reason.rule, reason.sentence, reason.until) == (Rule.WINDOW, sentence, until)


def test_the_pace_allows_the_first_one() -> None:
    assert decide(facts=GOOD, policy=replace(FREE, max_at_once=1, max_per_day=1), now=NOW).allowed
