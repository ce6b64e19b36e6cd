"""What should be done: from verdict, gates, parts and cautions, then from live samples and tests.

Live samples say how a version does on the team's own requests; runs of suites say how both do on
the same cases. Neither stands for the other: what evidence rests on is said, and so is what is
missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .cautions import DOUBTS, UNLIKE_BEGINNINGS, Caution
from .figures import exact
from .gates import Gate, GateStatus
from .inputs import Basis, Thresholds
from .intervals import FLOOR
from .verdict import Judgement, PartVerdict, QualityFigures, Verdict


class Decision(StrEnum):
    """What to do about it."""

    UPGRADE = "UPGRADE"
    STAY = "STAY"
    NOT_ENOUGH_EVIDENCE = "NOT ENOUGH EVIDENCE"
    BLOCKED = "BLOCKED"


NEVER_MET = (
    "they hardly served on the same days: a canary or evaluation run shows them side by side"
)
"""Why before and after is never enough for a move."""

QUALITY_IS_WORSE = "quality is worse"
WITHOUT_EVIDENCE = "of the traffic is on tasks without evidence"


def decide(
    *,
    quality: QualityFigures,
    judgement: Judgement,
    thresholds: Thresholds,
    gates: Sequence[Gate],
    parts: Sequence[PartVerdict],
    uncovered_share: Decimal,
    warnings: Sequence[Caution],
    basis: Basis,
) -> tuple[Decision, tuple[str, ...]]:
    """Return the decision with its reasons.

    What is surely wrong blocks, whatever else is missing. Then what gives no reason to move stays.
    Then doubt: whatever is unknown is no pass. Only what is left is an upgrade.
    """
    blocks = _blocks(judgement=judgement, thresholds=thresholds, gates=gates, parts=parts)
    if blocks:
        return Decision.BLOCKED, blocks
    stays = _stays(quality=quality, judgement=judgement, thresholds=thresholds)
    if stays:
        return Decision.STAY, stays
    doubts = _doubts(
        judgement=judgement,
        thresholds=thresholds,
        gates=gates,
        uncovered_share=uncovered_share,
        warnings=warnings,
        basis=basis,
    )
    if doubts:
        return Decision.NOT_ENOUGH_EVIDENCE, doubts
    return Decision.UPGRADE, _why_upgrade(judgement, thresholds, gates)


def _why_upgrade(
    judgement: Judgement, thresholds: Thresholds, gates: Sequence[Gate]
) -> tuple[str, ...]:
    """Say what else is surely less, and why where it is not that quality is better."""
    gains = tuple(gate.reason for gate in gates if gate.is_surely_less)
    if judgement.verdict is Verdict.BETTER:
        return gains
    margin = f"{float(thresholds.not_worse_margin):.4g}"
    return (*gains, f"not worse by more than {margin}, and nothing better was asked for")


def harm_unseen(
    *,
    quality: QualityFigures,
    judgement: Judgement,
    thresholds: Thresholds,
    gates: Sequence[Gate],
    warnings: Sequence[Caution],
    basis: Basis,
) -> tuple[str, ...]:
    """Return why harm couldn't have been seen yet, or what looks like it, surely or not.

    Empty where both versions have served on the same days with enough scores, quality is within the
    margin and each limit holds as measured. That proves nothing; it is what a canary of hours asks.
    """
    reasons = [caution.text for caution in warnings if caution.code in DOUBTS - UNLIKE_BEGINNINGS]
    if basis is Basis.BEFORE_AFTER:
        reasons.append(NEVER_MET)
    if min(quality.n_current, quality.n_candidate) < FLOOR:
        reasons.append(f"fewer than {FLOOR} scores a side")
    elif judgement.estimate is None or exact(judgement.estimate) < -thresholds.not_worse_margin:
        reasons.append("quality is lower as measured, though not surely")
    short = (GateStatus.FAILED, GateStatus.UNKNOWN)
    return (*reasons, *(gate.reason for gate in gates if gate.status in short))


def improves_enough(*, quality: QualityFigures, least: Decimal) -> bool:
    """Return whether the estimate reaches the least improvement; exactly the least does."""
    if quality.current is None or quality.candidate is None:
        return False
    # From nothing any rise is more than any fraction.
    return quality.relative is None or quality.relative >= round(least, 9)


def _blocks(
    *,
    judgement: Judgement,
    thresholds: Thresholds,
    gates: Sequence[Gate],
    parts: Sequence[PartVerdict],
) -> tuple[str, ...]:
    reasons = []
    if judgement.verdict is Verdict.WORSE and not _within_margin(judgement, thresholds):
        reasons.append(QUALITY_IS_WORSE)
    reasons += [gate.reason for gate in gates if gate.status is GateStatus.FAILED]
    if len(parts) > 1 or judgement.verdict is not Verdict.WORSE:
        reasons += [f"worse on {part.name}" for part in parts if part.verdict is Verdict.WORSE]
    return tuple(reasons)


def _within_margin(judgement: Judgement, thresholds: Thresholds) -> bool:
    return judgement.low is not None and exact(judgement.low) > -thresholds.not_worse_margin


def _stays(
    *, quality: QualityFigures, judgement: Judgement, thresholds: Thresholds
) -> tuple[str, ...]:
    least = thresholds.min_quality_improvement
    if judgement.verdict is Verdict.WORSE:
        return ("quality is a little worse, by less than the margin",)
    if judgement.verdict is Verdict.NOT_ENOUGH_DATA or not least:
        return ()
    if judgement.verdict is Verdict.BETTER:
        if improves_enough(quality=quality, least=least):
            return ()
        return (f"better, but by less than the {float(least):.1%} asked for",)
    if _out_of_reach(quality=quality, judgement=judgement, least=least):
        return (f"quality surely rose by less than the {float(least):.1%} asked for",)
    return ()


def _out_of_reach(*, quality: QualityFigures, judgement: Judgement, least: Decimal) -> bool:
    if judgement.high is None or quality.current is None:
        return False
    return exact(judgement.high) < least * quality.current


def _doubts(
    *,
    judgement: Judgement,
    thresholds: Thresholds,
    gates: Sequence[Gate],
    uncovered_share: Decimal,
    warnings: Sequence[Caution],
    basis: Basis,
) -> tuple[str, ...]:
    reasons = [caution.text for caution in warnings if caution.code in DOUBTS]
    if basis is Basis.BEFORE_AFTER:
        reasons.append(NEVER_MET)
    elif judgement.needed is not None:
        reasons.append(judgement.needed.words)
    elif judgement.verdict is Verdict.NOT_WORSE and thresholds.min_quality_improvement:
        more = judgement.to_tell_apart
        reasons.append(f"not worse, but better is not shown yet{f': {more.words}' if more else ''}")
    short = {GateStatus.UNKNOWN, *(() if thresholds.accept_unsure else (GateStatus.UNSURE,))}
    reasons += [gate.reason for gate in gates if gate.status in short]
    if uncovered_share > thresholds.max_uncovered_share:
        reasons.append(f"{uncovered_share:.0%} {WITHOUT_EVIDENCE}")
    return tuple(reasons)


class Leg(StrEnum):
    """Where evidence comes from."""

    LIVE = "live samples"
    TESTS = "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """What the latest finished run of one suite said of exactly these two versions.

    ``improvement`` is the rise of the mean score relative to the current version's, a fraction;
    None where that is 0 or nothing was scored. ``passes`` is None where a person has yet to rule.
    """

    suite: str
    verdict: Verdict
    passes: bool | None
    improvement: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedDecision:
    """What both legs say together."""

    verdict: Verdict
    decision: Decision
    rests_on: tuple[Leg, ...]
    missing: tuple[Leg, ...]
    reasons: tuple[str, ...]
    """What the tests add to the reasons of the live samples; first what weighs most."""
    improvement: Decimal | None
    """The lowest that a suite shows where the tests stand alone; None where live samples speak."""


def weigh(
    *,
    live: Verdict,
    decision: Decision,
    tests: Sequence[SuiteResult],
    tests_alone: bool = False,
    least: Decimal = Decimal(0),
) -> CombinedDecision:
    """Put live samples and tests together.

    A failed test blocks, whatever live samples say. Where live samples have no verdict yet, tests
    give theirs, for a person to decide on: the decision stays NOT ENOUGH EVIDENCE unless the policy
    takes tests alone (``tests_alone``), which then must show the improvement ``least``, a fraction.
    """
    failed = [each for each in tests if each.passes is False]
    has_live = live is not Verdict.NOT_ENOUGH_DATA
    has_tests = bool(tests) and all(each.passes is not None for each in tests)
    rests_on = tuple(
        leg for leg, there in ((Leg.LIVE, has_live), (Leg.TESTS, has_tests or failed)) if there
    )
    verdict, improvement = live, None
    reasons: list[str] = [f"{each.suite}: the test failed" for each in failed]
    if failed:
        decision = Decision.BLOCKED
        verdict = live if has_live else Verdict.WORSE
    elif not has_live and has_tests:
        verdict = _verdict_of(tests)
        improvement = min((e.improvement for e in tests if e.improvement is not None), default=None)
        if decision is Decision.NOT_ENOUGH_EVIDENCE:
            decision, why = _alone(improvement, tests_alone=tests_alone, least=least)
            reasons.append(why)
    return CombinedDecision(
        verdict=verdict,
        decision=decision,
        rests_on=rests_on,
        missing=tuple(leg for leg in Leg if leg not in rests_on),
        reasons=tuple(reasons),
        improvement=improvement,
    )


def _verdict_of(tests: Sequence[SuiteResult]) -> Verdict:
    """Return better where a suite shows it and none is less than not worse."""
    found = {each.verdict for each in tests}
    if Verdict.WORSE in found or Verdict.NOT_ENOUGH_DATA in found:
        return Verdict.NOT_ENOUGH_DATA  # it passes by a ruling: that proves nothing
    return Verdict.BETTER if Verdict.BETTER in found else Verdict.NOT_WORSE


def _alone(
    improvement: Decimal | None, *, tests_alone: bool, least: Decimal
) -> tuple[Decision, str]:
    """Decide on tests without live samples."""
    if not tests_alone:
        return (
            Decision.NOT_ENOUGH_EVIDENCE,
            "it rests on tests alone: a person may decide on them, nothing goes by itself",
        )
    if least > 0 and (improvement is None or improvement < least):
        shown = "unknown" if improvement is None else f"{improvement:.0%}"
        return Decision.STAY, f"the tests show {shown} where {least:.0%} better is asked for"
    return Decision.UPGRADE, "the policy takes tests alone"
