"""Verdict, decision and sentence on live samples."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.versioning.domain.statistics.arms import arm, quality_only, stratum
from versioning.domain.statistics.cautions import WarningCode
from versioning.domain.statistics.comparison import Comparison, compare
from versioning.domain.statistics.decision import Decision
from versioning.domain.statistics.inputs import Arm, PerDay, Slice, Split, Thresholds
from versioning.domain.statistics.verdict import Verdict


def compared(current: float | Fraction, candidate: float | Fraction, **how: object) -> Comparison:
    """Compare two mean qualities on one task, 150 samples a side a day, without gates."""
    thresholds = how.pop("thresholds", None) or quality_only()
    strata = [stratum(arm(current, **how), arm(candidate, **how))]  # type: ignore[arg-type]
    return compare(strata=strata, thresholds=thresholds)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("candidate", "n", "verdict"),
    [
        (0.85, 2000, Verdict.BETTER),
        (0.75, 2000, Verdict.NOT_WORSE),
        (0.65, 2000, Verdict.WORSE),
        (0.75, 60, Verdict.NOT_ENOUGH_DATA),
    ],
)
def test_the_four_verdicts(candidate: float, n: int, verdict: Verdict) -> None:
    assert compared(0.75, candidate, n=n).verdict is verdict


def test_nothing_is_claimed_below_thirty_samples_a_side() -> None:
    assert compared(0.1, 0.99, n=29, spread=0.01).verdict is Verdict.NOT_ENOUGH_DATA
    assert compared(0.1, 0.99, n=42, spread=0.01).verdict is Verdict.BETTER


def test_nothing_good_is_claimed_before_a_week_side_by_side() -> None:
    six, seven = (compared(0.5, 0.9, days=range(days)) for days in (6, 7))
    assert (six.verdict, seven.verdict) == (Verdict.NOT_ENOUGH_DATA, Verdict.BETTER)


def test_before_and_after_is_never_enough_and_says_what_is() -> None:
    found = compare(
        strata=[stratum(arm(0.75, days=range(30)), arm(0.85, days=range(30, 44)))],
        thresholds=quality_only(),
    )
    assert found.decision is Decision.NOT_ENOUGH_EVIDENCE
    assert "before / after" in found.sentence
    assert "a canary or evaluation run" in found.reasons[0]


def test_great_harm_is_seen_before_and_after_too_but_no_season_is() -> None:
    def after(mean: float) -> Decision:
        strata = [stratum(arm(0.75, days=range(30)), arm(mean, days=range(30, 44)))]
        return compare(strata=strata, thresholds=quality_only()).decision

    assert after(0.55) is Decision.BLOCKED
    assert after(0.68) is Decision.NOT_ENOUGH_EVIDENCE


def test_what_changes_for_both_is_no_difference() -> None:
    """Thirty days alone, then a fortnight in which all is easier for both."""
    old = arm(0.70, n=6000, days=range(30)).days + arm(0.80, days=range(30, 44)).days
    found = compare(
        strata=[stratum(Arm(days=old), arm(0.80, days=range(30, 44)))], thresholds=quality_only()
    )
    assert found.estimate == pytest.approx(0, abs=1e-9)
    assert found.shared_days == 14


def test_harm_after_the_days_side_by_side_blocks() -> None:
    """The canary was good, the move is not: what came after is judged, too."""
    candidate = arm(0.76).days + arm(0.4, days=range(14, 20)).days
    found = compare(strata=[stratum(arm(0.75), Arm(days=candidate))], thresholds=quality_only())
    assert found.decision is Decision.BLOCKED
    assert found.reasons[0] == "worse on the days after the last one side by side"


@given(st.integers(1, 99), st.integers(1, 500))
def test_an_improvement_of_exactly_the_threshold_passes(current: int, thousandths: int) -> None:
    """Compared as fractions: 0.1 + 0.2 must not fail against 0.3."""
    old = Fraction(current, 200)
    new = old * (1 + Fraction(thousandths, 1000))
    least = Decimal(thousandths) / 1000
    found = compared(
        old,
        new,
        n=10**9,
        spread=0.001,
        thresholds=quality_only(min_quality_improvement=least),
    )
    assert found.verdict is Verdict.BETTER
    assert found.decision is Decision.UPGRADE


@pytest.mark.parametrize("parts", [3, 7, 900])
def test_the_threshold_passes_where_means_have_no_decimals(parts: int) -> None:
    """From 2/3 to 11/15 is 10 %, though both means are rounded, one of them up."""
    old = Fraction(2, parts)
    found = compared(
        old,
        old * Fraction(11, 10),
        n=10**9,
        spread=0.0001,
        thresholds=quality_only(min_quality_improvement=Decimal("0.1")),
    )
    assert found.decision is Decision.UPGRADE
    assert found.quality.relative == Decimal("0.1")


@given(st.integers(20, 99), st.integers(1, 500))
def test_a_millionth_below_the_threshold_does_not(current: int, thousandths: int) -> None:
    old = Fraction(current, 200)
    new = old * (1 + Fraction(thousandths, 1000) - Fraction(1, 10**6))
    found = compared(
        old,
        new,
        n=10**9,
        spread=0.001,
        thresholds=quality_only(min_quality_improvement=Decimal(thousandths) / 1000),
    )
    assert found.decision is Decision.STAY


def test_a_rise_is_relative_to_the_current_version() -> None:
    relative = compared(0.75, 0.85).quality.relative
    assert relative is not None
    assert round(relative, 4) == Decimal("0.1333")


def test_the_sentence_can_be_acted_on() -> None:
    sentence = compared(0.75, 0.85).sentence
    assert sentence.startswith("Better: quality 0.75 → 0.85 (+0.10, 95 % interval from +0.0")
    assert sentence.endswith(": +13 %), side by side on 14 days, 4,200 samples")


def test_the_sentence_names_each_task_and_what_it_needs() -> None:
    found = compare(
        strata=[
            stratum(arm(0.75), arm(0.85), task="summarise"),
            stratum(arm(0.75, n=100), arm(0.76, n=100), task="extract"),
        ],
        thresholds=quality_only(),
    )
    assert "; on summarise better, on extract not enough data: " in found.sentence
    assert found.sentence.endswith("more samples")


def test_not_enough_data_says_how_many_more_and_in_which_time() -> None:
    found = compare(
        strata=[stratum(arm(0.75, n=140), arm(0.77, n=140))],
        thresholds=quality_only(),
        per_day=PerDay(current=50, candidate=50),
    )
    needed = found.needed
    assert needed is not None
    assert needed.samples is not None
    assert needed.most_samples is not None
    assert needed.samples < needed.most_samples
    assert needed.days == -(-needed.samples // 100)
    assert needed.words in found.sentence
    assert found.as_dict()["judgement"]["needed"]["words"] == needed.words


def test_as_many_more_as_were_said_at_most_do_settle_it() -> None:
    first = compared(0.75, 0.77, n=140)
    assert first.needed is not None
    assert first.needed.most_samples is not None
    later = compared(0.75, 0.77, n=140 + -(-first.needed.most_samples // 2))
    assert later.verdict is not Verdict.NOT_ENOUGH_DATA


@pytest.mark.parametrize(
    ("days", "a_day", "words"),
    [
        (range(6), 50, "at least 7 days side by side (so far 6) come first"),
        (range(14), 0, "the current version and the candidate get no requests at present"),
        (range(14), 0.01, "not with this traffic: it would take more than 180 days"),
    ],
)
def test_where_nothing_can_be_foretold_it_says_why(days: range, a_day: float, words: str) -> None:
    found = compare(
        strata=[stratum(arm(0.75, n=120, days=days), arm(0.76, n=120, days=days))],
        thresholds=quality_only(),
        per_day=PerDay(current=a_day, candidate=a_day),
    )
    assert found.needed is not None
    assert found.needed.words == words


def test_without_a_shared_task_nothing_is_compared() -> None:
    strata = [stratum(arm(0.75), arm(0.9, n=0, usd=None), task="extract")]
    found = compare(
        strata=strata, thresholds=quality_only(), per_day=PerDay(current=10, candidate=10)
    )
    assert found.verdict is Verdict.NOT_ENOUGH_DATA
    assert (found.estimate, found.interval) == (None, None)
    assert found.sentence == "Not enough data: no task has scores of both versions"


def test_a_change_of_mix_is_no_improvement() -> None:
    """Simpson's paradox: better on no task, although its mean over all requests is."""
    strata = [
        stratum(arm(0.9, n=1000), arm(0.9, n=9000), task="easy"),
        stratum(arm(0.5, n=9000), arm(0.5, n=1000), task="hard"),
    ]
    found = compare(strata=strata, thresholds=quality_only())
    assert found.estimate == pytest.approx(0.0, abs=1e-12)
    assert WarningCode.POPULATION_SHIFT in {caution.code for caution in found.warnings}


