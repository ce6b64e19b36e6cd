"""Prices of a listing's row: right in their unit, or unknown; never wrong and known."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.base import OtherPrice
from providers.http.prices import read_prices
from providers.openai_style import read_listing, read_model
from tests.providers.conftest import NOW

UNKNOWN = (None, None, None)


@pytest.mark.parametrize(
    ("row", "prices"),
    [
        ({"pricing": {"input": "0.00000015", "output": "0.0000006"}}, ("0.15", "0.6", None)),
        ({"pricing": {"prompt": "0.0000025", "completion": "0.00001"}}, ("2.5", "10", None)),
        ({"pricing": {"unit": "per_1m_tokens", "input": 3.2, "output": 12.8}},
         ("3.2", "12.8", None)),
        ({"pricing": {"unit": "1M tokens", "input": "1", "cached_input": 0.1}}, ("1", None, "0.1")),
        ({"pricing": {"units": "per 1K tokens", "input": 0.003}}, ("3", None, None)),
        ({"pricing": {"per": "token", "input": 0.000003}}, ("3", None, None)),
        ({"pricing": {"per": 1_000_000, "input": 3}}, ("3", None, None)),
        ({"input_price_per_million": 0.05, "output_price_per_million": "0.4"},
         ("0.05", "0.4", None)),
        ({"pricing": {"inputPerMTok": 3, "outputPerMTok": 15, "cacheReadPerMTok": 0.3}},
         ("3", "15", "0.3")),
        ({"inputPricePer1K": 0.003}, ("3", None, None)),
        ({"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
          "cache_read_input_token_cost": 3e-07}, ("3", "15", "0.3")),
        ({"pricing": {"input": 0.2, "output": 0.2, "hourly": 0, "base": 0, "finetune": 0}},
         ("0.2", "0.2", None)),
        ({"pricing": {"prompt": "0", "completion": "0"}}, ("0", "0", None)),
        ({"pricing": {"input": "0.000003", "output": "0", "input_cache_read": "0"}},
         ("3", "0", None)),
        # What can't be told, or can't be so.
        ({"pricing": {"input": "-1", "output": "-1"}}, UNKNOWN),
        ({"pricing": {"input": 0.001, "output": 0.003}}, UNKNOWN),
        ({"pricing": {"unit": "bananas", "input": 3}}, UNKNOWN),
        ({"pricing": {"unit": "per_1m_tokens", "input": "0.0000032"}}, UNKNOWN),
        ({"pricing": {"unit": "per_token", "input": 3}}, UNKNOWN),
        ({"pricing": {"currency": "EUR", "input": 3}}, UNKNOWN),
        ({"currency": "CNY", "pricing": {"input": 3}}, UNKNOWN),
        ({"input_token_price_per_m": 700, "output_token_price_per_m": 900}, UNKNOWN),
        ({"pricing": {"input": "free"}}, UNKNOWN),
        ({"pricing": [1, 2]}, UNKNOWN),
        ({"pricing": {"input": 3}, "input_price_per_million": 4}, UNKNOWN),
    ],
)  # fmt: skip
def test_a_price_of(row: dict[str, Any], prices: tuple[str | None, ...]) -> None:
    model = read_model({"id": "a", **row})
    assert model is not None
    found = (model.input_price, model.output_price, model.cached_input_price)
    assert found == tuple(None if price is None else Decimal(price) for price in prices)


def test_what_is_not_believed_is_said() -> None:
    for pricing in ({"input": 0.001}, {"unit": "x", "input": 3}, {"currency": "EUR", "input": 3}):
        assert read_prices({"pricing": pricing}).doubts


SPELLINGS = (
    (1, "{}_cost_per_token"), (1_000, "{}_price_per_1k_tokens"), (1_000_000, "{}PricePerMillion"),
    (1_000_000, "{}_per_mtok"),
)  # fmt: skip
prices = st.decimals(Decimal("0.01"), 500, places=4)


@given(prices, prices, st.sampled_from(SPELLINGS), st.booleans())
def test_a_named_unit_is_kept_to(
    price: Decimal, other: Decimal, spelling: tuple[int, str], as_text: bool
) -> None:
    per, name = spelling
    told = {side: usd * per / 1_000_000 for side, usd in (("input", price), ("output", other))}
    row = {name.format(s): f"{n:f}" if as_text else float(n) for s, n in told.items()}
    found = read_prices({"pricing": row})
    assert (found.input, found.output) == (price, other)


@given(prices, prices, st.sampled_from([1, 1_000_000]), st.booleans())
def test_without_a_unit_a_price_is_right_or_unknown(
    price: Decimal, other: Decimal, per: int, as_text: bool
) -> None:
    told = {"input": price * per / 1_000_000, "output": other * per / 1_000_000}
    row = {side: f"{n:f}" if as_text else float(n) for side, n in told.items()}
    found = read_prices({"pricing": row})
    assert found.input in (price, None)
    assert found.output in (other, None)


_DEAREST = st.decimals(Decimal("0.01"), 600, places=4)


@given(
    st.lists(st.tuples(_DEAREST, _DEAREST), min_size=1, max_size=8),
    st.sampled_from([1, 1_000, 1_000_000]),
)
@example([(Decimal(5), Decimal(200))] * 3, 1_000)  # as many that look like per million
@example([(Decimal(300), Decimal(300))] * 8, 1_000)  # more
def test_a_list_without_a_unit_is_read_right_or_not_at_all(
    listed: list[tuple[Decimal, Decimal]], per: int
) -> None:
    """A price per thousand isn't guessed, and isn't taken for one per million or per token."""
    dear = (Decimal("2.5"), Decimal(10)), (Decimal("0.02"), Decimal("0.08"))
    rows = [
        {
            "id": f"m{n}",
            "pricing": {"input": float(i * per / 10**6), "output": float(o * per / 10**6)},
        }
        for n, (i, o) in enumerate([*dear, *dear, *dear, *listed])
    ]
    for row, (i, o) in zip(
        read_listing(rows, at=NOW).models, [*dear, *dear, *dear, *listed], strict=True
    ):
        assert row.input_price in (i, None), per
        assert row.output_price in (o, None), per


def test_a_list_teaches_the_unit_of_its_rows() -> None:
    cheap = {"id": "small", "pricing": {"input": 0.02, "output": 0.04}}
    dear = {"id": "large", "pricing": {"input": 3, "output": 15}}
    (alone,) = read_listing([cheap], at=NOW).models
    assert alone.input_price is None
    assert alone.doubts
    beside, _ = read_listing([cheap, dear], at=NOW).models
    assert beside.input_price == Decimal("0.02")
    # Per thousand tokens: 0.03 would be a thousand times too low per million.
    thousands = [
        {"id": "dear", "pricing": {"input": 0.03, "output": 0.06}},
        {"id": "mini", "pricing": {"input": 0.00015, "output": 0.0006}},
    ]
    for model in read_listing(thousands, at=NOW).models:
        assert (model.input_price, model.output_price) == (None, None)
        assert model.doubts


def test_a_guess_stays_one_where_two_rows_are_one_model() -> None:
    rows = [{"id": "large"}, {"id": "large", "pricing": {"input": 3, "output": 15}}]
    for order in (rows, rows[::-1]):
        (model,) = read_listing(order, at=NOW).models
        assert (model.input_price, model.prices_guessed) == (3, True)


@given(st.one_of(st.floats(), st.integers(), st.text(max_size=20), st.none()))
def test_nothing_but_0_is_read_as_0(told: Any) -> None:
    found = read_prices({"pricing": {"unit": "per_1m_tokens", "input": told}}).input
    assert found is None or found >= Decimal("0.0001") or float(told) == 0


def test_further_prices() -> None:
    found = read_prices({
        "input_cost_per_token": "0.000003",
        "input_cost_per_token_above_200k_tokens": "0.000006",
        "cache_creation_input_token_cost": "0.00000375",
        "input_cost_per_token_batch": "0.0000015",
        "pricing": {"request": "0.005", "internal_reasoning": "0"},
    })  # fmt: skip
    assert set(found.others) == {
        OtherPrice("input", Decimal(6), above=200_000),
        OtherPrice("cache_write", Decimal("3.75")),
        OtherPrice("input", Decimal("1.5"), tier="batch"),
        OtherPrice("request", Decimal("0.005")),
    }
