"""Rates that samples tell as true or false: gated like errors, over answered requests that tell."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.versioning.domain.statistics.arms import arm, quality_only, stratum
from versioning.domain.figure_kinds import Rate
from versioning.domain.figures import TOLD_RATES
from versioning.domain.statistics.cautions import WarningCode
from versioning.domain.statistics.comparison import Comparison, compare
from versioning.domain.statistics.decision import Decision
from versioning.domain.statistics.gates import GateStatus
from versioning.domain.statistics.inputs import Arm

FIGURE = TOLD_RATES[0]
LIMIT = {limit.setting: Decimal("0.02") for limit in (FIGURE.gated.limits if FIGURE.gated else ())}


def telling(rate: float, *, share: float = 1.0, mean: float = 0.8) -> Arm:
    """A version whose answered requests tell it in this share, and have it at this rate."""
    days = arm(mean).days
    return Arm(
        days=tuple(
            replace(day, rates={FIGURE.name: Rate(n, round(n * rate))})
            for day in days
            for n in [round((day.n - day.errors) * share)]
        )
    )


def compared(current: Arm, candidate: Arm, **limits: Decimal | None) -> Comparison:
    return compare(strata=[stratum(current, candidate)], thresholds=quality_only(**limits))


def test_without_a_limit_there_is_no_gate_and_nothing_to_mind() -> None:
    found = compared(telling(0.01, share=0.3), telling(0.2, share=0.9, mean=0.9))
    assert found.gates == ()
    assert found.warnings == ()
    assert found.decision is Decision.UPGRADE


@pytest.mark.parametrize("none", [{}, {name: Decimal(1) for name in LIMIT}])
def test_a_rate_that_may_rise_to_all_is_no_gate(none: dict[str, Decimal]) -> None:
    assert compared(telling(0.01), telling(0.5), **none).gates == ()


@pytest.mark.parametrize(("rate", "status"), [(0.01, GateStatus.PASSED), (0.2, GateStatus.FAILED)])
def test_it_is_gated_like_errors(rate: float, status: GateStatus) -> None:
    found = compared(telling(0.01), telling(rate, mean=0.9), **LIMIT)
    (gate,) = found.gates
    assert gate.status is status
    assert gate.candidate == pytest.approx(rate, abs=0.005)
    if status is GateStatus.FAILED:
        assert found.decision is Decision.BLOCKED
        assert gate.reason.startswith(f"{FIGURE.gated.what if FIGURE.gated else ''} 1")


@pytest.mark.parametrize(
    ("current", "candidate"),
    [(arm(0.8), arm(0.9)), (telling(0.01), arm(0.9)), (arm(0.8), telling(0.0, mean=0.9))],
)
def test_what_nobody_tells_of_a_side_is_unknown_and_no_pass(current: Arm, candidate: Arm) -> None:
    found = compared(current, candidate, **LIMIT)
    (gate,) = found.gates
    assert gate.status is GateStatus.UNKNOWN
    assert "that tell" in gate.reason
    assert found.decision is Decision.NOT_ENOUGH_EVIDENCE


def test_more_told_of_one_version_than_of_the_other_is_a_doubt() -> None:
    found = compared(telling(0.01, share=0.9), telling(0.01, share=0.4, mean=0.9), **LIMIT)
    assert [caution.code for caution in found.warnings] == [WarningCode.UNEQUAL_COVERAGE]
    assert "90% of the current version's answered requests tell" in found.warnings[0].text
    assert found.decision is Decision.NOT_ENOUGH_EVIDENCE


def test_told_of_few_is_a_caution() -> None:
    found = compared(telling(0.01, share=0.3), telling(0.01, share=0.3, mean=0.9), **LIMIT)
    assert [caution.code for caution in found.warnings] == [WarningCode.LOW_COVERAGE]


def test_its_limit_leaves_quality_alone() -> None:
    """What is told of the tool calls says nothing of the scores."""
    with_limit = compared(telling(0.01, share=0.9), telling(0.01, share=0.4, mean=0.9), **LIMIT)
    without = compared(telling(0.01, share=0.9), telling(0.01, share=0.4, mean=0.9))
    assert with_limit.judgement == without.judgement
