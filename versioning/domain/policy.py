"""May this go by itself? A decision with its reasons, computed from facts alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from versioning.domain import calendar, dates
from versioning.domain.canary import CanaryStep
from versioning.domain.figures import Limits
from versioning.domain.statistics.decision import Decision
from versioning.domain.statistics.figures import counted

NEVER_BY_THEMSELVES: Mapping[str, str] = {
    "replacement": "A replacement across lines never goes by itself: staff decide.",
    "maybe": "A maybe never goes by itself: staff decide whether it is a successor at all.",
}
"""Kinds of step that are a person's decision, whatever a policy says, and why."""

BY_THEMSELVES = ("revision", "snapshot", "minor", "major")


class Automation(StrEnum):
    """When an upgrade may go by itself."""

    NEVER = "never"
    ON_REQUEST = "on_request"
    NEAR_RETIREMENT = "near_retirement"
    AFTER_GATES = "after_gates"


class Asker(StrEnum):
    """Who would move it: the policy itself, or a client that asked for auto_upgrade."""

    POLICY = "policy"
    CLIENT = "client"


class MoveStage(StrEnum):
    """What would happen next to a record."""

    BEGIN = "begin"
    """It waits for a decision; nobody has approved it."""
    GO_ON = "go on"
    """It is approved; the scheduler carries it on."""


class Asks(StrEnum):
    """What the evidence must show for a canary to go on."""

    NOT_WORSE = "not_worse"
    BETTER = "better"
    NO_HARM = "no_harm"
    """That harm could have been seen and none was: enough for steps of hours, proof of nothing."""


class Unsure(StrEnum):
    """What becomes of a test that shows neither worse nor not worse."""

    ASKS = "asks"
    """A person decides."""
    PASSES = "passes"
    FAILS = "fails"


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectivePolicy(Limits):  # type: ignore[misc]
    """All that is set for a tracked model, its defaults filled in.

    Limits are those of ``domain.figures``: points of error rate, fractions of latency p95 and of
    cost per successful request. Shares and improvements are fractions.
    """

    automation: Automation = Automation.ON_REQUEST
    steps_allowed: tuple[str, ...] = BY_THEMSELVES
    minimum_improvement: Decimal = Decimal("0.1")
    unsure_limits_pass: bool = False
    minimum_age_days: int = 0
    near_retirement_days: int = 30
    required_suites: tuple[str, ...] = ()
    unsure_tests: Unsure = Unsure.ASKS
    tests_alone: bool = False
    canary_steps: tuple[CanaryStep, ...] = ()
    canary_asks: Asks = Asks.NOT_WORSE
    approvals_needed: int = 1
    requester_may_approve: bool = True
    windows: tuple[calendar.Window, ...] = ()
    time_zone: str = "UTC"
    max_at_once: int | None = None
    max_per_day: int | None = None
    watch_days: int = 7
    rollback_by_itself: bool = False
    approval_days: int = 3
    buffer_days: int = 7

    @property
    def gathers_evidence(self) -> bool:
        """Whether the course itself measures the new version before it takes over."""
        return bool(self.required_suites or self.canary_steps)

    @property
    def first_stop(self) -> str:
        """What an approved upgrade does first."""
        if self.required_suites:
            return f"tested with {', '.join(self.required_suites)}"
        if self.canary_steps:
            return f"tried as a canary, at first with {self.canary_steps[0].weight:.0%} of the keys"
        return "made current at once"


class Rule(StrEnum):
    """Which rule stops a move."""

    SWITCH = "switch"
    INACTIVE = "inactive"
    PINNED = "pinned"
    CHANGES = "changes"
    AUTOMATION = "automation"
    STEP = "step"
    AGE = "age"
    APPROVALS = "approvals"
    FREEZE = "freeze"
    WINDOW = "window"
    PACE = "pace"
    WAY_BACK = "way_back"
    EVIDENCE = "evidence"
    UNDER_WAY = "under_way"


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that stops a move, and until when as far as that is known."""

    rule: Rule
    sentence: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one record and its surroundings at one moment.

    ``way_back`` says what is wrong with the way back, empty where it is open; ``changes_asked``
    who asks for which changes, empty where nobody does; counts are those of the pace's scope.
    """

    stage: MoveStage
    asked_by: Asker = Asker.POLICY
    automation_on: bool = True
    automation_off_because: str = ""
    active: bool = True
    pinned: bool = False
    pin_reason: str = ""
    changes_asked: str = ""
    step: str = "minor"
    released_on: date | None = None
    urgent_on: date | None = None
    evidence_decision: Decision = Decision.NOT_ENOUGH_EVIDENCE
    evidence_sentence: str = ""
    improvement: Decimal | None = None
    freezes: Sequence[calendar.FreezePeriod] = field(default_factory=tuple)
    way_back: str = ""
    under_way: int = 0
    begun_today: int = 0
    another_under_way: bool = False


