"""Evaluation runs: exact tests on the same cases."""

import re
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, multinomial

from versioning.domain.statistics.noninferiority import RISK, fitting_margin, p_not_worse, passes
from versioning.domain.statistics.paired import MCNEMAR, SIGN_FLIP, CaseScores, compare_cases
from versioning.domain.statistics.verdict import Verdict


def passed(*, both: int = 0, won: int = 0, lost: int = 0, neither: int = 0) -> list[CaseScores]:
    """Pass/fail cases by outcome."""
    outcomes = [(1.0, 1.0)] * both + [(0.0, 1.0)] * won
    outcomes += [(1.0, 0.0)] * lost + [(0.0, 0.0)] * neither
    return [
        CaseScores(name=str(number), current=(old,), candidate=(new,))
        for number, (old, new) in enumerate(outcomes)
    ]


def scored(differences: list[float], *, level: float = 0.5) -> list[CaseScores]:
    return [
        CaseScores(name=str(number), current=(level,), candidate=(level + difference,))
        for number, difference in enumerate(differences)
    ]


@settings(max_examples=30)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 40))
def test_pass_or_fail_is_the_exact_binomial_test(won: int, lost: int, both: int) -> None:
    found = compare_cases(cases=passed(both=both, won=won, lost=lost))
    wanted = binomtest(won, won + lost).pvalue if won + lost else 1.0
    assert found.method == MCNEMAR
    assert found.p_value == pytest.approx(wanted)


@settings(max_examples=30)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(10, 60))
def test_interval_and_test_agree(won: int, lost: int, both: int) -> None:
    found = compare_cases(cases=passed(both=both, won=won, lost=lost))
    assert found.p_value is not None
    if found.verdict is Verdict.BETTER:
        assert found.p_value < 0.05
        assert won > lost
    if found.verdict is Verdict.WORSE:
        assert found.p_value < 0.05
        assert won < lost


def test_eight_differences_are_flipped_in_every_way() -> None:
    """All 2^8 signs: only two of them lie as far out as eight rises."""
    found = compare_cases(cases=scored([0.1, 0.2, 0.15, 0.05, 0.12, 0.08, 0.3, 0.11]))
    assert found.method == SIGN_FLIP
    assert found.p_value == pytest.approx(2 / 2**8)


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [(0.1, Verdict.BETTER), (-0.1, Verdict.WORSE), (0.0, Verdict.NOT_WORSE)],
)
def test_scores_are_judged(shift: float, verdict: Verdict) -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, 400)
    differences = (noise - noise.mean() + shift).clip(-0.5, 0.5).tolist()
    assert compare_cases(cases=scored(differences)).verdict is verdict


def test_the_same_cases_give_the_same_answer() -> None:
    cases = scored(np.random.default_rng(2).normal(0, 0.1, 50).tolist())
    assert compare_cases(cases=cases) == compare_cases(cases=cases)


def test_repeats_are_averaged_so_that_the_case_is_the_unit() -> None:
    """Ten repeats of nine cases are nine cases: too few."""
    cases = [CaseScores(name=str(n), current=(0.0,) * 10, candidate=(1.0,) * 10) for n in range(9)]
    found = compare_cases(cases=cases)
    assert (found.n, found.verdict) == (9, Verdict.NOT_ENOUGH_DATA)
    assert found.judgement.needed is not None


def test_weights_count() -> None:
    cases = [
        CaseScores(name="heavy", current=(0.0,), candidate=(1.0,), weight=3.0),
        CaseScores(name="light", current=(1.0,), candidate=(0.0,)),
    ]
    found = compare_cases(cases=cases)
    assert (found.current, found.candidate) == (Decimal("0.25"), Decimal("0.75"))
    assert found.method == SIGN_FLIP


def test_cases_without_both_answers_are_left_out_and_counted() -> None:
    cases = [*passed(both=20, won=10), CaseScores(name="lost", current=(1.0,), candidate=())]
    found = compare_cases(cases=cases)
    assert (found.n, found.left_out) == (30, 1)
    assert found.sentence.endswith("1 case without answers of both left out")


