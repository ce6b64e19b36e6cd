"""A policy in words: what people read is what the policy means."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from versioning.domain import calendar, canary
from versioning.domain.policy import Asks, Automation, EffectivePolicy, Unsure
from versioning.domain.policy_words import days, hours, in_short, in_words, percent, window
from versioning.domain.presets import PRESETS

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
STEPS = canary.read_steps([{"weight": 5, "hours": 24}, {"weight": 50, "samples": 500}])
NIGHT = calendar.Window(WEEKDAYS, 22 * 60, 6 * 60)


def test_the_example_of_the_form() -> None:
    policy = EffectivePolicy(
        automation=Automation.AFTER_GATES, windows=(NIGHT,), canary_steps=STEPS
    )
    assert in_short(policy) == (
        "Goes by itself at night on weekdays (22:00 to 06:00), UTC time, "
        "after 5 % for a day and 50 % for 500 samples."
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "Goes once staff approve it, or a client asks for auto_upgrade, without tests"),
        ({"automation": Automation.NEVER}, "Staff decide each upgrade, without tests or a canary."),
        ({"automation": Automation.AFTER_GATES, "approvals_needed": 2}, "Staff decide each"),
        ({"automation": Automation.AFTER_GATES, "steps_allowed": ()}, "Staff decide each"),
        ({"required_suites": ("sums",)}, "after tests with “sums”."),
        ({"required_suites": ("a", "b"), "canary_steps": STEPS[:1]}, "“a” and “b”, then 5 %"),
    ],
)
def test_in_short(changes: dict[str, Any], says: str) -> None:
    assert says in in_short(replace(EffectivePolicy(), **changes))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (calendar.DAYS, "every day"),
        (WEEKDAYS, "on weekdays"),
        (("sun", "sat"), "at weekends"),
        (("mon", "tue", "wed", "thu"), "from Mon to Thu"),
        (("mon", "fri"), "on Mon and Fri"),
        (("sun",), "on Sun"),
    ],
)
def test_days(names: tuple[str, ...], said: str) -> None:
    assert days(names) == said


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("09:00", "16:00", "on weekdays from 09:00 to 16:00"),
        ("22:00", "06:00", "at night on weekdays (22:00 to 06:00)"),
        ("12:00", "09:00", "on weekdays from 12:00 to 09:00 the next day"),
        ("00:00", "24:00", "on weekdays"),
        ("00:00", "00:00", "on weekdays"),
    ],
)
def test_windows(start: str, end: str, said: str) -> None:
    found = calendar.Window.read({"days": list(WEEKDAYS), "from": start, "to": end})
    assert window(found) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("1", "an hour"), ("0.5", "30 minutes"), ("1.5", "90 minutes"), ("36", "36 hours"),
        ("24", "a day"), ("72.0", "3 days"), ("0", "0 hours"),
    ],
)  # fmt: skip
def test_times(number: str, said: str) -> None:
    assert hours(Decimal(number)) == said


def test_per_cent_has_no_more_digits_than_it_needs() -> None:
    assert [percent(Decimal(n)) for n in ("0.1", "0.0500", "0.005", "1")] == [
        "10 %", "5 %", "0.5 %", "100 %",
    ]  # fmt: skip


OTHER: dict[str, Any] = {
    "automation": Automation.AFTER_GATES, "steps_allowed": ("minor",),
    "minimum_improvement": Decimal("0.2"), "max_error_rise": Decimal("0.05"),
    "max_error_times": Decimal(3), "max_latency_rise": Decimal("0.5"),
    "max_cost_rise": Decimal(99), "unsure_limits_pass": True, "minimum_age_days": 5,
    "near_retirement_days": 60, "required_suites": ("sums",), "unsure_tests": Unsure.FAILS,
    "max_tool_call_error_rise": Decimal("0.01"), "tests_alone": True,
    "canary_steps": STEPS, "canary_asks": Asks.BETTER,
    "approvals_needed": 3, "requester_may_approve": False, "windows": (NIGHT,),
    "time_zone": "Europe/Prague", "max_at_once": 4, "max_per_day": 5, "watch_days": 9,
    "rollback_by_itself": True, "approval_days": 1, "buffer_days": 2,
}  # fmt: skip
WHERE_IT_COUNTS = {
    "near_retirement_days": {"automation": Automation.NEAR_RETIREMENT},
    "unsure_tests": {"required_suites": ("sums",)},
    "canary_asks": {"canary_steps": STEPS},
    "time_zone": {"windows": (NIGHT,)},
}


@pytest.mark.parametrize("name", [field.name for field in fields(EffectivePolicy)])
def test_each_setting_changes_the_words_of_its_own_topic(name: str) -> None:
    """A setting that no sentence tells of would be a policy that people can't read."""
    policy = replace(EffectivePolicy(), **WHERE_IT_COUNTS.get(name, {}))
    before, after = in_words(policy), in_words(replace(policy, **{name: OTHER[name]}))
    told = {new.topic for old, new in zip(before, after, strict=True) if old != new}
    topic = next(line.topic for line in before if name in line.settings)
    assert topic in told
    assert told <= {topic, "In short", "By itself"}


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_presets_set_all_but_what_belongs_to_the_place(preset: Any) -> None:
    left = {field.name for field in fields(EffectivePolicy)} - set(preset.settings)
    assert left == {"required_suites", "time_zone"}
