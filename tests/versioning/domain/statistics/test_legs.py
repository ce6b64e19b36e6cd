"""Live samples and tests are two legs: what each says, which one stands, what is missing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.statistics.decision import Decision, Leg, SuiteResult, weigh
from versioning.domain.statistics.verdict import Verdict

NONE = Verdict.NOT_ENOUGH_DATA
OPEN = Decision.NOT_ENOUGH_EVIDENCE


def result_of(verdict: Verdict, *, rise: str | None = "0.2", suite: str = "sums") -> SuiteResult:
    passes = {Verdict.WORSE: False, NONE: None}.get(verdict, True)
    improvement = None if rise is None else Decimal(rise)
    return SuiteResult(suite=suite, verdict=verdict, passes=passes, improvement=improvement)


any_test = st.builds(
    result_of,
    st.sampled_from(Verdict),
    rise=st.sampled_from(["-0.5", "0", "0.05", "3", None]),
)
any_call = {
    "live": st.sampled_from(Verdict),
    "decision": st.sampled_from(Decision),
    "tests": st.lists(any_test, max_size=4),
    "tests_alone": st.booleans(),
    "least": st.sampled_from([Decimal(0), Decimal("0.1")]),
}


@given(**any_call)
def test_a_failed_test_blocks_whatever_else_is_said(**call: object) -> None:
    if any(each.passes is False for each in call["tests"]):
        found = weigh(**call)
        assert found.decision is Decision.BLOCKED
        assert "failed" in found.reasons[0]


@given(**any_call)
def test_tests_never_open_what_live_samples_close(**call: object) -> None:
    found = weigh(**call)
    if call["decision"] in (Decision.BLOCKED, Decision.STAY):
        assert found.decision in (call["decision"], Decision.BLOCKED)
    if found.decision is Decision.UPGRADE:
        assert call["decision"] is Decision.UPGRADE or call["tests_alone"]


@given(**any_call)
def test_it_says_what_it_rests_on_and_what_is_missing(**call: object) -> None:
    found = weigh(**call)
    assert set(found.rests_on) | set(found.missing) == set(Leg)
    assert not set(found.rests_on) & set(found.missing)
    assert (Leg.LIVE in found.rests_on) == (call["live"] is not NONE)
    if not call["tests"]:
        assert (found.verdict, found.decision) == (call["live"], call["decision"])


def test_a_person_may_decide_on_tests_alone_and_nothing_goes_by_itself() -> None:
    found = weigh(live=NONE, decision=OPEN, tests=[result_of(Verdict.BETTER)])
    assert (found.verdict, found.decision) == (Verdict.BETTER, OPEN)
    assert (found.rests_on, found.missing) == ((Leg.TESTS,), (Leg.LIVE,))


@pytest.mark.parametrize(
    ("rise", "decision"),
    [("0.1", Decision.UPGRADE), ("0.0999", Decision.STAY), (None, Decision.STAY)],
)
def test_a_policy_that_takes_tests_alone_asks_for_its_improvement(
    rise: str | None, decision: Decision
) -> None:
    found = weigh(
        live=NONE, decision=OPEN, tests=[result_of(Verdict.BETTER, rise=rise)], tests_alone=True,
        least=Decimal("0.1"),
    )  # fmt: skip
    assert found.decision is decision


def test_of_several_suites_the_weakest_speaks() -> None:
    tests = [result_of(Verdict.BETTER), result_of(Verdict.NOT_WORSE, rise="0.01", suite="words")]
    found = weigh(live=NONE, decision=OPEN, tests=tests, tests_alone=True)
    assert (found.verdict, found.improvement) == (Verdict.BETTER, Decimal("0.01"))
    unsure = weigh(live=NONE, decision=OPEN, tests=[*tests, result_of(NONE)], tests_alone=True)
    assert (unsure.verdict, unsure.decision) == (NONE, OPEN)
