"""Single fields of an answer: unknown stays unknown, whatever comes."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import BadItem
from providers.http import fields

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(ANYTHING)
def test_no_value_makes_a_reader_fail(value: Any) -> None:
    assert isinstance(fields.read_text(value), str)
    assert isinstance(fields.read_words(value), tuple)
    count, price, day = fields.read_count(value), fields.read_cost(value), fields.read_day(value)
    assert count is None or count >= 1
    assert price is None or price >= 0
    assert day is None or date(1990, 1, 1) <= day < date(2090, 1, 1)


@given(ANYTHING)
def test_an_id_is_short_and_printable_or_refused(value: Any) -> None:
    try:
        found = fields.read_id({"id": value}, "id")
    except BadItem:
        return
    assert found == found.strip()
    assert found.isprintable()
    assert 1 <= len(found) <= fields.LONGEST_ID


@given(st.text())
def test_an_answer_can_be_stored(text: str) -> None:
    kept = fields.read_answer(text + "\0\ud800")
    assert kept.encode()
    assert "\0" not in kept


def test_an_answer_keeps_its_line_breaks() -> None:
    assert fields.read_answer(" a\n\tb ") == " a\n\tb "


@pytest.mark.parametrize(
    ("told", "per_tokens", "price"),
    [
        ("0.00000004", 1, "0.04"),
        (4e-08, 1, "0.04"),
        ("0", 1, "0"),
        (0.27, 1_000_000, "0.27"),
        ("3", 1_000_000, "3"),
        ("1.5", 1_000, "1500"),
    ],
)
def test_a_price_is_usd_per_million(told: Any, per_tokens: int, price: str) -> None:
    assert fields.read_price(told, per_tokens=per_tokens) == Decimal(price)


@pytest.mark.parametrize(
    "told", ["-1", -1, None, "", "free", "NaN", "Infinity", True, [], {}, "1e400", "9" * 50]
)
def test_a_price_that_is_not_told_is_unknown(told: Any) -> None:
    assert fields.read_price(told, per_tokens=1) is None


@pytest.mark.parametrize(
    "told",
    [
        1_738_281_600,
        1_738_281_600.0,
        1_738_281_600_000,
        "1738281600",
        "2025-01-31",
        "2025-01-31T00:00:00Z",
        "2025-01-31T23:30:00.123456+00:00",
        "2025-02-01T00:30:00+01:00",
        "20250131",
    ],
)
def test_a_day_comes_in_many_spellings(told: Any) -> None:
    assert fields.read_day(told) == date(2025, 1, 31)


@pytest.mark.parametrize(
    "told",
    [0, "0", "1970-01-01T00:00:00Z", "1970-01-01", "2098-12-31", "9999-12-31T23:59:59Z",
     "0001-01-01T00:00:00+14:00", "soon", "2025-13-01", "", None, True, -1, 1e300, float("nan")],
)  # fmt: skip
def test_a_placeholder_is_no_day(told: Any) -> None:
    assert fields.read_day(told) is None


@given(st.dates(date(1990, 1, 2), date(2089, 12, 30)))
def test_epoch_and_text_mean_the_same_day(day: date) -> None:
    moment = datetime.combine(day, time(23, 59), UTC)
    assert fields.read_day(moment.isoformat()) == day
    assert fields.read_day(int(moment.timestamp())) == day


@pytest.mark.parametrize(
    ("told", "count"),
    [(8192, 8192), ("8192", 8192), (8192.0, 8192), (0, None), (-1, None), (True, None),
     ("many", None), (10**13, None), (None, None)],
)  # fmt: skip
def test_a_limit_is_at_least_one(told: Any, count: int | None) -> None:
    assert fields.read_count(told) == count


def test_words_come_once_and_in_their_order() -> None:
    assert fields.read_words(["b", "a", "b", "", None, 3]) == ("b", "a")


def test_text_is_cut_and_has_no_control_characters() -> None:
    assert fields.read_text("a\0b\x1b\nc") == "ab\nc"
    assert len(fields.read_text("x" * 10_000)) == fields.LONGEST_TEXT


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("Generally Available", "active"),
        ("early access", "preview"),
        ("research-preview", "preview"),
        ("releaseCandidate", "preview"),
        ({"status": "LEGACY"}, "legacy"),
        ({"stage": "Retired"}, "retired"),
        ({"value": {"status": "deprecated"}}, ""),
        ("superseded", "legacy"),
        ("phasing_out", "deprecated"),
        ("withdrawn", "retired"),
        ("blooming", ""),
        (["deprecated"], ""),
        (True, ""),
    ],
)
def test_where_a_model_stands_is_one_of_few_words(told: Any, meant: str) -> None:
    assert fields.read_lifecycle(told) == meant


@given(ANYTHING)
def test_no_value_is_a_lifecycle_that_nobody_knows(value: Any) -> None:
    words = {"", "active", "preview", "legacy", "deprecated", "retired"}
    assert fields.read_lifecycle(value) in words
    assert fields.read_lifecycle({"status": value}) in words
