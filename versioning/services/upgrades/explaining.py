"""What would happen to a model now, and which rule stops it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from versioning.domain.figures import LIMITS
from versioning.domain.policy import (
    Asker,
    Automation,
    EffectivePolicy,
    Examined,
    Facts,
    MoveStage,
    Rule,
    examine,
)
from versioning.domain.transitions import State
from versioning.models import Canary, Policy, TrackedModel, UpgradeRecord
from versioning.services import clock
from versioning.services.upgrades import policies, recommendation, way_back
from versioning.services.upgrades.policies import Resolved

SetBy = Mapping[str, Policy]
_BUILT_IN = EffectivePolicy()


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule: does it let the upgrade go by itself, and a sentence that says why."""

    rule: str
    ok: bool
    sentence: str
    set_by: str = ""
    """Whose policy sets it, such as ``policy of everything``; empty where it is built in."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would happen to a model now.

    ``record`` is the upgrade that it is about, None where nothing waits or is under way;
    ``allowed`` says whether it would go by itself, ``next`` what would happen if it went.
    """

    record: UpgradeRecord | None
    allowed: bool
    next: str
    rows: tuple[RuleResult, ...]
    notices: tuple[str, ...]
    """What a person should know of this upgrade: still open."""


def explain(*, tracked_model: TrackedModel, at: datetime) -> Explanation:
    """Say what would happen to a model at a moment, rule by rule. Nothing is changed."""
    record = _record_of(tracked_model)
    if record is None:
        return Explanation(
            record=None,
            allowed=False,
            next="Nothing: no newer version is recommended.",
            rows=(),
            notices=(),
        )
    resolved = policies.resolve(tracked=tracked_model)
    stage = MoveStage.BEGIN if record.is_waiting else MoveStage.GO_ON
    rows = [*_stop_rows(record), *_rule_rows(record, resolved=resolved, stage=stage, at=at)]
    allowed = all(row.ok for row in rows)
    return Explanation(
        record=record,
        allowed=allowed,
        next=_next(record, resolved=resolved),
        rows=tuple(rows),
        notices=tuple(record.notices.open().order_by("pk").values_list("sentence", flat=True)),
    )


def _record_of(tracked: TrackedModel) -> UpgradeRecord | None:
    """Return what is under way, else what waits, else a maybe."""
    records = UpgradeRecord.objects.with_versions().filter(tracked_model=tracked)
    waiting = recommendation.open_recommendations().filter(tracked_model=tracked)
    sure = records.under_way().first() or waiting.order_by("-pk").first()
    return sure or records.maybes().order_by("-pk").first()


def _rule_rows(
    record: UpgradeRecord, *, resolved: Resolved, stage: MoveStage, at: datetime
) -> list[RuleResult]:
    shown = None
    if stage is MoveStage.BEGIN and record.from_version is not None:
        shown = policies.evidence_to_begin(
            record=record, resolved=resolved, least=resolved.policy.minimum_improvement, now=at
        )
    facts = policies.facts(
        record=record,
        resolved=resolved,
        stage=stage,
        asked_by=Asker.POLICY,
        shown=shown,
        now=at,
    )
    now = clock.local(at)
    return [
        _row(found, facts=facts, policy=resolved.policy, set_by=resolved.set_by, at=now)
        for found in examine(facts=facts, policy=resolved.policy, now=now)
    ]


_SETTINGS: Mapping[Rule, tuple[str, ...]] = {
    Rule.SWITCH: (),
    Rule.INACTIVE: (),
    Rule.PINNED: (),
    Rule.CHANGES: (),
    Rule.AUTOMATION: ("automation", "near_retirement_days"),
    Rule.STEP: ("steps_allowed",),
    Rule.APPROVALS: ("approvals_needed",),
    Rule.UNDER_WAY: (),
    Rule.AGE: ("minimum_age_days",),
    Rule.WAY_BACK: ("watch_days", "canary_steps"),
    Rule.EVIDENCE: (
        "minimum_improvement",
        *(limit.setting for limit in LIMITS),
        "unsure_limits_pass",
        "required_suites",
        "tests_alone",
        "canary_steps",
    ),
    Rule.FREEZE: (),
    Rule.WINDOW: ("windows", "time_zone"),
    Rule.PACE: ("max_at_once", "max_per_day"),
}
"""What a rule goes by: everything that a policy sets and that can change its answer."""


def _row(
    found: Examined, *, facts: Facts, policy: EffectivePolicy, set_by: SetBy, at: datetime
) -> RuleResult:
    """Name each policy row that sets what the rule's answer comes from, the nearest first."""
    names = [name for name in _SETTINGS[found.rule] if name in set_by]
    without = {name: replace(policy, **{name: getattr(_BUILT_IN, name)}) for name in names}
    deciding = [
        name
        for name, other in without.items()
        if found not in examine(facts=facts, policy=other, now=at)
    ]
    setters = {set_by[name].pk: set_by[name] for name in deciding or names}
    nearest = sorted(setters.values(), key=_nearness, reverse=True)
    return RuleResult(
        rule=found.rule.value,
        ok=found.ok,
        sentence=found.sentence,
        set_by=", ".join(str(row) for row in nearest),
    )


def _nearness(row: Policy) -> int:
    return 2 if row.tracked_model_id else 1 if row.provider_id else 0


def _stop_rows(record: UpgradeRecord) -> list[RuleResult]:
    """Say what a record under way waits for at its stop."""
    if record.state == State.APPROVED:
        return [RuleResult("way_back", False, way_back.waits_for(record))]
    if record.state == State.TESTING:
        return [RuleResult("tests", False, "Its tests run.")]
    found = Canary.objects.filter(record=record).first()
    if record.state != State.CANARY or found is None:
        return []
    says = found.says or "Nobody has looked at it yet."
    return [RuleResult("canary", False, f"{found.weight:.0%} of the keys have it. {says}")]


def _next(record: UpgradeRecord, *, resolved: Resolved) -> str:
    label = record.to_version.label
    if not record.is_waiting:
        return f"{label} is on its course: {record.get_state_display()}."
    if resolved.policy.automation in (Automation.NEVER, Automation.ON_REQUEST):
        return f"Once it is approved, {label} is {resolved.policy.first_stop}."
    return f"{label} is {resolved.policy.first_stop}."
