"""The two legs of evidence: live samples of both versions, and finished runs of test suites.

Live samples say how a version does on the team's own requests; runs say how both do on the same
cases. Neither stands for the other: what evidence rests on is said, and so is what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .comparison import Decision
from .judgement import Verdict


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
class Weighed:
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
) -> Weighed:
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
    return Weighed(
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
