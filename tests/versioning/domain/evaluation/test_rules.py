"""Outcomes, estimates, parameter maps, the preflight and the judge's word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.evaluation import judging
from versioning.domain.evaluation.estimate import Seen, most_tokens, usual_tokens
from versioning.domain.evaluation.judging import JudgeAnswer, Preference
from versioning.domain.evaluation.outcome import Outcome, outcome_of
from versioning.domain.evaluation.parameters import BadMap, ParameterMap, read_map
from versioning.domain.evaluation.preflight import Fit, Takes, Uses, preflight


@pytest.mark.parametrize(
    ("text", "finish", "outcome"),
    [
        ("yes", "stop", Outcome.COMPLETE),
        ("  ", "stop", Outcome.EMPTY),
        ("ye", "length", Outcome.CUT_OFF),
        ("", "length", Outcome.CUT_OFF),
        ("I can't", "refusal", Outcome.REFUSED),
        ("", "refusal", Outcome.REFUSED),
    ],
)
def test_outcomes_are_told_apart(text, finish, outcome):
    assert outcome_of(text=text, finish=finish) is outcome


messages = st.lists(
    st.fixed_dictionaries({"role": st.just("user"), "content": st.text(max_size=300)}),
    min_size=1,
    max_size=4,
)


@given(messages, st.integers(1, 5000), st.none() | st.floats(0, 10_000))
def test_what_a_request_usually_takes_is_never_above_the_most(asked, limit, seen):
    usual = usual_tokens(asked, max_tokens=limit, seen=Seen(output_tokens=seen))
    most = most_tokens(asked, max_tokens=limit)
    assert usual.input <= most.input
    assert usual.output <= most.output == limit


def test_a_parameter_map_renames_drops_and_fills():
    mapped = ParameterMap(
        rename={"max_tokens": "max_completion_tokens"}, drop=("top_k",), default={"seed": 1}
    )
    given = {"max_tokens": 5, "top_k": 3, "temperature": 0}
    assert mapped.apply(given) == {"max_completion_tokens": 5, "temperature": 0, "seed": 1}
    assert read_map(mapped.as_dict()) == mapped
    assert read_map({}).apply(given) == given


@pytest.mark.parametrize(
    "written",
    [[], {"other": 1}, {"rename": {"a": 1}}, {"rename": {"a": "c", "b": "c"}}, {"drop": "a"}],
)
def test_a_bad_parameter_map_is_refused(written):
    with pytest.raises(BadMap):
        read_map(written)


def test_the_preflight_says_what_must_change_first():
    rows = preflight(
        uses=Uses(
            parameters={"top_k": 0.4, "seed": 1.0, "temperature": 1.0},
            modalities={"text": 1.0},
            capabilities={"tools": 0.1},
            longest_input=9_000,
            longest_output=1_000,
        ),
        takes=Takes(
            parameters=("seed",),
            modalities=("text", "image"),
            context_tokens=8_192,
            output_tokens=4_096,
        ),
        mapping=ParameterMap(),
    )
    assert [(row.what, row.fit) for row in rows[:3]] == [
        ("context length", Fit.MUST_CHANGE),
        ("top_k", Fit.MUST_CHANGE),
        ("tools", Fit.UNKNOWN),
    ]
    assert rows[1].sentence == "It doesn't take top_k, which 40% of requests use."


def test_a_parameter_map_puts_it_right():
    (row, *_) = preflight(
        uses=Uses(parameters={"top_k": 0.4}, modalities={}, capabilities={}),
        takes=Takes(parameters=("seed",), context_tokens=10, output_tokens=10),
        mapping=ParameterMap(drop=("top_k",)),
    )
    assert row.fit is Fit.OK


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('{"better": "first", "reason": "It is right."}', JudgeAnswer("first", "It is right.")),
        ('Well: {"better": "Same"} so', JudgeAnswer("same", "")),
        ('{"better": "third"}', None),
        ("first", None),
    ],
)
def test_the_word_of_a_judge(text, word):
    assert judging.read_word(text) == word


@pytest.mark.parametrize(
    ("straight", "swapped", "found"),
    [
        ("second", "first", Preference.CANDIDATE),
        ("first", "second", Preference.CURRENT),
        ("first", "first", Preference.SAME),  # it only likes the first place
        ("same", "first", Preference.SAME),
    ],
)
def test_a_judge_that_follows_the_order_says_nothing(straight, swapped, found):
    assert (
        judging.preference(straight=JudgeAnswer(straight, ""), swapped=JudgeAnswer(swapped, ""))
        is found
    )


def test_agreement_counts_marks_of_people():
    same = (Preference.SAME, Preference.SAME)
    other = (Preference.SAME, Preference.CURRENT)
    assert judging.agreement([same, same, other]).share == pytest.approx(2 / 3)
    assert judging.agreement([]).share is None