def test_a_task_that_got_worse_blocks_whatever_the_average_says() -> None:
    strata = [
        stratum(arm(0.7, n=9000), arm(0.8, n=9000), task="summarise"),
        stratum(arm(0.9), arm(0.6), task="extract"),
    ]
    found = compare(strata=strata, thresholds=quality_only())
    assert found.verdict is Verdict.BETTER
    assert found.decision is Decision.BLOCKED
    assert found.worse_tasks == ("extract",)
    assert found.headline.startswith("BLOCKED (worse on extract): Better: ")


def test_a_slice_that_got_worse_blocks_whatever_the_average_says() -> None:
    german = Slice(name="language=de", strata=(stratum(arm(0.8, n=500), arm(0.6, n=500)),))
    found = compare(
        strata=[stratum(arm(0.75), arm(0.85))], thresholds=quality_only(), slices=[german]
    )
    assert found.decision is Decision.BLOCKED
    assert found.worse_slices == ("language=de",)


def test_more_slices_ask_for_more_proof_each() -> None:
    part = (stratum(arm(0.75, n=300), arm(0.72, n=300)),)
    alone = compare(
        strata=part, thresholds=quality_only(), slices=[Slice(name="a", strata=part)]
    ).slices[0]
    among = compare(
        strata=part,
        thresholds=quality_only(),
        slices=[Slice(name=str(number), strata=part) for number in range(20)],
    )
    assert alone.judgement.low is not None
    assert among.slices[0].judgement.low is not None
    assert among.slices[0].judgement.low < alone.judgement.low
    assert "20 slices alpha / 20 each" in among.alpha_split


