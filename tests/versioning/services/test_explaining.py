"""Whose policy sets what a rule's answer comes from: over every field that a policy has."""

import datetime as dt
from typing import Any

import pytest

from tests.factories import NOW, UpgradeRecordFactory, tracked
from versioning.domain.policy import EffectivePolicy
from versioning.models import ModelVersion, Policy, UpgradeStep
from versioning.services.upgrades import explaining

pytestmark = pytest.mark.django_db

SETS: dict[str, tuple[Any, str]] = {
    "automation": ("never", "automation"),
    "near_retirement_days": (3, "automation"),
    "steps_allowed": (["major"], "step"),
    "minimum_improvement": ("0.5", "evidence"),
    "max_error_rise": ("0.01", "evidence"),
    "max_latency_rise": ("0.01", "evidence"),
    "max_cost_rise": ("0.01", "evidence"),
    "max_error_times": ("1.1", "evidence"),
    "max_tool_call_error_rise": ("0.01", "evidence"),
    "unsure_limits_pass": (True, "evidence"),
    "tests_alone": (True, "evidence"),
    "minimum_age_days": (900, "age"),
    "required_suites": (["sums"], "evidence"),
    "canary_steps": ([{"weight": 50, "hours": 1}], "evidence"),
    "approvals_needed": (2, "approvals"),
    "windows": ([{"days": ["sun"], "from": "00:00", "to": "00:05"}], "window"),
    "time_zone": ("Asia/Tokyo", "window"),
    "max_at_once": (0, "pace"),
    "max_per_day": (0, "pace"),
    "watch_days": (400, "way_back"),
}
NO_RULE = {
    "requester_may_approve": "asked when somebody approves",
    "canary_asks": "asked of a canary that runs",
    "unsure_tests": "asked of tests that have ended",
    "rollback_by_itself": "asked when it is worse",
    "approval_days": "the retirement clock reckons with it",
    "buffer_days": "the retirement clock reckons with it",
}


def test_every_field_of_a_policy_is_here() -> None:
    assert SETS.keys() | NO_RULE.keys() == set(EffectivePolicy.__dataclass_fields__)
    named = {name for names in explaining._SETTINGS.values() for name in names}
    assert named == SETS.keys()


@pytest.mark.parametrize("name", SETS)
def test_the_row_that_sets_it_is_named(name: str) -> None:
    value, rule = SETS[name]
    record = UpgradeRecordFactory(tracked_model=tracked(name="zeta"))
    ModelVersion.objects.filter(pk=record.from_version_id).update(
        retires_on=(NOW + dt.timedelta(days=20)).date(), first_seen_at=NOW, last_seen_at=NOW
    )
    record.tracked_model.refresh_from_db()
    Policy.objects.create(automation="near_retirement" if rule == "automation" else "")
    own = Policy.objects.create(tracked_model=record.tracked_model, **{name: value})
    found = explaining.explain(tracked_model=record.tracked_model, at=NOW)
    (row,) = [row for row in found.rows if row.rule == rule]
    assert str(own) in row.set_by, (row, name)


def test_of_two_that_set_the_pace_the_one_that_stops_it_is_named() -> None:
    record = UpgradeRecordFactory(tracked_model=tracked(name="zeta"))
    everything = Policy.objects.create(max_per_day=1)
    own = Policy.objects.create(tracked_model=record.tracked_model, max_at_once=50)
    UpgradeStep.objects.create(
        record=UpgradeRecordFactory(), after="approved", at=NOW, actor_kind="scheduler"
    )
    found = explaining.explain(tracked_model=record.tracked_model, at=NOW)
    (row,) = [row for row in found.rows if row.rule == "pace"]
    assert (row.ok, row.set_by) == (False, str(everything)), own
