"""May it go by itself? Every rule that stops it is named."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.calendar import Freeze
from versioning.domain.policy import (
    Asker,
    Automation,
    Facts,
    Policy,
    Rule,
    Stage,
    decide,
    examine,
)
from versioning.domain.statistics.comparison import Decision

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
GOOD = Facts(stage=Stage.BEGIN, evidence_decision=Decision.UPGRADE, released_on=date(2026, 1, 1))
FREE = Policy(automation=Automation.AFTER_GATES)


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
        ({"freezes": [Freeze("f", NOW, NOW + DAY)]}, {}, Rule.FREEZE),
        ({"way_back": "closed"}, {}, Rule.WAY_BACK),
        ({"evidence_decision": Decision.STAY}, {}, Rule.EVIDENCE),
        ({"evidence_decision": Decision.NOT_ENOUGH_EVIDENCE}, {}, Rule.EVIDENCE),
        ({"evidence_decision": Decision.BLOCKED}, {"required_suites": ("s",)}, Rule.EVIDENCE),
        ({"another_under_way": True}, {}, Rule.UNDER_WAY),
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
    policy = Policy(automation=Automation.NEAR_RETIREMENT)

    assert decide(facts=replace(GOOD, urgent_on=day), policy=policy, now=NOW).allowed is goes


def test_a_client_may_ask_unless_nothing_ever_goes_by_itself() -> None:
    asked = replace(GOOD, asked_by=Asker.CLIENT)

    assert decide(facts=asked, policy=Policy(), now=NOW).allowed
    never = Policy(automation=Automation.NEVER)
    assert not decide(facts=asked, policy=never, now=NOW).allowed


def test_tests_gather_the_evidence_themselves() -> None:
    unknown = replace(GOOD, evidence_decision=Decision.NOT_ENOUGH_EVIDENCE)

    assert decide(facts=unknown, policy=replace(FREE, required_suites=("s",)), now=NOW).allowed


@given(
    pinned=st.booleans(),
    on=st.booleans(),
    shown=st.sampled_from(Decision),
    stage=st.sampled_from(Stage),
    automation=st.sampled_from(Automation),
)
def test_what_is_examined_is_what_decides(
    pinned: bool, on: bool, shown: Decision, stage: Stage, automation: Automation
) -> None:
    facts = replace(GOOD, pinned=pinned, automation_on=on, evidence_decision=shown, stage=stage)
    policy = Policy(automation=automation)

    rows = examine(facts=facts, policy=policy, now=NOW)
    decision = decide(facts=facts, policy=policy, now=NOW)

    assert all(row.ok for row in rows) is decision.allowed
    assert {row.rule for row in rows if not row.ok} == {r.rule for r in decision.reasons}
    assert all(row.sentence for row in rows)
    if pinned:
        assert not decision.allowed