def test_unscored_requests_are_no_zeros() -> None:
    found = compared(0.75, 0.85, scored=210)
    assert (found.quality.n_current, found.quality.coverage_current) == (210, 0.1)
    assert found.quality.current == Decimal("0.75")
    assert [caution.code for caution in found.warnings] == [WarningCode.LOW_QUALITY_COVERAGE]
    assert found.warnings[0].text.startswith("only 10% of the answered requests have a score")


def test_traffic_without_evidence_holds_an_upgrade_back() -> None:
    strata = [
        stratum(arm(0.75, n=8400), arm(0.85, n=8400)),
        stratum(arm(0.75), arm(0.75, n=0, usd=None), task="extract"),
    ]
    found = compare(strata=strata, thresholds=quality_only())
    assert (found.uncovered_tasks, found.uncovered_share) == (("extract",), 0.2)
    assert found.decision is Decision.NOT_ENOUGH_EVIDENCE
    assert found.reasons == ("20% of the traffic is on tasks without evidence",)


def test_another_split_than_was_meant_is_a_warning_and_no_upgrade() -> None:
    found = compare(
        strata=[stratum(arm(0.75), arm(0.85))],
        thresholds=quality_only(),
        split=Split(expected_share=Decimal("0.5"), current=1400, candidate=600),
    )
    assert [caution.code for caution in found.warnings] == [WarningCode.SAMPLE_RATIO_MISMATCH]
    assert "got 30.0% of the requests instead of 50.0%" in found.warnings[0].text
    assert found.decision is Decision.NOT_ENOUGH_EVIDENCE


def test_not_worse_is_enough_when_no_rise_is_asked_for() -> None:
    assert compared(0.75, 0.75).decision is Decision.UPGRADE


def test_not_worse_is_not_enough_when_a_rise_is_asked_for() -> None:
    asked = quality_only(min_quality_improvement=Decimal("0.02"))
    found = compared(0.75, 0.765, thresholds=asked, n=400)
    assert found.verdict is Verdict.NOT_WORSE
    assert found.decision is Decision.NOT_ENOUGH_EVIDENCE
    assert found.reasons[0].startswith("not worse, but better is not shown yet: ")


def test_a_rise_that_can_no_longer_reach_the_threshold_ends_the_wait() -> None:
    asked = quality_only(min_quality_improvement=Decimal("0.1"))
    found = compared(0.75, 0.75, thresholds=asked)
    assert found.decision is Decision.STAY
    assert found.reasons == ("quality surely rose by less than the 10.0% asked for",)


def test_a_little_worse_is_a_reason_to_stay_and_no_alarm() -> None:
    found = compared(0.75, 0.745, n=100_000)
    assert found.verdict is Verdict.WORSE
    assert found.decision is Decision.STAY
    assert found.reasons == ("quality is a little worse, by less than the margin",)


def test_a_move_from_quality_zero_has_no_relative_rise() -> None:
    found = compared(0.0, 0.5)
    assert found.quality.relative is None
    assert found.decision is Decision.UPGRADE


def test_each_task_comes_once() -> None:
    with pytest.raises(ValueError, match="once"):
        compare(strata=[stratum(arm(0.7), arm(0.8))] * 2, thresholds=quality_only())


def test_it_can_be_stored_and_hashed() -> None:
    def as_text() -> str:
        found = compare(
            strata=[stratum(arm(0.75, errors=3), arm(0.85, errors=2))], thresholds=Thresholds()
        )
        return json.dumps(found.as_dict(), allow_nan=False)

    assert as_text() == as_text()
    stored = json.loads(as_text())
    assert stored["quality"]["current"] == "0.75"
    assert stored["verdict"] == "better"
    assert stored["headline"].startswith("UPGRADE: Better: ")


@pytest.mark.parametrize(
    "wrong", [{"not_worse_margin": Decimal("-0.1")}, {"alpha": 0.0}, {"alpha": 1.5}]
)
def test_thresholds_outside_their_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"threshold|alpha"):
        Thresholds(**wrong)  # type: ignore[arg-type]


def test_a_split_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Split(expected_share=Decimal("1"), current=1, candidate=1)
