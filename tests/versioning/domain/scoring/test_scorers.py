"""Each scorer: what it takes for right, what for wrong, and what it can't say."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.scoring import SCORERS, BadOptions, Output, read_uses, score_output


def score(name, text, expected="", *, latency_ms=0.0, cost_usd=None, **options):
    output = Output(text=text, latency_ms=latency_ms, cost_usd=cost_usd)
    uses = read_uses([{"scorer": name, "options": options}])
    return score_output(output=output, expected=expected, uses=uses).value


@pytest.mark.parametrize(
    ("name", "text", "expected", "options", "value"),
    [
        ("exact", " Paris\n", "Paris", {}, 1.0),
        ("exact", "paris", "Paris", {}, 0.0),
        ("normalised", '"PARIS."', "paris", {}, 1.0),
        ("normalised", "Ｐａｒｉｓ", "paris", {}, 1.0),
        ("normalised", "Paris, France", "paris", {}, 0.0),
        ("contains", "It is paris, of course", "Paris", {}, 1.0),
        ("contains", "It is paris, of course", "Paris", {"case_sensitive": True}, 0.0),
        ("regular_expression", "order 4711 is late", "", {"pattern": r"\border \d{4}\b"}, 1.0),
        ("regular_expression", "no order", "", {"pattern": r"\d"}, 0.0),
        ("regular_expression", "a1", r"^[a-z]\d$", {}, 1.0),
        ("number", "So 3 + 4 is 7.", "7", {}, 1.0),
        ("number", "The total is 1,234.5 EUR", "1234.5", {}, 1.0),
        ("number", "about 99", "100", {}, 0.0),
        ("number", "about 99", "100", {"relative": 0.01}, 1.0),
        ("number", "about 98.9", "100", {"relative": 0.01}, 0.0),
        ("number", "none", "100", {}, 0.0),
        ("number", "−5", "-5", {}, 1.0),
        ("json", '{"a": 1}', "", {}, 1.0),
        ("json", '```json\n{"a": 1}\n```', "", {}, 0.0),
        ("json", '```json\n{"a": 1}\n```', "", {"allow_fence": True}, 1.0),
        ("json", "NaN", "", {}, 0.0),
        ("json_schema", '{"age": 7}', "", {"schema": {"required": ["age"]}}, 1.0),
        ("json_schema", "{}", "", {"schema": {"required": ["age"]}}, 0.0),
        ("similarity", "kitten", "kitten", {}, 1.0),
        ("similarity", "b a", "a b", {"ignore_order": True, "at_least": 1}, 1.0),
        ("similarity", "kitten", "sitting", {"at_least": 0.9}, 0.0),
    ],
)
def test_scores(name, text, expected, options, value):
    assert score(name, text, expected, **options) == value


def test_these_come_with_hotswap():
    assert {"exact", "json_schema", "latency", "cost", "similarity"} <= set(SCORERS)


def test_limits():
    assert score("latency", "", latency_ms=900, limit_ms=1000) == 1.0
    assert score("latency", "", latency_ms=1001, limit_ms=1000) == 0.0
    assert score("cost", "", cost_usd=Decimal("0.01"), limit_usd=0.01) == 1.0
    assert score("cost", "", cost_usd=Decimal("0.0101"), limit_usd=0.01) == 0.0


def test_an_unknown_price_is_not_free():
    assert score("cost", "", cost_usd=None, limit_usd=1) is None


def test_a_pattern_that_never_ends_is_stopped():
    assert score("regular_expression", "a" * 5000 + "!", pattern=r"(a|aa|a?)+$") in (None, 0.0)


def test_a_schema_fetches_nothing():
    schema = {"$ref": "http://127.0.0.1:9/schema.json"}
    assert score("json_schema", "{}", schema=schema) is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("exact", "a list"),
        (["nothing"], "no scorer 'nothing'"),
        ([{"scorer": "exact", "options": {"x": 1}}], "no option x"),
        ([{"scorer": "exact", "weight": 0}], "weight of exact"),
        ([{"scorer": "regular_expression", "options": {"pattern": "("}}], "no regular expression"),
        ([{"scorer": "json_schema", "options": {"schema": {"type": 5}}}], "no JSON schema"),
        ([{"scorer": "json_schema"}], "must be a JSON schema"),
        ([{"scorer": "latency"}], "limit_ms must be a number"),
        ([{"scorer": "latency", "options": {"limit_ms": True}}], "limit_ms must be a number"),
        ([{"scorer": "similarity", "options": {"at_least": 2}}], "from 0 to 1"),
        (["exact"] * 11, "At most 10"),
        ([{"name": "exact"}], "A scorer is a name"),
    ],
)
def test_what_can_not_be_used_is_said(written, said):
    with pytest.raises(BadOptions, match=said):
        read_uses(written)


def test_scorers_are_weighed_and_what_can_not_be_said_is_left_out():
    uses = read_uses(
        [
            {"scorer": "exact", "weight": 3},
            {"scorer": "json"},
            {"scorer": "cost", "options": {"limit_usd": 1}, "weight": 100},
        ]
    )
    found = score_output(output=Output(text="yes"), expected="yes", uses=uses)
    assert found.value == pytest.approx(0.75)
    assert "price is unknown" in found.reason


@given(text=st.text(min_size=1, max_size=200))
def test_an_answer_is_like_itself(text):
    assert score("exact", text, text) == 1.0
    assert score("normalised", text, text) == 1.0
    assert score("similarity", text, text) == 1.0