def test_no_answers_is_not_enough_data() -> None:
    found = compare_cases(cases=[CaseScores(name="a", current=(), candidate=(1.0,))])
    assert found.verdict is Verdict.NOT_ENOUGH_DATA
    assert found.sentence.startswith("no case has answers of both versions: at least 10")


def test_equal_answers_are_no_proof_that_all_will_be() -> None:
    found = compare_cases(cases=scored([0.0] * 12))
    assert found.judgement.low is not None
    assert found.judgement.low < -0.1
    assert found.verdict is Verdict.NOT_ENOUGH_DATA


def test_the_sentence_says_how_many_more_cases() -> None:
    found = compare_cases(cases=passed(both=10, won=4, lost=1))
    assert found.verdict is Verdict.NOT_ENOUGH_DATA
    assert re.search(r"not enough data: \d+ to \d+ more cases$", found.sentence)
    assert "the same 15 cases" in found.sentence


@pytest.mark.parametrize("wrong", [{"current": (1.5,)}, {"weight": 0.0}])
def test_scores_and_weights_have_ranges(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="lies between|is above"):
        CaseScores(**{"name": "a", "current": (0.5,), "candidate": (0.5,), **wrong})  # type: ignore[arg-type]


def test_no_number_of_cases_shows_that_nothing_differs_by_nothing() -> None:
    found = compare_cases(cases=passed(both=20), margin=Decimal(0))
    assert found.sentence.endswith("not enough data: no realistic number of cases would settle it")


def identical(n: int, *, level: float = 0.7) -> list[CaseScores]:
    return scored([0.0] * n, level=level)


@pytest.mark.parametrize("cases", [identical(50), passed(both=45, neither=5)])
def test_fifty_equal_answers_are_not_worse_by_the_margin_that_fits(cases: list[CaseScores]) -> None:
    found = compare_cases(cases=cases, margin=fitting_margin(50))
    assert found.verdict is Verdict.NOT_WORSE
    assert "not worse by more than 0.1" in found.sentence


@pytest.mark.parametrize("score", [0.0, 0.37, 1.0])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_case_or_two_are_no_data(n: int, score: float) -> None:
    cases = [CaseScores(name=str(k), current=(score,), candidate=(score / 2,)) for k in range(n)]
    assert compare_cases(cases=cases).verdict is Verdict.NOT_ENOUGH_DATA


def test_equal_answers_weigh_as_much_as_a_version_that_loses_some_cases_allows() -> None:
    """Without a loss among n, a version that loses a share m slips through with (1 - m)^n."""
    assert p_not_worse(won=0, lost=0, n=50, margin=0.06) == pytest.approx(0.94**50)
    verdicts = [
        compare_cases(cases=passed(both=n), margin=Decimal("0.02")).verdict for n in (148, 149)
    ]
    assert verdicts == [Verdict.NOT_ENOUGH_DATA, Verdict.NOT_WORSE]


@settings(max_examples=5, deadline=None)
@given(st.integers(10, 18), st.floats(0.02, 0.3), st.floats(0, 1))
def test_a_version_worse_by_the_margin_passes_in_five_per_cent_at_most(
    n: int, margin: float, noise: float
) -> None:
    """Exact, over all outcomes: no share of differing cases makes it more."""
    lost = margin + noise * (1 - margin) / 2
    won = lost - margin
    outcomes = {
        (b, c): float(multinomial.pmf([b, c, n - b - c], n, [won, lost, max(0, 1 - won - lost)]))
        for b in range(n + 1)
        for c in range(n + 1 - b)
    }
    likely = {pair: share for pair, share in outcomes.items() if share > 1e-5}
    passing = sum(
        share
        for (b, c), share in likely.items()
        if p_not_worse(won=b, lost=c, n=n, margin=margin) <= RISK
    )
    assert passing <= RISK + 0.002


def test_what_an_equal_version_can_expect_is_what_the_test_gives() -> None:
    rng = np.random.default_rng(4)
    outcomes = Counter(map(tuple, rng.multinomial(60, [0.05, 0.05, 0.9], 400).tolist()))
    hits = sum(
        times
        for (won, lost, _), times in outcomes.items()
        if p_not_worse(won=won, lost=lost, n=60, margin=0.08) <= RISK
    )
    assert passes(n=60, margin=0.08, differing=0.1) == pytest.approx(hits / 400, abs=0.06)
