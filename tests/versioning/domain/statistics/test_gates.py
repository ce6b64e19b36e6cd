"""Gates beside quality: errors, latency p95, cost per success."""

import math
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.versioning.domain.statistics.arms import arm, scores, stratum
from versioning.domain.signals import QUALITY
from versioning.domain.statistics.comparison import compare
from versioning.domain.statistics.decision import Decision
from versioning.domain.statistics.gates import Gate, GateStatus, check_gates, passes_below
from versioning.domain.statistics.inputs import Arm, Day, PerDay, Thresholds
from versioning.domain.statistics.summaries import Moments, Sketch


def gates(current: Arm, candidate: Arm, **limits: Decimal | None) -> dict[str, Gate]:
    found = check_gates(
        strata=[stratum(current, candidate)],
        thresholds=Thresholds(**limits),  # type: ignore[arg-type]
        per_day=PerDay(current=100, candidate=100),
    )
    return {gate.name: gate for gate in found}


def test_as_good_passes_every_gate() -> None:
    found = gates(arm(0.8, errors=20), arm(0.8, errors=20))
    assert {name: gate.status for name, gate in found.items()} == {
        "errors": GateStatus.PASSED,
        "latency_p95": GateStatus.PASSED,
        "cost_per_success": GateStatus.PASSED,
    }


def test_many_more_errors_fail() -> None:
    gate = gates(arm(0.8, errors=21), arm(0.8, errors=315))["errors"]
    assert gate.status is GateStatus.FAILED
    assert gate.value == pytest.approx(Decimal("0.14"))
    assert gate.reason.startswith(
        "error rate 1.0% → 15.0% (15 times as many, +14 points, limit +1 point): surely more"
    )


def test_few_requests_leave_the_error_gate_open_and_say_how_many_more() -> None:
    gate = gates(arm(0.8, n=100), arm(0.8, n=100))["errors"]
    assert gate.status is GateStatus.UNSURE
    assert gate.needed is not None
    assert gate.needed.samples is not None
    assert "within the limit, not surely" in gate.reason


@pytest.mark.parametrize(
    ("milliseconds", "status"),
    [(950.0, GateStatus.PASSED), (2000.0, GateStatus.FAILED)],
)
def test_latency_may_rise_by_the_limit(milliseconds: float, status: GateStatus) -> None:
    assert gates(arm(0.8), arm(0.8, latency_ms=milliseconds))["latency_p95"].status is status


@pytest.mark.parametrize(
    ("usd", "status"),
    [
        (0.0024, GateStatus.PASSED),
        (0.002401, GateStatus.FAILED),
        (0.004, GateStatus.FAILED),
        (0.0, GateStatus.PASSED),
    ],
)
def test_cost_may_rise_by_exactly_the_limit(usd: float, status: GateStatus) -> None:
    found = gates(arm(0.8), arm(0.8, usd=usd), max_cost_rise=Decimal("0.2"))
    gate = found["cost_per_success"]
    assert gate.status is status


def test_cost_of_a_third_of_a_cent_may_rise_by_exactly_the_limit() -> None:
    gate = gates(arm(0.8, usd=1 / 300), arm(0.8, usd=0.004))["cost_per_success"]
    assert (gate.status, gate.value) == (GateStatus.PASSED, Decimal("0.2"))


@pytest.mark.parametrize("n", [35, 60, 120])
def test_without_errors_no_more_requests_are_needed_than_it_says(n: int) -> None:
    """Equal values spread less the more of them there are: that is reckoned with."""
    needed = gates(arm(0.8, n=n), arm(0.8, n=n))["errors"].needed
    assert needed is not None
    assert needed.most_samples is not None
    enough = n + needed.most_samples // 2 + 1
    assert gates(arm(0.8, n=enough), arm(0.8, n=enough))["errors"].status is GateStatus.PASSED


def test_a_tiny_cost_is_said_per_thousand_requests() -> None:
    gate = gates(arm(0.8, usd=0.0000622), arm(0.8, usd=0.0000311))["cost_per_success"]
    assert gate.reason == (
        "cost per 1,000 successful requests $0.062 → $0.031 (-50 %, limit +20 %): "
        "surely less, by at least 50 %"
    )


def test_failures_are_paid_too() -> None:
    """The same price a request, half of them in vain: twice the price of a success."""
    gate = gates(arm(0.8), arm(0.8, errors=1050))["cost_per_success"]
    assert gate.value == pytest.approx(Decimal("1"), abs=Decimal("1e-9"))
    assert gate.status is GateStatus.FAILED


def test_anything_is_more_than_free() -> None:
    gate = gates(arm(0.8, usd=0.0), arm(0.8, usd=0.001))["cost_per_success"]
    assert gate.status is GateStatus.FAILED
    assert "from nothing" in gate.reason


