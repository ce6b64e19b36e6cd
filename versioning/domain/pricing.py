"""What a request costs: its tokens, split so that none counts twice, at the prices of its parts.

Everything is exact: Decimal, in and out. What can't be known says which part of it is missing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

_NOTHING = Decimal(0)
MOST_PRICE = Decimal(10_000)
"""USD per million tokens: no model is known that costs more. A price of 0 is a price."""

FARTHEST = 250
"""Two prices of the same thing that differ by this factor aren't both right: one is in another
unit, per thousand tokens or per token most likely. A price may have moved meanwhile, so it needn't
be a thousand."""

MOST_PRICES = 100


class Part(StrEnum):
    """What may have a price of its own. Tokens of several parts of one side don't overlap."""

    INPUT = "input"
    CACHED_INPUT = "cached_input"
    CACHE_WRITE = "cache_write"
    CACHE_WRITE_1H = "cache_write_1h"
    INPUT_AUDIO = "input_audio"
    INPUT_IMAGE = "input_image"
    OUTPUT = "output"
    REASONING = "reasoning"
    OUTPUT_AUDIO = "output_audio"
    OUTPUT_IMAGE = "output_image"
    REQUEST = "request"
    """A fee for each request, whatever its tokens."""


INPUT_PARTS = (
    Part.CACHED_INPUT,
    Part.CACHE_WRITE,
    Part.CACHE_WRITE_1H,
    Part.INPUT_AUDIO,
    Part.INPUT_IMAGE,
)
"""The parts of the input beside the plain one."""

_STANDARD_TIERS = frozenset({"", "standard", "default", "auto", "on_demand", "on-demand"})
_STANDS_IN = {Part.REASONING: Part.OUTPUT, Part.INPUT_IMAGE: Part.INPUT}
"""Parts that are charged like the rest of their side where nothing else is told."""

_BASE = {
    Part.CACHED_INPUT: Part.INPUT,
    Part.CACHE_WRITE: Part.INPUT,
    Part.CACHE_WRITE_1H: Part.INPUT,
    Part.INPUT_AUDIO: Part.INPUT,
    Part.OUTPUT_AUDIO: Part.OUTPUT,
    Part.OUTPUT_IMAGE: Part.OUTPUT,
}
"""Parts whose own price is needed, except where their side costs nothing."""


class Usage(NamedTuple):
    """The tokens of one request; None is untold.

    ``input`` and ``output`` are all tokens of their side, the parts included.
    """

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    """All that was written to the cache, for however long."""
    cache_write_1h: int | None = None
    """Those of them that are kept for an hour."""
    reasoning: int | None = None
    input_audio: int | None = None
    input_image: int | None = None
    output_audio: int | None = None
    output_image: int | None = None
    tier: str = ""
    """Such as batch or flex; empty for the usual one."""

    def whole(self, *, apart: bool = False) -> Usage:
        """Return the same with parts that were counted beside their side counted into it.

        Some providers count cached and written tokens beside the input, some count reasoning
        beside the output. What is larger than its whole can't be a part of it; ``apart`` says
        that the cache is known to be counted beside the input.
        """
        if not (self.cached or self.cache_write or self.cache_write_1h or self.reasoning):
            return self
        write = _most(self.cache_write, self.cache_write_1h)
        told = self if write == self.cache_write else self._replace(cache_write=write)
        in_cache = (self.cached or 0) + (write or 0)
        if self.input is not None and in_cache and (apart or in_cache > self.input):
            told = told._replace(input=self.input + in_cache)
        if self.output is not None and (self.reasoning or 0) > self.output:
            told = told._replace(output=self.output + (self.reasoning or 0))
        return told

    @property
    def is_untold(self) -> bool:
        """Whether it says 0 on both sides, as clients do that were told nothing of a stream."""
        return self.input == 0 and self.output == 0

    @property
    def _has_parts(self) -> bool:
        return bool(
            self.cached
            or self.cache_write
            or self.cache_write_1h
            or self.reasoning
            or self.input_audio
            or self.input_image
            or self.output_audio
            or self.output_image
        )

    def amounts(self) -> dict[Part, int | None]:
        """Return the tokens of each part without overlap; they add up to input and output.

        A side that is untold is None in its first part.
        """
        if not self._has_parts:
            return {Part.INPUT: self.input, Part.OUTPUT: self.output}
        write_1h = self.cache_write_1h or 0
        inputs = (
            (Part.CACHED_INPUT, self.cached),
            (Part.CACHE_WRITE_1H, write_1h),
            (Part.CACHE_WRITE, max(0, (self.cache_write or 0) - write_1h)),
            (Part.INPUT_AUDIO, self.input_audio),
            (Part.INPUT_IMAGE, self.input_image),
        )
        outputs = (
            (Part.REASONING, self.reasoning),
            (Part.OUTPUT_AUDIO, self.output_audio),
            (Part.OUTPUT_IMAGE, self.output_image),
        )
        return {
            **dict(_split(Part.INPUT, self.input, inputs)),
            **dict(_split(Part.OUTPUT, self.output, outputs)),
        }


