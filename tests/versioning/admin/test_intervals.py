"""Intervals as small plots: nothing is drawn outside, nothing is drawn that isn't known."""

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import address, text
from tests.versioning.domain.statistics.arms import arm, stratum
from versioning.admin.intervals import WIDTH, IntervalRow, of_evidence
from versioning.domain.evidence import Evidence, read
from versioning.domain.statistics.comparison import compare
from versioning.domain.statistics.inputs import Thresholds

figures = st.floats(-5, 5, allow_nan=False)


def gate(**told: Any) -> dict[str, Any]:
    return {"name": "errors", "status": "unsure", **told}


def only(evidence: dict[str, Any]) -> IntervalRow:
    (row,) = (row for row in of_evidence(read(evidence)) if not row.unknown)
    return row


@given(st.lists(figures, min_size=3, max_size=3), figures)
def test_a_plot_keeps_order_and_stays_within(ends: list[float], limit: float) -> None:
    low, value, high = sorted(ends)
    row = only({"gates": [gate(low=low, value=value, high=high, limit=limit)]})
    assert row.value is not None
    assert row.limit is not None
    assert row.beyond is not None
    assert 0 <= row.left <= row.value <= row.right <= WIDTH
    assert 0 <= row.limit <= WIDTH
    wrong = (row.beyond[0], row.beyond[0] + row.beyond[1])
    if limit < 0:  # what quality may lose: beyond it is to its left
        assert wrong == pytest.approx((0.0, row.limit))
    else:
        assert row.tolerated is not None
        tolerated = (row.tolerated[0], row.tolerated[0] + row.tolerated[1])
        assert (*tolerated, wrong[1]) == pytest.approx((row.limit, wrong[0], WIDTH))
    assert (row.value > row.middle) <= (value > 0)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.2, None, "from -20 points, perhaps far more"),
        (None, 0.01, "up to +1 point"),
        (None, None, "no interval yet"),
        (-0.01, 0.02, "-1 point to +2 points"),
    ],
)
def test_an_open_end_is_said_and_not_closed(
    low: float | None, high: float | None, said: str
) -> None:
    row = only({"gates": [gate(low=low, high=high, value=0, limit="0.01")]})
    assert row.interval == said
    assert (row.is_open_left, row.is_open_right) == (low is None, high is None)


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"gates": [gate()]},
        {"judgement": {"verdict": "not_enough_data"}},
        {"gates": [gate(value="x", low="?")]},
    ],
)
def test_where_nothing_is_known_there_are_no_rows(evidence: dict[str, Any]) -> None:
    assert list(of_evidence(read(evidence))) == []


def test_what_is_unknown_beside_what_is_known_says_why() -> None:
    why = "latency p95: 100 requests a side are needed, there are 14"
    unknown = {"name": "latency_p95", "status": "unknown", "reason": why}
    rows = of_evidence(read({"gates": [gate(value=0, low=-0.01, high=0.01), unknown]}))
    assert [(row.name, row.unknown) for row in rows] == [
        ("Quality", "not known"),
        ("Error rate", ""),
        ("Latency p95", "100 requests a side are needed, there are 14"),
    ]


@pytest.mark.parametrize(
    ("status", "high", "said"),
    [
        ("passed", -0.001, ">better<"),
        ("passed", 0.001, ">passed<"),
        ("passed", 0.012, ">narrowly passed<"),
        ("unsure", 0.02, ">unsure<"),
        ("unsure", 0.005, ">not alike<"),
        ("unknown", 0.02, ">unknown<"),
    ],
)
def test_what_a_row_says_is_what_its_bar_shows(status: str, high: float, said: str) -> None:
    row = only({"gates": [gate(status=status, low=-0.1, value=-0.05, high=high, limit="0.01")]})
    assert said in row.verdict


def test_what_is_above_its_limit_as_measured_is_not_called_unknown() -> None:
    row = only({"gates": [gate(status="unknown", value="0.03", low=0, high=0.06, limit="0.01")]})
    assert (">perhaps too much<" in row.verdict, row.sign) == (True, "?")


def test_one_task_is_not_drawn_twice() -> None:
    judged = {"judgement": {"estimate": 0.1, "low": 0.05, "high": 0.2, "verdict": "better"}}
    both = {**judged, "tasks": [{"name": "extract", **judged}, {"name": "sum", **judged}]}
    one = {**judged, "tasks": [{"name": "extract", **judged}]}
    assert [row.name for row in of_evidence(read(both))] == ["Quality", "extract", "sum"]
    assert [row.name for row in of_evidence(read(one))] == ["Quality"]


