"""Figures in sentences: digits follow the interval, points and per cent apart, no exponents."""

import datetime as dt
import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.versioning.domain.statistics.arms import arm, quality_only, stratum
from versioning.domain.statistics.comparison import compare
from versioning.domain.statistics.drift import Measure, Shift
from versioning.domain.statistics.figures import change, points, significant, span
from versioning.domain.statistics.gates import check_gates
from versioning.domain.statistics.inputs import Arm, Day, Stratum, Thresholds
from versioning.domain.statistics.paired import CaseScores, compare_cases
from versioning.domain.statistics.summaries import Moments, Sketch

SHARE = st.floats(min_value=0, max_value=1)

CHANGE = re.compile(
    r"(?P<before>\d\.\d+) → (?P<after>\d\.\d+) \((?P<rise>[+-]\d\.\d+), 95 % interval from "
    r"(?P<low>[+-]\d\.\d+) to (?P<high>[+-]\d\.\d+)(: [+-]\d[\d,]*(\.\d)? %)?\)"
)
UNREADABLE = re.compile(r"\de[+-]?\d|-0(\.0+)?(?![\d.])|\bnan\b|\binf\b")
"""Exponents, minus nothing, and what is no number."""


def is_well_said(sentence: str) -> None:
    """Assert that a change is told in one order, with one number of digits, in two units."""
    told = CHANGE.search(sentence)
    assert told, sentence
    figures = told.groupdict()
    assert len({len(figure.partition(".")[2]) for figure in figures.values()}) == 1, sentence
    step = Decimal(10) ** -len(figures["rise"].partition(".")[2])
    difference = Decimal(figures["after"]) - Decimal(figures["before"])
    assert abs(difference - Decimal(figures["rise"])) <= step, sentence
    ends = Decimal(figures["low"]), Decimal(figures["high"])
    assert ends[0] - step <= Decimal(figures["rise"]) <= ends[1] + step, sentence
    assert not UNREADABLE.search(sentence), sentence


@given(
    before=st.floats(min_value=0.001, max_value=1),
    after=SHARE,
    below=st.floats(min_value=1e-4, max_value=1),
    above=st.floats(min_value=1e-4, max_value=1),
)
def test_a_change_is_said_in_one_way_whatever_it_is(
    before: float, after: float, below: float, above: float
) -> None:
    low, high = after - before - below, after - before + above
    told = change(
        before=before,
        after=after,
        low=low,
        high=high,
        alpha=0.05,
        relative=(after - before) / before,
    )
    is_well_said(told)
    written = CHANGE.search(told)
    assert written
    step = 10.0 ** -len(written["low"].partition(".")[2])
    assert step <= max(0.01, (below + above) / 2), told


@pytest.mark.parametrize("shift", [-0.3, -0.002, -0.0001, 0.0, 0.0001, 0.002, 0.3])
@pytest.mark.parametrize("n", [1, 2, 12, 50, 2_000])
@pytest.mark.parametrize("is_graded", [True, False])
def test_runs_of_tests_say_it_so(shift: float, n: int, is_graded: bool) -> None:
    rng = np.random.default_rng(n)
    cases = []
    for number in range(n):
        old = float(rng.uniform(0.35, 0.65))
        new = min(1.0, old + shift + float(rng.normal(0, 0.02)))
        pair = (old, new) if is_graded else (float(old < 0.5), float(rng.random() < 0.5 + shift))
        cases.append(CaseScores(name=str(number), current=pair[:1], candidate=pair[1:]))
    is_well_said(compare_cases(cases=cases).sentence)


@pytest.mark.parametrize("candidate", [0.2, 0.74, 0.7501, 0.752, 0.9])
@pytest.mark.parametrize("n", [2, 60, 2_000, 200_000])
def test_live_samples_say_it_so(candidate: float, n: int) -> None:
    strata = [stratum(arm(0.75, n=n), arm(candidate, n=n))]
    is_well_said(compare(strata=strata, thresholds=quality_only()).sentence)


@pytest.mark.parametrize("times", [0.001, 0.5, 1.0, 1.4, 25.0, 30_000.0])
@pytest.mark.parametrize("errors", [(0, 0), (0, 60), (1, 60), (60, 0), (3, 9)])
def test_limits_are_told_without_exponents(times: float, errors: tuple[int, int]) -> None:
    def side(failed: int, factor: float) -> Arm:
        days = [
            Day(
                number=number,
                n=60,
                errors=failed,
                cost=Moments.of([2e-5 * factor, 4e-5 * factor] * 30),
                latency=Sketch.of([800.0 * factor, 900.0 * factor] * 30),
            )
            for number in range(20)
        ]
        return Arm(days=tuple(days))

    strata = [Stratum(task="one", current=side(errors[0], 1), candidate=side(errors[1], times))]
    for gate in check_gates(strata=strata, thresholds=Thresholds()):
        assert not UNREADABLE.search(gate.reason), gate.reason


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize(("before", "after"), [(0.8, 0.75), (1_234.5, 23_456.0), (2.5e-6, 8e-6)])
def test_drift_is_told_without_exponents(measure: Measure, before: float, after: float) -> None:
    day = dt.date(2026, 3, 2)
    shift = Shift(measure=measure, began=day, seen=day, before=before, after=after)
    assert not UNREADABLE.search(shift.sentence), shift.sentence


@given(value=st.floats(min_value=-1e9, max_value=1e9), digits=st.integers(1, 4))
def test_significant_digits_are_those_of_the_number(value: float, digits: int) -> None:
    text = significant(value, digits=digits, sign=True)
    assert float(text.replace(",", "")) == pytest.approx(
        float(f"{value:.{digits}g}"), abs=1e-15, rel=1e-12
    )
    assert "e" not in text


def test_nothing_has_no_minus() -> None:
    assert [points(-1e-9, digits=2), points(-0.0, digits=3), significant(-0.0)] == [
        "+0.00",
        "+0.000",
        "0",
    ]


def test_an_interval_around_a_mean_has_its_digits() -> None:
    assert span(0.8, low=0.79, high=0.81) == "0.80 (0.79 to 0.81)"
    assert span(0.8, low=0.7995, high=0.8005) == "0.8000 (0.7995 to 0.8005)"


@given(SHARE, SHARE, st.floats(0.001, 0.3))
def test_a_reader_who_subtracts_finds_the_change_that_is_said(
    before: float, after: float, half: float
) -> None:
    apart = after - before
    said = change(
        before=before, after=after, low=apart - half, high=apart + half, alpha=0.05, relative=None
    )
    old, new, told = re.findall(r"[+-]?\d\.\d+", said)[:3]
    assert Decimal(new) - Decimal(old) == Decimal(told)


def test_thirds_are_said_with_the_digits_that_they_are_worth() -> None:
    said = change(before=40 / 60, after=47 / 60, low=-0.042, high=0.271, alpha=0.05, relative=None)
    assert said.startswith("0.667 → 0.783 (+0.116, ")