@dataclass(frozen=True, slots=True)
class Price:
    """What one part costs: USD per million tokens, or per request for the part REQUEST.

    ``above`` is the number of input tokens from which it holds for the whole request.
    """

    part: Part
    usd: Decimal
    above: int = 0
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A cost that can't be told, and for which parts the price or the count is missing."""

    parts: tuple[str, ...]

    @property
    def sentence(self) -> str:
        names = " and ".join(part.replace("_", " ") for part in self.parts)
        return f"The cost is unknown: nothing tells the {names}."


_Table = Mapping[Part, Sequence[tuple[int, Decimal]]]


@dataclass(frozen=True)
class PriceList:
    """All prices of one version."""

    prices: tuple[Price, ...] = ()

    @cached_property
    def _tables(self) -> Mapping[str, _Table]:
        """Steps by tier and part, the highest first."""
        tables: dict[str, dict[Part, list[tuple[int, Decimal]]]] = {}
        for price in sorted(self.prices, key=lambda price: -price.above):
            table = tables.setdefault(price.tier, {})
            table.setdefault(price.part, []).append((price.above, price.usd))
        return tables

    @cached_property
    def _steps(self) -> Mapping[str, Sequence[int]]:
        """The numbers of input tokens of each tier beyond which other prices hold, rising."""
        return {
            tier: sorted({above for steps in table.values() for above, _ in steps if above})
            for tier, table in self._tables.items()
        }

    @cached_property
    def _rates(self) -> dict[tuple[str, Part, int], Decimal | None]:
        """Prices that were asked for already: thousands of requests ask for the same few."""
        return {}

    def _charge(
        self, tier: str, part: Part, amount: int | None, total: int | None, steps: Sequence[int]
    ) -> Decimal | None:
        """Return what so many tokens cost, in millionths of a USD; None where unknown."""
        if amount == 0:
            return _NOTHING
        if amount is None or (total is None and steps):
            told = self._tables[tier].get(part)
            return _NOTHING if told and not any(usd for _, usd in told) else None
        place = bisect_left(steps, total or 0)
        reached = steps[place - 1] if place else 0
        key = (tier, part, reached)
        if key not in self._rates:
            self._rates[key] = _rate(self._tables[tier], part, reached)
        rate = self._rates[key]
        return None if rate is None else rate * amount

    @cached_property
    def _fees(self) -> Mapping[str, Decimal]:
        """What each request costs beside its tokens, by tier; the usual fee where one has none."""
        tables = self._tables
        usual = tables.get("", {}).get(Part.REQUEST, ())
        told = {tier: table.get(Part.REQUEST, usual) for tier, table in tables.items()}
        return {tier: steps[-1][1] if steps else _NOTHING for tier, steps in told.items()}

    @cached_property
    def _costs_nothing(self) -> bool:
        parts = {price.part for price in self.prices}
        return {Part.INPUT, Part.OUTPUT} <= parts and not any(p.usd for p in self.prices)

    @property
    def known(self) -> bool:
        """Whether plain text has a price in and out."""
        return {Part.INPUT, Part.OUTPUT} <= self._tables.get("", {}).keys()

    def most(self, *, input: int, output: int) -> Decimal | None:
        """Return the most USD that a chat of so many text tokens can cost; None where unknown.

        Any of them may turn out to be cached or reasoning.
        """
        if not self.known:
            return None
        table = self._tables[""]

        def dearest(*parts: Part) -> Decimal:
            return max(
                usd for part in parts for above, usd in table.get(part, ()) if above <= input
            )

        return (
            dearest(Part.INPUT, Part.CACHED_INPUT) * input
            + dearest(Part.OUTPUT, Part.REASONING) * output
        ).scaleb(-6) + self._fees[""]

    def cost(self, usage: Usage) -> Decimal | Unknown:
        """Return what the request costs in USD, or what is missing to know it."""
        if self._costs_nothing:
            return Decimal(0)
        tier = usage.tier.lower() if usage.tier else ""
        tier = "" if tier in _STANDARD_TIERS else tier
        table = self._tables.get(tier)
        if table is None:
            return Unknown((f"{tier}_prices",) if tier else (Part.INPUT.value, Part.OUTPUT.value))
        total, missing = Decimal(0), []
        steps = self._steps[tier]
        for part, amount in usage.amounts().items():
            charge = self._charge(tier, part, amount, usage.input, steps)
            if charge is None:
                missing.append(part.value)
            else:
                total += charge
        if missing:
            return Unknown(tuple(missing))
        # Millionths of a USD: moving the point is exact, and cheaper than to divide.
        return total.scaleb(-6) + self._fees[tier]