@dataclass(frozen=True, slots=True)
class Clearance:
    """May it go by itself now? If not, every rule that stops it."""

    allowed: bool
    reasons: tuple[Reason, ...]
    next: str

    @property
    def waits_for(self) -> str:
        """The first thing it waits for, in a sentence; empty where nothing stops it."""
        return self.reasons[0].sentence if self.reasons else ""


Check = Callable[[Facts, EffectivePolicy, datetime], Reason | None]


@dataclass(frozen=True, slots=True)
class Examined:
    """One rule as it stands now: does it let the record go, and why."""

    rule: Rule
    ok: bool
    sentence: str


def decide(*, facts: Facts, policy: EffectivePolicy, now: datetime) -> Clearance:
    """Say whether a record may go by itself now, and name every rule that stops it.

    The first reasons are those that time alone doesn't heal. A record that is approved already
    isn't asked again about what the approval settled: automation, kind of step, age, evidence.
    Days are those of the time zone that ``now`` is in.
    """
    found = (check(facts, policy, now) for check in _checks(facts).values())
    reasons = tuple(reason for reason in found if reason is not None)
    verb = "It goes on." if facts.stage is MoveStage.GO_ON else f"It is {policy.first_stop}."
    return Clearance(allowed=not reasons, reasons=reasons, next=verb)


def stops_before_evidence(*, facts: Facts, policy: EffectivePolicy, now: datetime) -> bool:
    """Say whether a waiting record is stopped whatever its evidence is.

    Asks only what is known without looking at samples, the way back or other upgrades.
    """
    return any(_TO_BEGIN[rule](facts, policy, now) is not None for rule in _BEFORE_EVIDENCE)


def examine(*, facts: Facts, policy: EffectivePolicy, now: datetime) -> tuple[Examined, ...]:
    """Return every rule that ``decide`` asks, those that let the record go included."""
    rows = []
    for rule, check in _checks(facts).items():
        reason = check(facts, policy, now)
        rows.append(Examined(rule, reason is None, reason.sentence if reason else _FINE[rule]))
    return tuple(rows)


def _switch(facts: Facts, _policy: EffectivePolicy, _now: datetime) -> Reason | None:
    if facts.automation_on:
        return None
    why = f" ({facts.automation_off_because})" if facts.automation_off_because else ""
    return Reason(Rule.SWITCH, f"All automation is switched off{why}.")


def _inactive(facts: Facts, _policy: EffectivePolicy, _now: datetime) -> Reason | None:
    return None if facts.active else Reason(Rule.INACTIVE, "The model is switched off.")


def _pinned(facts: Facts, _policy: EffectivePolicy, _now: datetime) -> Reason | None:
    if not facts.pinned:
        return None
    why = f" ({facts.pin_reason})" if facts.pin_reason else ""
    return Reason(Rule.PINNED, f"The model is pinned{why}.")


def _changes(facts: Facts, _policy: EffectivePolicy, _now: datetime) -> Reason | None:
    return Reason(Rule.CHANGES, facts.changes_asked) if facts.changes_asked else None


def _automation(facts: Facts, policy: EffectivePolicy, now: datetime) -> Reason | None:
    if policy.automation is Automation.NEVER:
        return Reason(Rule.AUTOMATION, "Its policy lets nothing go by itself: staff decide.")
    if facts.asked_by is Asker.CLIENT or policy.automation is Automation.AFTER_GATES:
        return None
    if policy.automation is Automation.ON_REQUEST:
        return Reason(Rule.AUTOMATION, "Staff decide it, or a client asks for auto_upgrade.")
    near = timedelta(days=policy.near_retirement_days)
    if facts.urgent_on is not None and facts.urgent_on - now.date() <= near:
        return None
    return Reason(
        Rule.AUTOMATION,
        f"It goes by itself only within {counted(near.days, 'day')} of retirement.",
        until=_midnight(facts.urgent_on - near, now) if facts.urgent_on else None,
    )


def _step(facts: Facts, policy: EffectivePolicy, _now: datetime) -> Reason | None:
    # Ahead of the policy's own list, which can't allow them.
    if facts.step in NEVER_BY_THEMSELVES:
        return Reason(Rule.STEP, NEVER_BY_THEMSELVES[facts.step])
    if facts.step in policy.steps_allowed:
        return None
    return Reason(Rule.STEP, f"A step of the kind {facts.step} doesn't go by itself.")


def _age(facts: Facts, policy: EffectivePolicy, now: datetime) -> Reason | None:
    days = policy.minimum_age_days
    if not days:
        return None
    # Unknown is never old enough: a waiting time is there to let others find the faults.
    if facts.released_on is None:
        return Reason(
            Rule.AGE,
            f"Its release date is unknown, so it counts as younger than {counted(days, 'day')}.",
        )
    old_enough = facts.released_on + timedelta(days=days)
    if now.date() >= old_enough:
        return None
    return Reason(
        Rule.AGE,
        f"It is younger than {counted(days, 'day')}: old enough on {dates.day(old_enough)}.",
        until=_midnight(old_enough, now),
    )


def _approvals(_facts: Facts, policy: EffectivePolicy, _now: datetime) -> Reason | None:
    if policy.approvals_needed < 2:
        return None
    return Reason(Rule.APPROVALS, f"{policy.approvals_needed} people must approve it.")


