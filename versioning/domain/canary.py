"""The steps of a canary, and what to do at each look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from versioning.domain import dates
from versioning.domain.statistics.figures import counted

PERCENT = Decimal(100)
# Two weeks: what has shown nothing by then needs a person, not more time.
DEFAULT_DEADLINE_HOURS = 14 * 24
# Limits of what may be typed, far from any that is meant: so no sum of them overflows a date.
MOST_HOURS = 365 * 24
MOST_SAMPLES = 10**9


class UnreadableStep(ValueError):
    """A canary step that can't be read; the sentence says what is wrong."""


@dataclass(frozen=True, slots=True)
class CanaryStep:
    """A weight, and what must have come before the next step.

    ``weight`` is a share of the keys, over 0 and up to 1. The holds add up: time, samples of the
    new version since the canary began, a person's word. Without a verdict after
    ``deadline_hours`` the canary pauses and a person is told.
    """

    weight: Decimal
    hold_hours: Decimal = Decimal(0)
    hold_samples: int = 0
    needs_approval: bool = False
    deadline_hours: Decimal = Decimal(DEFAULT_DEADLINE_HOURS)

    @classmethod
    def read(cls, raw: Any) -> Self:
        """Read {"weight": 5, "hours": 24, "samples": 100, "approval": true, "deadline_hours": 72}.

        The weight is in per cent; all but the weight may be left out. Raises UnreadableStep.
        """
        known = {"weight", "hours", "samples", "approval", "deadline_hours"}
        if not isinstance(raw, Mapping) or "weight" not in raw or not set(raw) <= known:
            raise UnreadableStep(
                'A step is {"weight": 5, "hours": 24}; it may have samples, approval and '
                "deadline_hours too."
            )
        step = cls(
            weight=_number(raw["weight"], "weight", most=100) / PERCENT,
            hold_hours=_number(raw.get("hours", 0), "hours", most=MOST_HOURS),
            hold_samples=_whole(raw.get("samples", 0), "samples", most=MOST_SAMPLES),
            needs_approval=_yes_or_no(raw.get("approval", False), "approval"),
            deadline_hours=_number(
                raw.get("deadline_hours", DEFAULT_DEADLINE_HOURS), "deadline_hours", most=MOST_HOURS
            ),
        )
        if step.weight == 0:
            raise UnreadableStep("A step's weight is over 0 and up to 100 per cent.")
        if step.deadline_hours <= step.hold_hours:
            raise UnreadableStep("A step's deadline_hours must be more than its hours.")
        return step


def read_steps(raw: Any) -> tuple[CanaryStep, ...]:
    """Read a list of steps whose weights grow. Raises UnreadableStep."""
    if not isinstance(raw, list):
        raise UnreadableStep("Canary steps are a list.")
    steps = tuple(CanaryStep.read(item) for item in raw)
    weights = [step.weight for step in steps]
    if weights != sorted(set(weights)):
        raise UnreadableStep("Each step's weight must be more than that of the step before.")
    return steps


class GateState(StrEnum):
    """What the evidence since the canary began says, as its policy asks."""

    PASSED = "passed"
    BROKEN = "broken"
    NOT_YET = "not yet"
    MISDIRECTED = "misdirected"
    """The requests are not split as the step means: no figure can be trusted."""


class Action(StrEnum):
    """What to do about a canary now."""

    ABORT = "abort"
    WAIT = "wait"
    PAUSE = "pause"
    ADVANCE = "advance"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryFacts:
    """What is seen at one look at a canary."""

    steps: Sequence[CanaryStep]
    position: int
    step_began_at: datetime
    samples: int
    gates: GateState
    sentence: str
    approved: bool
    paused: bool
    held_by: str = ""
    """Why it may not go on by itself now, such as a freeze; empty where it may."""


@dataclass(frozen=True, slots=True)
class NextAction:
    """What to do and why, in a sentence."""

    action: Action
    why: str


def decide(*, look: CanaryFacts, now: datetime) -> NextAction:
    """Decide what one look means. A broken guardrail comes before everything else.

    A clock that went backwards only makes a step wait longer; a deadline only ever pauses, and so
    does a wrong split.
    """
    if look.gates is GateState.BROKEN:
        return NextAction(Action.ABORT, look.sentence)
    # Ahead of the deadline, which would pause it again each time it is looked at.
    if look.paused:
        return NextAction(Action.WAIT, "Paused: a person must let it go on, or stop it.")
    if look.gates is GateState.MISDIRECTED:
        return NextAction(Action.PAUSE, look.sentence)
    missing = _missing(look=look, now=now)
    if missing and now >= look.step_began_at + _hours(_step(look).deadline_hours):
        return NextAction(Action.PAUSE, f"The step's deadline passed. {missing}")
    if missing:
        return NextAction(Action.WAIT, missing)
    # Last: a freeze keeps a good canary from going on, and no bad one from being stopped.
    if look.held_by:
        return NextAction(Action.WAIT, look.held_by)
    if look.position + 1 < len(look.steps):
        return NextAction(Action.ADVANCE, look.sentence)
    return NextAction(Action.COMPLETE, look.sentence)


def expected_duration(*, steps: Sequence[CanaryStep], requests_a_day: float) -> timedelta | None:
    """Return how long the steps take at this traffic; None where samples would never come.

    Each step lasts as long as its slower hold. Samples are counted since the canary began.
    """
    total, seen = timedelta(0), 0.0
    for step in steps:
        share = float(step.weight) * requests_a_day
        missing = max(0.0, step.hold_samples - seen)
        if missing and share <= 0:
            return None
        # A step ends when both holds are met, so the slower one is its length.
        lasts = max(_hours(step.hold_hours), timedelta(days=missing / share if missing else 0))
        total += lasts
        seen += share * lasts / timedelta(days=1)
    return total


def _missing(*, look: CanaryFacts, now: datetime) -> str:
    step = _step(look)
    ready_at = look.step_began_at + _hours(step.hold_hours)
    if now < ready_at:
        return f"It stays at {step.weight:.0%} until {dates.moment(ready_at)}."
    if look.samples < step.hold_samples:
        asked = counted(step.hold_samples, "sample")
        return f"It has {look.samples:,} of {asked} that this step asks for."
    if look.gates is GateState.NOT_YET:
        return look.sentence
    if step.needs_approval and not look.approved:
        return "The step waits for a person's approval."
    return ""


def _step(look: CanaryFacts) -> CanaryStep:
    return look.steps[look.position]


def _hours(hours: Decimal) -> timedelta:
    return timedelta(hours=float(hours))


def _number(raw: Any, name: str, *, most: int) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
        raise UnreadableStep(f"{name} must be a number, not {raw!r}.")
    number = Decimal(str(raw))
    if not number.is_finite() or not 0 <= number <= most:
        raise UnreadableStep(f"{name} must be from 0 to {most}.")
    return number


def _whole(raw: Any, name: str, *, most: int) -> int:
    number = _number(raw, name, most=most)
    if number % 1:
        raise UnreadableStep(f"{name} must be a whole number, not {raw!r}.")
    return int(number)


def _yes_or_no(raw: Any, name: str) -> bool:
    if not isinstance(raw, bool):
        raise UnreadableStep(f"{name} must be true or false, not {raw!r}.")
    return raw
