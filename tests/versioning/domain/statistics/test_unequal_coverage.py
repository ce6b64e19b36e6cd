"""Signals that are known oftener of one version than of the other: compared fairly, and doubted."""

import random
from collections.abc import Callable
from decimal import Decimal

import pytest

from versioning.domain.statistics.cautions import WarningCode
from versioning.domain.statistics.comparison import Comparison, compare
from versioning.domain.statistics.decision import Decision
from versioning.domain.statistics.inputs import Arm, Day, Stratum, Thresholds
from versioning.domain.statistics.summaries import Moments, Sketch
from versioning.domain.statistics.verdict import Verdict

ANY = Thresholds(
    min_quality_improvement=Decimal("0.001"), max_latency_rise=None, max_cost_rise=None
)
Thumb = Callable[[random.Random, bool], bool]
"""Whether a request that succeeded (or not) gets a thumb."""


def often(share: float) -> Thumb:
    return lambda dice, good: dice.random() < share


def on_success(share: float, *, else_: float) -> Thumb:
    return lambda dice, good: dice.random() < (share if good else else_)


def arm(thumb: Thumb, *, dice: random.Random, days: int, per_day: int) -> Arm:
    """Requests of which all are valid and 70 % please."""
    found = []
    for number in range(days):
        pleased = [dice.random() < 0.7 for _ in range(per_day)]
        thumbs = [float(good) for good in pleased if thumb(dice, good)]
        components = {"valid_output": Moments.of([1.0] * per_day)}
        if thumbs:
            components["user_feedback"] = Moments.of(thumbs)
        found.append(
            Day(
                number=number,
                n=per_day,
                components=components,
                scored=per_day,
                latency=Sketch.of([800.0] * per_day),
            )
        )
    return Arm(days=tuple(found))


def compared(current: Thumb, candidate: Thumb, *, seed: int = 1, days: int = 30) -> Comparison:
    dice = random.Random(seed)
    one, other = (arm(thumb, dice=dice, days=days, per_day=100) for thumb in (current, candidate))
    return compare(strata=[Stratum(task="t", current=one, candidate=other)], thresholds=ANY)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shares", [(0.3, 0.1), (0.1, 0.3), (0.3, 0.2)])
def test_identical_versions_with_unequal_feedback_are_not_called_different(
    shares: tuple[float, float], seed: int
) -> None:
    found = compared(often(shares[0]), often(shares[1]), seed=seed)
    assert found.verdict not in (Verdict.BETTER, Verdict.WORSE)
    assert found.decision is not Decision.UPGRADE
    (doubt,) = [one for one in found.warnings if one.code is WarningCode.UNEQUAL_COVERAGE]
    assert "user feedback" in doubt.text
    assert "if all without it were failures" in doubt.text


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("current", "candidate"),
    [
        (often(0.3), on_success(0.3, else_=0.03)),  # thumbs asked for oftener on success
        (on_success(0.0, else_=0.5), often(0.5)),  # only failures get feedback
        (often(0.2), on_success(0.4, else_=0.2)),
    ],
)
def test_feedback_that_depends_on_success_moves_nothing(
    current: Thumb, candidate: Thumb, seed: int
) -> None:
    found = compared(current, candidate, seed=seed)
    assert found.decision is not Decision.UPGRADE
    assert WarningCode.UNEQUAL_COVERAGE in {one.code for one in found.warnings}


@pytest.mark.parametrize("seed", range(3))
def test_equal_coverage_is_no_doubt(seed: int) -> None:
    found = compared(often(0.3), often(0.3), seed=seed)
    assert WarningCode.UNEQUAL_COVERAGE not in {one.code for one in found.warnings}


@pytest.mark.parametrize(
    ("candidate", "decision"),
    [
        (on_success(0.15, else_=0.25), Decision.NOT_ENOUGH_EVIDENCE),
        (on_success(0.02, else_=0.5), Decision.BLOCKED),
    ],
)
def test_where_less_is_known_only_great_harm_blocks(candidate: Thumb, decision: Decision) -> None:
    """Fewer thumbs, and those of the unhappy: a little worse may be who was asked."""
    found = compared(often(0.3), candidate, days=60)
    assert found.decision is decision, found.headline
    assert WarningCode.UNEQUAL_COVERAGE in {caution.code for caution in found.warnings}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("current", "candidate"),
    [
        (often(0.3), on_success(0.33, else_=0.24)),
        (often(0.1), on_success(0.11, else_=0.08)),
        (on_success(0.3, else_=0.38), often(0.32)),
        (often(0.4), often(0.4)),
    ],
)
def test_nothing_is_said_of_few_answers_without_what_the_others_may_hide(
    current: Thumb, candidate: Thumb, seed: int
) -> None:
    """Nearly equal shares can hide who was asked: no count sees it, so it is said each time."""
    found = compared(current, candidate, seed=seed)
    told = {one.code: one.text for one in found.warnings}
    assert "user feedback: those without may differ" in told[WarningCode.LOW_QUALITY_COVERAGE]
    assert "if all without it were failures" in told[WarningCode.LOW_QUALITY_COVERAGE]
    assert "valid output" not in told[WarningCode.LOW_QUALITY_COVERAGE]


def failing(share: float, *, quality: float, dice: random.Random, scores_failures: bool) -> Arm:
    """A month of requests of which a share fails; a failure has no score, or one of 0."""
    found = []
    for number in range(30):
        failed = sum(dice.random() < share for _ in range(100))
        scores = [min(1.0, max(0.0, dice.gauss(quality, 0.12))) for _ in range(100 - failed)]
        scores += [0.0] * failed if scores_failures else []
        found.append(
            Day(
                number=number,
                n=100,
                errors=failed,
                components={"quality": Moments.of(scores)},
                latency=Sketch.of([800.0] * (100 - failed)),
            )
        )
    return Arm(days=tuple(found))


def compared_failures(
    before: float, after: float, *, thresholds: Thresholds = ANY, scores_failures: bool = False
) -> Comparison:
    dice = random.Random(3)
    one = failing(before, quality=0.7, dice=dice, scores_failures=scores_failures)
    other = failing(after, quality=0.77, dice=dice, scores_failures=scores_failures)
    strata = [Stratum(task="t", current=one, candidate=other)]
    return compare(strata=strata, thresholds=thresholds)


@pytest.mark.parametrize("scores_failures", [True, False])
def test_who_fails_less_often_is_not_doubted_for_having_more_scores(scores_failures: bool) -> None:
    found = compared_failures(0.06, 0.005, scores_failures=scores_failures)
    assert WarningCode.UNEQUAL_COVERAGE not in {one.code for one in found.warnings}
    assert found.decision is Decision.UPGRADE, found.headline
    assert found.reasons[0].startswith("error rate")
    assert "surely less" in found.reasons[0]


def test_who_fails_oftener_is_blocked_for_that_and_no_better_for_what_is_left() -> None:
    found = compared_failures(0.005, 0.12)
    assert found.decision is Decision.BLOCKED
    assert "error rate" in found.reasons[0]


def test_failures_that_no_limit_judges_may_hide_anything() -> None:
    free = Thresholds(
        min_quality_improvement=Decimal("0.001"),
        max_error_rise=None,
        max_error_times=None,
        max_latency_rise=None,
        max_cost_rise=None,
    )
    found = compared_failures(0.005, 0.12, thresholds=free)
    assert WarningCode.UNEQUAL_COVERAGE in {one.code for one in found.warnings}
    assert found.decision is not Decision.UPGRADE