def _freeze(facts: Facts, _policy: EffectivePolicy, now: datetime) -> Reason | None:
    freeze = calendar.freeze_at(freezes=facts.freezes, at=now)
    if freeze is None:
        return None
    return Reason(
        Rule.FREEZE,
        f"Frozen until {dates.moment(freeze.ends_at)}: {freeze.name}.",
        until=freeze.ends_at,
    )


def _window(_facts: Facts, policy: EffectivePolicy, now: datetime) -> Reason | None:
    if calendar.is_open(windows=policy.windows, zone=policy.time_zone, at=now):
        return None
    opens = calendar.next_opening(windows=policy.windows, zone=policy.time_zone, at=now)
    when = f" until {dates.moment(opens)}" if opens else ""
    return Reason(Rule.WINDOW, f"Outside its windows{when}.", until=opens)


def _pace(facts: Facts, policy: EffectivePolicy, _now: datetime) -> Reason | None:
    if policy.max_at_once is not None and facts.under_way >= policy.max_at_once:
        return Reason(
            Rule.PACE,
            f"{counted(facts.under_way, 'upgrade')} under way; {policy.max_at_once} may be.",
        )
    if policy.max_per_day is not None and facts.begun_today >= policy.max_per_day:
        return Reason(
            Rule.PACE,
            f"{counted(facts.begun_today, 'upgrade')} begun in the last 24 hours; "
            f"{policy.max_per_day} may be.",
        )
    return None


def _way_back(facts: Facts, _policy: EffectivePolicy, _now: datetime) -> Reason | None:
    return Reason(Rule.WAY_BACK, facts.way_back) if facts.way_back else None


def _evidence(facts: Facts, policy: EffectivePolicy, _now: datetime) -> Reason | None:
    """Where tests or a canary come first, they are the proof; what is surely bad stops before."""
    if facts.evidence_decision is Decision.BLOCKED:
        return Reason(Rule.EVIDENCE, facts.evidence_sentence or "The evidence speaks against it.")
    if policy.gathers_evidence or facts.evidence_decision is Decision.UPGRADE:
        return None
    return Reason(Rule.EVIDENCE, facts.evidence_sentence or "There is not enough evidence.")


def _another(facts: Facts, _policy: EffectivePolicy, _now: datetime) -> Reason | None:
    if not facts.another_under_way:
        return None
    return Reason(Rule.UNDER_WAY, "Another upgrade of this model is under way.")


# In the order in which people should hear of them: first what a person must change, then what
# comes with evidence, last what time alone heals.
_TO_BEGIN: Mapping[Rule, Check] = {
    Rule.SWITCH: _switch,
    Rule.INACTIVE: _inactive,
    Rule.PINNED: _pinned,
    # Ahead of who decides: it holds back whoever would.
    Rule.CHANGES: _changes,
    Rule.AUTOMATION: _automation,
    Rule.STEP: _step,
    Rule.APPROVALS: _approvals,
    Rule.UNDER_WAY: _another,
    Rule.AGE: _age,
    Rule.WAY_BACK: _way_back,
    Rule.EVIDENCE: _evidence,
    Rule.FREEZE: _freeze,
    Rule.WINDOW: _window,
    Rule.PACE: _pace,
}
_BEFORE_EVIDENCE = (
    Rule.SWITCH,
    Rule.INACTIVE,
    Rule.PINNED,
    Rule.CHANGES,
    Rule.AUTOMATION,
    Rule.STEP,
    Rule.APPROVALS,
    Rule.AGE,
    Rule.FREEZE,
    Rule.WINDOW,
)

# What the approval has settled isn't asked again; what may have come since is.
_TO_GO_ON: Mapping[Rule, Check] = {
    rule: _TO_BEGIN[rule]
    for rule in (Rule.SWITCH, Rule.INACTIVE, Rule.PINNED, Rule.FREEZE, Rule.WINDOW)
}
_FINE: Mapping[Rule, str] = {
    Rule.SWITCH: "Automation is on.",
    Rule.INACTIVE: "The model is active.",
    Rule.PINNED: "The model is not pinned.",
    Rule.CHANGES: "Nobody asks for changes.",
    Rule.AUTOMATION: "Its policy lets it go by itself.",
    Rule.STEP: "This kind of step may go by itself.",
    Rule.APPROVALS: "One approval is enough.",
    Rule.UNDER_WAY: "No other upgrade of the model is under way.",
    Rule.AGE: "It is old enough.",
    Rule.WAY_BACK: "The way back is open.",
    Rule.EVIDENCE: "The evidence speaks for it, or its tests and canary gather it.",
    Rule.FREEZE: "No freeze holds.",
    Rule.WINDOW: "A window is open.",
    Rule.PACE: "The pace allows one more.",
}


def _checks(facts: Facts) -> Mapping[Rule, Check]:
    return _TO_GO_ON if facts.stage is MoveStage.GO_ON else _TO_BEGIN


def _midnight(day: date, now: datetime) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=now.tzinfo)
