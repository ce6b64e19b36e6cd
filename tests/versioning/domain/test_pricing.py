"""What a request costs: exact, never below nothing, nothing counted twice, unknown by part."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain import pricing
from versioning.domain.pricing import Part, Price, PriceList, Unknown, Usage, price_list

TOKEN_PARTS = [part for part in Part if part is not Part.REQUEST]
tokens = st.none() | st.integers(0, 10**6)
usages = st.builds(
    Usage,
    input=tokens, output=tokens, cached=tokens, cache_write=tokens, cache_write_1h=tokens,
    reasoning=tokens, input_audio=tokens, input_image=tokens, output_audio=tokens,
    output_image=tokens, tier=st.just(""),
)  # fmt: skip
usd = st.decimals(0, 1000, places=4)


@st.composite
def price_lists(draw: st.DrawFn, parts: list[Part] = list(Part)) -> PriceList:  # noqa: B006
    told = draw(st.lists(st.sampled_from(parts), unique=True))
    return PriceList(tuple(Price(part, draw(usd)) for part in told))


full_lists = st.builds(
    lambda prices: PriceList(tuple(map(Price, Part, prices))),
    st.lists(usd, min_size=len(Part), max_size=len(Part)),
)


@given(usages, st.booleans())
def test_no_token_counts_twice_and_none_is_lost(usage: Usage, apart: bool) -> None:
    whole = usage.whole(apart=apart)
    amounts = whole.amounts()
    assert all(amount is None or amount >= 0 for amount in amounts.values())
    for side, total in (("input", whole.input), ("output", whole.output)):
        inputs = {Part.INPUT, *pricing.INPUT_PARTS}
        of_side = [n for part, n in amounts.items() if (part in inputs) == (side == "input")]
        assert total is None or sum(n or 0 for n in of_side) == total


@given(usages, st.booleans())
def test_a_part_that_is_larger_than_its_side_was_counted_beside_it(
    usage: Usage, apart: bool
) -> None:
    whole = usage.whole(apart=apart)
    if whole.input is not None:
        assert (whole.cached or 0) + (whole.cache_write or 0) <= whole.input
    if whole.output is not None:
        assert (whole.reasoning or 0) <= whole.output
    assert whole.whole() == whole


@given(usages, price_lists())
def test_a_cost_is_exact_and_never_below_nothing(usage: Usage, prices: PriceList) -> None:
    cost = prices.cost(usage.whole())
    if isinstance(cost, Decimal):
        assert cost >= 0
        assert cost == round(cost, 12)
    else:
        assert cost.parts
        assert "unknown" in cost.sentence


@given(usages, full_lists)
def test_with_all_prices_and_both_sides_nothing_is_unknown(usage: Usage, prices: PriceList) -> None:
    cost = prices.cost(usage.whole())
    told = usage.input is not None and usage.output is not None
    assert isinstance(cost, Decimal) or not told


@given(usages, full_lists, st.sampled_from(TOKEN_PARTS), usd)
def test_a_dearer_price_never_makes_a_request_cheaper(
    usage: Usage, prices: PriceList, part: Part, more: Decimal
) -> None:
    dearer = PriceList(
        tuple(Price(p.part, p.usd + more) if p.part is part else p for p in prices.prices)
    )
    cheap, dear = prices.cost(usage.whole()), dearer.cost(usage.whole())
    if isinstance(cheap, Decimal) and isinstance(dear, Decimal):
        assert dear >= cheap


@given(usages, full_lists, st.integers(1, 1000))
def test_more_tokens_never_cost_less(usage: Usage, prices: PriceList, more: int) -> None:
    if usage.input is None or usage.output is None:
        return
    longer = Usage(input=usage.input + more, output=usage.output + more)
    shorter = Usage(input=usage.input, output=usage.output)
    assert prices.cost(longer) >= prices.cost(shorter)  # type: ignore[operator]


@given(usages, full_lists)
def test_one_price_for_all_is_the_same_as_tokens_at_that_price(
    usage: Usage, prices: PriceList
) -> None:
    flat = PriceList(tuple(Price(part, Decimal(2)) for part in TOKEN_PARTS))
    whole = usage.whole()
    if whole.input is not None and whole.output is not None:
        assert flat.cost(whole) == Decimal(2) * (whole.input + whole.output) / 10**6


def prices(**usd: str | int) -> PriceList:
    return PriceList(tuple(Price(Part(part), Decimal(price)) for part, price in usd.items()))


STEPS = PriceList((
    Price(Part.INPUT, Decimal("1.25")), Price(Part.OUTPUT, Decimal(10)),
    Price(Part.CACHED_INPUT, Decimal("0.1")),
    Price(Part.INPUT, Decimal("2.5"), above=200_000),
    Price(Part.OUTPUT, Decimal(15), above=200_000),
))  # fmt: skip


TWO_STEPS = PriceList((
    Price(Part.INPUT, Decimal(1)), Price(Part.INPUT, Decimal(2), above=100_000),
    Price(Part.INPUT, Decimal(4), above=200_000), Price(Part.OUTPUT, Decimal(0)),
    Price(Part.OUTPUT, Decimal(0), above=100_000), Price(Part.OUTPUT, Decimal(0), above=200_000),
))  # fmt: skip
FREE_AT_FIRST = PriceList((
    Price(Part.INPUT, Decimal(0)), Price(Part.INPUT, Decimal(1), above=200_000),
    Price(Part.OUTPUT, Decimal(1)),
))  # fmt: skip


@pytest.mark.parametrize(
    ("price_list", "usage", "cost"),
    [
        (prices(input=3, output=15, cached_input="0.3"),
         Usage(130_213, 100, cached=128_955), "0.0439605"),
        (prices(input=3, output=15), Usage(100, 10, cached=1), ["cached_input"]),
        (prices(input=3, output=15), Usage(100, 10, cache_write=1), ["cache_write"]),
        (prices(input=0, output=0), Usage(100, 10, cached=50, cache_write=9), "0"),
        (prices(input=0, output=5), Usage(100, 10, cached=50), "0.00005"),
        (prices(input=3, output=15), Usage(None, 10), ["input"]),
        (prices(input=3, output=15), Usage(100, None), ["output"]),
        (prices(input="0.13", output=0), Usage(400_000, None), "0.052"),
        (prices(input="0.13"), Usage(400_000, 0), "0.052"),
        (prices(), Usage(1, 1), ["input", "output"]),
        (prices(input=3, output=15, reasoning=20), Usage(0, 100, reasoning=60), "0.0018"),
        (prices(input=3, output=15), Usage(0, 100, reasoning=60), "0.0015"),
        (prices(input=3, output=15), Usage(100, 0, input_image=60), "0.0003"),
        (prices(input=3, output=15), Usage(100, 0, input_audio=60), ["input_audio"]),
        (prices(input=3, output=15, input_audio=30), Usage(100, 0, input_audio=60), "0.00192"),
        (prices(input=3, output=15, request="0.005"), Usage(0, 0), "0.005"),
        (prices(input=3, output=15), Usage(1, 1, tier="batch"), ["batch_prices"]),
        (prices(input=3, output=15), Usage(1000, 0, tier="Default"), "0.003"),
        (prices(input=0, output=0), Usage(None, None, tier="flex"), "0"),
        (STEPS, Usage(300_000, 1_000), "0.765"),
        (STEPS, Usage(200_000, 1_000), "0.26"),
        (STEPS, Usage(200_001, 0), "0.5000025"),
        (STEPS, Usage(300_000, 1_000, cached=5), ["cached_input"]),
        (STEPS, Usage(None, 1_000), ["input", "output"]),
        (TWO_STEPS, Usage(100_000, 1), "0.1"),
        (TWO_STEPS, Usage(150_000, 1), "0.3"),
        (TWO_STEPS, Usage(250_000, 1), "1"),
        (FREE_AT_FIRST, Usage(100_000, 0), "0"),
        (FREE_AT_FIRST, Usage(None, 0), ["input"]),
    ],
)  # fmt: skip
def test_the_cost_of(price_list: PriceList, usage: Usage, cost: str | list[str]) -> None:
    found = price_list.cost(usage.whole())
    if isinstance(cost, list):
        assert isinstance(found, Unknown)
        assert sorted(found.parts) == cost
    else:
        assert found == Decimal(cost)


@pytest.mark.parametrize(
    "value",
    [
        5, "text", {}, [5], [{}], [{"part": "input"}], [{"part": "soul", "usd": "1"}],
        [{"part": "reasoning", "usd": "-1"}], [{"part": "reasoning", "usd": "NaN"}],
        [{"part": "reasoning", "usd": True}], [{"part": "reasoning", "usd": "1", "unit": "k"}],
        [{"part": "reasoning", "usd": 1}] * 2, [{"part": "input", "usd": "1"}],
        [{"part": "input", "usd": "1", "above": -1}], [{"part": "input", "usd": "1", "tier": "X"}],
        [{"part": [], "usd": "1"}], [{"part": "reasoning", "usd": "1e9"}],
    ],
)  # fmt: skip
def test_what_is_no_list_of_prices_is_said(value: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        pricing.further_prices(value)


@given(price_lists([p for p in Part if p not in {Part.INPUT, Part.OUTPUT, Part.CACHED_INPUT}]))
def test_prices_come_back_from_json(price_list: PriceList) -> None:
    back = pricing.further_prices(pricing.as_json(price_list.prices))
    assert sorted(back, key=lambda p: p.part) == sorted(price_list.prices, key=lambda p: p.part)


@given(
    st.decimals(0, 100, places=3),
    st.decimals(0, 100, places=3),
    st.decimals(0, 100, places=3),
    st.integers(0, 400_000),
    st.integers(0, 10_000),
    st.data(),
)
def test_no_chat_costs_more_than_the_most_that_is_said_before(
    input: Decimal, output: Decimal, other: Decimal, tokens: int, answer: int, data: st.DataObject
) -> None:
    """Whatever of its tokens turns out to be cached or reasoning."""
    prices = price_list(
        input=input,
        output=output,
        cached_input=other,
        others=[
            {"part": "reasoning", "usd": f"{other}"},
            {"part": "input", "usd": f"{other * 2}", "above": 200_000},
            {"part": "output", "usd": f"{other}", "above": 200_000},
            {"part": "request", "usd": "0.01"},
        ],
    )
    most = prices.most(input=tokens, output=answer)
    cost = prices.cost(
        Usage(
            input=tokens,
            output=answer,
            cached=data.draw(st.integers(0, tokens)),
            reasoning=data.draw(st.integers(0, answer)),
        )
    )
    assert most is not None
    assert isinstance(cost, Unknown) or cost <= most


def test_two_prices_are_enough_to_know_the_most() -> None:
    plain = price_list(input=Decimal(1), output=Decimal(3))
    assert plain.most(input=1_000, output=100) == Decimal("0.0013")
    with_fee = prices(input=1, output=3, request="0.5")
    assert with_fee.most(input=1_000, output=100) == Decimal("0.5013")


def test_the_most_is_unknown_where_a_side_has_no_price() -> None:
    assert price_list(input=Decimal(1), output=None).most(input=1, output=1) is None


@pytest.mark.parametrize(
    ("told", "whole"),
    [
        # What is as large as its side may be all of it; what is larger was counted beside it.
        (Usage(10, 5, cached=10), Usage(10, 5, cached=10)),
        (Usage(10, 5, cached=11), Usage(21, 5, cached=11)),
        (Usage(10, 5, reasoning=5), Usage(10, 5, reasoning=5)),
        (Usage(10, 5, reasoning=6), Usage(10, 11, reasoning=6)),
        (Usage(10, 0, cached=1), Usage(10, 0, cached=1)),
        # Written for an hour is written.
        (Usage(10, 5, cache_write_1h=4), Usage(10, 5, cache_write=4, cache_write_1h=4)),
        (
            Usage(10, 5, cache_write=6, cache_write_1h=4),
            Usage(10, 5, cache_write=6, cache_write_1h=4),
        ),
    ],
)
def test_parts_counted_beside_their_side(told: Usage, whole: Usage) -> None:
    assert told.whole() == whole


def test_what_is_kept_for_an_hour_is_part_of_what_is_written() -> None:
    amounts = Usage(10, 0, cached=1, cache_write=6, cache_write_1h=4).amounts()
    assert {part: n for part, n in amounts.items() if n} == {
        Part.CACHED_INPUT: 1,
        Part.CACHE_WRITE_1H: 4,
        Part.CACHE_WRITE: 2,
        Part.INPUT: 3,
    }


@pytest.mark.parametrize(
    ("usage", "untold"),
    [
        (Usage(0, 0), True),
        (Usage(0, None), False),
        (Usage(None, 0), False),
        (Usage(1, 0), False),
        (Usage(0, 1), False),
    ],
)
def test_nothing_on_both_sides_is_untold(usage: Usage, untold: bool) -> None:
    assert usage.is_untold is untold


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [("1", "250", True), ("250", "1", True), ("1", "249.9", False), ("0", "9", False)],
)
def test_prices_of_another_unit_are_far_apart(one: str, other: str, far: bool) -> None:
    assert pricing.are_far_apart(Decimal(one), Decimal(other)) is far
    assert not pricing.are_far_apart(None, Decimal(other))
    assert not pricing.are_far_apart(Decimal(one), None)


def test_the_ends_of_what_a_price_may_be() -> None:
    dearest = {"part": "reasoning", "usd": "10000", "above": 10**9 - 1, "tier": "a" * 40}
    (price,) = pricing.further_prices([dearest])
    assert (price.usd, price.above, price.tier) == (10_000, 10**9 - 1, "a" * 40)
    for part, value in (("usd", "10000.01"), ("above", 10**9), ("tier", "a" * 41)):
        with pytest.raises(ValueError, match=f"^{part} is"):
            pricing.further_prices([{**dearest, part: value}])
    many = [{"part": "reasoning", "usd": "1", "above": above} for above in range(101)]
    assert len(pricing.further_prices(many[:100])) == 100
    with pytest.raises(ValueError, match="at most 100 prices"):
        pricing.further_prices(many)


def test_steps_and_tiers_come_back_from_json_and_nothing_else_is_written() -> None:
    told = [
        {"part": "input", "usd": "2.5", "above": 200_000},
        {"part": "input", "usd": "0.5", "tier": "batch"},
        {"part": "reasoning", "usd": "3"},
    ]
    read = pricing.further_prices(told)
    assert sorted(pricing.as_json(read), key=str) == sorted(told, key=str)
    assert set(pricing.whole_list(pricing.as_json(read))) == set(read)


@pytest.mark.parametrize("usd", [0.1, "0.1", Decimal("0.1")])
def test_a_price_is_the_decimal_that_was_written(usd: Any) -> None:
    (price,) = pricing.further_prices([{"part": "reasoning", "usd": usd}])
    assert price.usd == Decimal("0.1")


def test_what_is_no_part_is_repeated_cut_short() -> None:
    with pytest.raises(ValueError, match=r"not s{40}\.$"):
        pricing.further_prices([{"part": "s" * 41, "usd": "1"}])