def test_free_stays_free() -> None:
    gate = gates(arm(0.8, usd=0.0), arm(0.8, usd=0.0))["cost_per_success"]
    assert gate.status is GateStatus.PASSED


@pytest.mark.parametrize(
    ("candidate", "gate", "reason"),
    [
        (arm(0.8, usd=None), "cost_per_success", "no request of the candidate says what it cost"),
        (arm(0.8, n=50), "latency_p95", "100 requests a side are needed, there are 50"),
        (arm(0.8, errors=2100), "cost_per_success", "a success has no price"),
    ],
)
def test_unknown_is_no_pass_and_says_why(candidate: Arm, gate: str, reason: str) -> None:
    found = gates(arm(0.8), candidate)[gate]
    assert found.status is GateStatus.UNKNOWN
    assert reason in found.reason


def test_a_failed_gate_blocks_a_better_version() -> None:
    found = compare(strata=[stratum(arm(0.75), arm(0.85, errors=300))], thresholds=Thresholds())
    assert found.decision is Decision.BLOCKED
    assert found.reasons[0].startswith("error rate")


def test_an_open_gate_holds_a_better_version_back() -> None:
    found = compare(strata=[stratum(arm(0.75), arm(0.85, usd=None))], thresholds=Thresholds())
    assert found.decision is Decision.NOT_ENOUGH_EVIDENCE
    assert found.reasons[0].startswith(
        "cost per 1,000 successful requests: no request of the candidate says what it cost"
    )


def test_gates_share_the_risk() -> None:
    alone = gates(
        arm(0.8, errors=20), arm(0.8, errors=20), max_latency_rise=None, max_cost_rise=None
    )["errors"]
    among = gates(arm(0.8, errors=20), arm(0.8, errors=20))["errors"]
    assert alone.high is not None
    assert among.high is not None
    assert among.high > alone.high


def test_a_rise_that_may_lie_below_the_limit_is_open() -> None:
    gate = gates(arm(0.8, n=420), arm(0.8, n=420, errors=5))["errors"]
    assert gate.status is GateStatus.UNKNOWN
    assert "above the limit, but not surely" in gate.reason


def test_without_requests_of_both_the_error_rate_is_unknown() -> None:
    gate = gates(arm(0.8), arm(0.8, n=0, usd=None))["errors"]
    assert gate.reason == "error rate: no task has requests on both sides"


def test_a_price_known_for_half_of_the_requests_is_not_believed() -> None:
    half = Arm(
        days=tuple(
            replace(day, cost=Moments(day.n // 2, 0.002, 0.0, 0.002, 0.002))
            for day in arm(0.8).days
        )
    )
    gate = gates(arm(0.8), half)["cost_per_success"]
    assert gate.status is GateStatus.UNKNOWN
    assert "cost is known for 50% of the requests only" in gate.reason


def test_a_limit_is_said_as_it_is() -> None:
    found = gates(arm(0.8), arm(0.8), max_latency_rise=Decimal("0.125"))
    assert "limit +12.5 %" in found["latency_p95"].reason
    assert "limit +20 %" in found["cost_per_success"].reason


@st.composite
def days_of_a_version(draw: st.DrawFn) -> Arm:
    """A fortnight in which levels wander, days differ in size and some requests are far slower."""
    ordinary = draw(st.floats(200, 2_000))
    found = []
    for number in range(14):
        n = draw(st.integers(2, 120))
        level = ordinary * draw(st.sampled_from((1.0, 1.0, 1.1, 1.5)))
        slow = draw(st.integers(0, n // 8))
        usd = 0.002 * draw(st.sampled_from((1.0, 1.0, 1.15, 2.0)))
        found.append(
            Day(
                number=number,
                n=n,
                errors=draw(st.integers(0, min(3, n - 1))),
                components={QUALITY: scores(0.8, n=n)},
                cost=Moments(n, usd, (usd / 4) ** 2 * (n - 1), 0.0, 4 * usd),
                latency=Sketch.of([level] * (n - slow) + [5 * level] * slow),
            )
        )
    return Arm(days=tuple(found))


@settings(max_examples=60)
@given(days_of_a_version(), days_of_a_version())
def test_what_a_gate_says_its_interval_shows(current: Arm, candidate: Arm) -> None:
    """What passes keeps the limit and its tolerance; what is unsure reaches beyond."""
    for gate in gates(current, candidate).values():
        low = -math.inf if gate.low is None else gate.low
        high = math.inf if gate.high is None else gate.high
        most = float(passes_below(gate.name, gate.limit))
        assert low <= high
        if gate.status is GateStatus.PASSED:
            assert high <= most + 1e-9
        if gate.status is GateStatus.UNSURE:
            assert high >= most - 1e-9
        if gate.status is GateStatus.FAILED:
            assert low > 0