def _rate(table: _Table, part: Part, reached: int) -> Decimal | None:
    """Return the price of a part beyond the step that a request has reached, 0 for none."""
    for above, usd in table.get(part, ()):
        if above <= reached:
            # Beyond a step, the price from before it is one that no longer holds.
            return usd if above == reached or not usd else None
    if (other := _STANDS_IN.get(part)) is not None:
        return _rate(table, other, reached)
    base = _BASE.get(part)
    return Decimal(0) if base is not None and _rate(table, base, reached) == 0 else None


def _split(
    rest: Part, whole: int | None, parts: Iterable[tuple[Part, int | None]]
) -> Iterator[tuple[Part, int | None]]:
    if whole is None:
        yield rest, None
        return
    for part, told in parts:
        amount = min(told or 0, whole)
        if amount:
            yield part, amount
        whole -= amount
    yield rest, whole


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def price_list(
    *,
    input: Decimal | None,
    output: Decimal | None,
    cached_input: Decimal | None = None,
    others: Any = (),
) -> PriceList:
    """Return the prices of a version from its columns and its further prices as JSON."""
    base = {Part.INPUT: input, Part.OUTPUT: output, Part.CACHED_INPUT: cached_input}
    return PriceList(
        (
            *(Price(part, usd) for part, usd in base.items() if usd is not None),
            *further_prices(others),
        )
    )


def further_prices(value: Any) -> tuple[Price, ...]:
    """Read prices from JSON: ``[{"part": "cache_write", "usd": "3.75"}, ...]``.

    ``above`` (input tokens) and ``tier`` may stand beside. Raises ValueError with a sentence.
    """
    if not isinstance(value, list | tuple) or len(value) > MOST_PRICES:
        raise ValueError(f"Give a list of at most {MOST_PRICES} prices.")
    prices = tuple(_price(row) for row in value)
    keys = [(price.part, price.above, price.tier) for price in prices]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"{key[0].value} has two prices for the same case.")
        if key[1:] == (0, "") and key[0] in (Part.INPUT, Part.OUTPUT, Part.CACHED_INPUT):
            raise ValueError(f"{key[0].value} has a field of its own; give above or tier here.")
    return prices


def whole_list(value: Any) -> tuple[Price, ...]:
    """Read what ``as_json`` made of all prices of a version, the usual three among them."""
    return tuple(_price(row) for row in value)


def _price(row: Any) -> Price:
    if not isinstance(row, Mapping) or not {"part", "usd"} <= row.keys() <= _FIELDS:
        raise ValueError("A price has part and usd, and above or tier where it needs them.")
    part, above, tier = row["part"], row.get("above", 0), row.get("tier", "")
    if not isinstance(part, str) or part not in set(Part):
        raise ValueError(f"part is one of {', '.join(Part)}, not {str(part)[:40]}.")
    if isinstance(above, bool) or not isinstance(above, int) or not 0 <= above < 10**9:
        raise ValueError("above is a number of input tokens.")
    if not isinstance(tier, str) or len(tier) > 40 or tier != tier.strip().lower():
        raise ValueError("tier is a short word in small letters, such as batch.")
    return Price(Part(part), _usd(row["usd"]), above, "" if tier in _STANDARD_TIERS else tier)


_FIELDS = frozenset({"part", "usd", "above", "tier"})


def _usd(value: Any) -> Decimal:
    try:
        usd = Decimal(value if isinstance(value, str) else str(value))
    except InvalidOperation:
        usd = Decimal("NaN")
    if isinstance(value, bool) or not (usd.is_finite() and 0 <= usd <= MOST_PRICE):
        raise ValueError(f"usd is a decimal from 0 to {MOST_PRICE}, such as 3.75.")
    return usd


def as_json(prices: Iterable[Price]) -> list[dict[str, Any]]:
    """Return prices as JSON keeps them, in one order."""
    return [
        {
            "part": price.part.value,
            "usd": f"{price.usd.normalize():f}",
            **({"above": price.above} if price.above else {}),
            **({"tier": price.tier} if price.tier else {}),
        }
        for price in sorted(prices, key=lambda p: (p.tier, p.above, list(Part).index(p.part)))
    ]


def are_far_apart(one: Decimal | None, other: Decimal | None) -> bool:
    """Say whether two prices of the same thing can't both be right; 0 is far from nothing."""
    if not one or not other:
        return False
    return max(one, other) >= min(one, other) * FARTHEST