def judged(estimate: float, *, half: float) -> dict[str, Any]:
    return {"estimate": estimate, "low": estimate - half, "high": estimate + half}


def by_name(evidence: dict[str, Any]) -> dict[str, IntervalRow]:
    return {row.name: row for row in of_evidence(read(evidence))}


def test_a_figure_and_its_tasks_have_one_scale() -> None:
    tasks = [
        {"name": "draft", "judgement": judged(0.02, half=0.01)},
        {"name": "extract", "judgement": judged(0.1, half=0.02)},
    ]
    rows = by_name({"judgement": judged(0.06, half=0.02), "tasks": tasks})
    whole, draft, extract = (rows[name] for name in ("Quality", "draft", "extract"))
    assert whole.limit == draft.limit == extract.limit
    places = [row.value for row in (draft, whole, extract) if row.value is not None]
    assert places == sorted(places)
    a_point = [place - WIDTH / 2 for place in places]
    assert a_point == pytest.approx([a_point[0], 3 * a_point[0], 5 * a_point[0]], rel=0.01)


def test_a_task_of_few_scores_does_not_make_the_figure_a_point() -> None:
    tasks = [
        {"name": "few", "judgement": {"estimate": 0.05, "low": -0.9, "high": 1.0}},
        {"name": "many", "judgement": judged(0.02, half=0.02)},
    ]
    rows = by_name({"judgement": judged(0.02, half=0.02), "tasks": tasks})
    assert rows["Quality"].right - rows["Quality"].left > WIDTH / 20
    few = rows["few"]
    assert (few.is_open_left, few.is_open_right) == (True, True)  # it goes on beyond the plot
    assert few.interval == "-0.900 to +1.000"


def test_a_row_says_both_sides_and_on_how_many_scores() -> None:
    quality = {"current": "0.75", "candidate": "0.85", "n_current": 2332, "n_candidate": 140}
    gates = [
        gate(value="0.01", low=0, high=0.02, current=0.012, candidate=0.022),
        {"name": "latency_p95", "status": "passed", "current": 1234.5, "candidate": 900},
        {"name": "cost_per_success", "status": "unknown", "current": 0.002},
    ]
    rows = by_name({"quality": quality, "judgement": judged(0.1, half=0.1), "gates": gates})
    assert [(row.sides, row.counts) for row in rows.values()] == [
        ("0.75 → 0.85", "2,332 → 140"),
        ("1.2 → 2.2 %", ""),
        ("1,234 → 900 ms", ""),
        ("$2.00 → unknown", ""),
    ]


SCORE = st.floats(0.02, 0.98)


@given(SCORE, st.floats(-0.3, 0.3), st.integers(20, 4000), st.integers(0, 3), st.integers(1, 40))
def test_a_row_tells_what_the_sentence_tells(
    before: float, apart: float, n: int, failed: int, thousandths: int
) -> None:
    """One figure has one text on a page: rows and sentences come from the same comparison."""
    after = min(1.0, max(0.0, before + apart))
    sides = [
        arm(mean, n=n, errors=errors, usd=usd / 1000)
        for mean, errors, usd in ((before, 0, 7), (after, failed, thousandths))
    ]
    found = compare(strata=[stratum(*sides)], thresholds=Thresholds())
    rows = {row.name: row for row in of_evidence(Evidence.of(found))}
    sentence = found.sentence
    if "→" in sentence:
        quality = rows["Quality"]
        told = f"{quality.sides} ({quality.change}, 95 % interval from {quality.interval}"
        assert told in sentence
    for gate in found.gates:
        row = next(row for row in rows.values() if row.key == gate.name)
        if row.unknown or "→" not in gate.reason:
            continue
        before_said, after_said = row.sides.split(" → ")
        assert before_said.split()[0] in gate.reason, (row.sides, gate.reason)
        assert after_said.replace(" %", "%") in gate.reason, (row.sides, gate.reason)
        assert row.change.split()[0] in gate.reason, (row.change, gate.reason)


def test_the_sheet_says_in_words_what_it_draws(viewer: Client, db: None) -> None:
    told = {"estimate": 0.04, "low": 0.004, "high": 0.076, "verdict": "better"}
    limits = [gate(value="-0.001", low=-0.018, high=0.016, limit="0.01")]
    record = recommend(evidence={"sentence": "So.", "judgement": told, "gates": limits})
    page = text(viewer.get(address(record, "change")))
    assert page.count('class="hs-interval') == 2
    for said in ("+0.040", "+0.004 to +0.076", "Error rate", "at most +1 point"):
        assert said in page
