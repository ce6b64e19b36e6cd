"""Policies to begin with: careful, normal and fast."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from versioning.domain.figures import LIMITS


@dataclass(frozen=True, slots=True)
class PolicyPreset:
    """A whole policy under a name; ``settings`` are as a policy's row keeps them.

    What belongs to the place is not among them: for whom, suites, time zone, fallback version.
    """

    name: str
    label: str
    meaning: str
    settings: Mapping[str, Any]


_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]

CAREFUL = PolicyPreset(
    "careful",
    "Careful",
    "People decide everything. Two approve, and a canary of ten days or more proves that it isn't "
    "worse before all move.",
    {
        "automation": "never",
        "steps_allowed": [],
        "minimum_age_days": 14,
        "near_retirement_days": 30,
        "windows": [],
        "max_at_once": 1,
        "max_per_day": 1,
        "minimum_improvement": Decimal("0.1"),
        **{limit.setting: limit.careful for limit in LIMITS},
        "unsure_limits_pass": False,
        "unsure_tests": "asks",
        "tests_alone": False,
        "canary_steps": [
            {"weight": 5, "hours": 72, "samples": 200},
            {"weight": 50, "hours": 168, "samples": 1000, "approval": True, "deadline_hours": 672},
        ],
        "canary_asks": "not_worse",
        "approvals_needed": 2,
        "requester_may_approve": False,
        "watch_days": 30,
        "rollback_by_itself": False,
        "approval_days": 5,
        "buffer_days": 14,
    },
)
NORMAL = PolicyPreset(
    "normal",
    "Normal",
    "Smaller steps go by themselves at night on weekdays, once a week old and 10 % better; major "
    "generations wait for a person.",
    {
        "automation": "after_gates",
        "steps_allowed": ["revision", "snapshot", "minor"],
        "minimum_age_days": 7,
        "near_retirement_days": 30,
        "windows": [{"days": _WEEKDAYS, "from": "22:00", "to": "06:00"}],
        "max_at_once": 2,
        "max_per_day": 2,
        "minimum_improvement": Decimal("0.1"),
        **{limit.setting: limit.default for limit in LIMITS},
        "unsure_limits_pass": False,
        "unsure_tests": "asks",
        "tests_alone": False,
        "canary_steps": [
            {"weight": 5, "hours": 24},
            {"weight": 50, "hours": 168, "samples": 500, "deadline_hours": 504},
        ],
        "canary_asks": "not_worse",
        "approvals_needed": 1,
        "requester_may_approve": True,
        "watch_days": 7,
        "rollback_by_itself": True,
        "approval_days": 3,
        "buffer_days": 7,
    },
)
FAST = PolicyPreset(
    "fast",
    "Fast",
    "Every kind of step goes by itself at any time, after a canary of a day that shows no harm. "
    "That proves little: the watch afterwards takes a bad move back.",
    {
        "automation": "after_gates",
        "steps_allowed": ["revision", "snapshot", "minor", "major"],
        "minimum_age_days": 0,
        "near_retirement_days": 30,
        "windows": [],
        "max_at_once": 10,
        "max_per_day": 20,
        "minimum_improvement": Decimal(0),
        **{limit.setting: limit.fast for limit in LIMITS},
        "unsure_limits_pass": True,
        "unsure_tests": "asks",
        "tests_alone": True,
        "canary_steps": [{"weight": 10, "hours": 6}, {"weight": 50, "hours": 18}],
        "canary_asks": "no_harm",
        "approvals_needed": 1,
        "requester_may_approve": True,
        "watch_days": 7,
        "rollback_by_itself": True,
        "approval_days": 1,
        "buffer_days": 3,
    },
)
PRESETS: Mapping[str, PolicyPreset] = {preset.name: preset for preset in (CAREFUL, NORMAL, FAST)}
