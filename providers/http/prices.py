"""Prices in a row of a listing: in which unit they are, the row must say, or nobody knows.

Providers write USD per token as a text, per million as a number, per thousand, under many names.
A price in the wrong unit is known and wrong a million times; so what can't be told for certain is
unknown, with a sentence that says why.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from providers.base import OtherPrice
from providers.http.fields import (
    LEAST_PRICE,
    MILLION,
    MOST_PRICE,
    PLACES,
    read_decimal,
    read_object,
    read_text,
)

_TABLES = ("pricing", "prices", "price", "cost", "costs")
_WORD = re.compile(r"\d+[KkMmh]?(?![a-z])|[KM]Tok|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\$")
_UNIT_WORDS: Mapping[str, int] = {
    "million": 1_000_000, "millions": 1_000_000, "1m": 1_000_000, "1000000": 1_000_000,
    "mtok": 1_000_000, "mtokens": 1_000_000, "1mtokens": 1_000_000, "mm": 1_000_000,
    "thousand": 1_000, "1k": 1_000, "1000": 1_000, "ktok": 1_000, "ktokens": 1_000,
}  # fmt: skip
_FILLING = frozenset(
    {"price", "prices", "pricing", "cost", "costs", "usd", "dollars", "dollar"}
    | {"token", "tokens", "per", "rate", *_UNIT_WORDS}
)
_CURRENCIES = frozenset({"", "usd", "$", "us$", "dollar", "dollars"})
_TIERS = frozenset({"batch", "flex", "priority"})
_STEP = re.compile(r"_?(?:above|over)_(\d{1,9})(k?)(?:_tokens)?$")
LONGEST_NAME = 100
"""Longer than any price's name: what is longer costs time to take apart, and tells nothing."""

_UNITS = (1, 1_000, 1_000_000)
DISPUTED = 0
"""In place of the unit of a list whose rows contradict each other: none of them is guessed."""

MOST_DISSENT = 0.1
"""Such a share of the rows that tell a unit may tell another: there are odd models."""

_USUAL_DEAREST = Decimal("0.01"), Decimal(200)
"""USD per million tokens: where the dearest price of nearly every model lies, the upper end out."""

_USUAL_LEAST = Decimal("0.005")
"""USD per million tokens: hardly a model costs less on either side, and not nothing."""

# USD for one request: no fee is known that comes near it, so a larger one is another unit.
_MOST_FEE = Decimal(10)
_PARTS: Mapping[frozenset[str], str] = {
    frozenset(words.split()): part
    for part, spellings in {
        "input": "input|prompt",
        "output": "output|completion",
        "cached_input": "cached|cache read|input cache read|cached input|cached prompt|"
        "cache read input|prompt cache read|input cached|cache hit|input cache hit|cache input|"
        "prompt cached|input cache",
        "cache_write": "cache write|input cache write|cache creation|cache creation input|"
        "cache write input|prompt cache write|cache write 5m|input cache write 5m",
        "cache_write_1h": "cache write 1h|input cache write 1h|cache creation 1h",
        "reasoning": "reasoning|internal reasoning|output reasoning|thinking",
        "input_audio": "audio|input audio|prompt audio|audio input",
        "output_audio": "output audio|audio output|completion audio",
        "request": "request",
    }.items()
    for words in spellings.split("|")
}


@dataclass(frozen=True, slots=True)
class Prices:
    """What a row tells of prices, in USD per million tokens; ``doubts`` say what isn't believed."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached_input: Decimal | None = None
    others: tuple[OtherPrice, ...] = ()
    doubts: tuple[str, ...] = ()
    unit_is_guessed: bool = False
    """Was a unit taken that nothing names, since the prices make sense in no other?"""


@dataclass(frozen=True, slots=True)
class _Told:
    part: str
    number: Decimal
    per_tokens: int | None
    """The unit that its own name or its table tells; None where neither does."""
    above: int = 0
    tier: str = ""


@dataclass(slots=True)
class _Reading:
    told: list[_Told] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def read_prices(row: Mapping[str, Any], *, unit_of_list: int | None = None) -> Prices:
    """Return the prices that a row tells, at its top or in a table such as ``pricing``.

    Where nothing names their unit, it is the one in which they make sense, if that is the same for
    ``unit_of_list`` (tokens that a price is for); of several that make sense it is that one. In a
    list that is ``DISPUTED`` it is unknown.
    """
    reading = _reading(row)
    unnamed = _unnamed(reading)
    guessed = _guess(unnamed, unit_of_list=unit_of_list) if unnamed else None
    found, doubts = _in_usd_per_million(reading.told, guessed=guessed)
    return _sorted(
        found, (*reading.doubts, *doubts), unit_is_guessed=bool(unnamed) and guessed is not None
    )


def unit_of_list(rows: Iterable[Any]) -> int | None:
    """Return the unit (tokens that a price is for) in which most rows of a list make sense.

    Only rows that name none are asked, and only those that make sense in no other. One list has
    one unit, most likely: a row of it that would make sense in several is in that one. None where
    no row tells; DISPUTED where more than a few tell another: prices per thousand of dear models
    look like cheap ones per million.
    """
    votes: Counter[int] = Counter()
    for row in rows:
        units = _sensible_units(_unnamed(_reading(read_object(row))))
        if len(units) == 1:
            votes[units[0]] += 1
    if not votes:
        return None
    unit, most = votes.most_common(1)[0]
    return unit if votes.total() - most <= MOST_DISSENT * votes.total() else DISPUTED


def _reading(row: Mapping[str, Any]) -> "_Reading":
    reading = _Reading()
    top = {name: value for name, value in row.items() if _is_price_name(name)}
    for table in (top, *(read_object(row.get(name)) for name in _TABLES)):
        _read_table(table, reading, currency=row.get("currency"))
    return reading


def _unnamed(reading: "_Reading") -> list["_Told"]:
    """Return the prices whose unit nothing names; 0 is 0 in any, and a fee is for a request."""
    return [t for t in reading.told if t.per_tokens is None and t.number and t.part != "request"]


def _sensible_units(unnamed: Iterable["_Told"]) -> list[int]:
    """Return the units in which the prices of one model are as models' prices are."""
    told = list(unnamed)
    dearest = max((t.number for t in told), default=Decimal(0))
    sides = [t.number for t in told if t.part in {"input", "output"}]
    least = min(sides, default=dearest)
    low, high = _USUAL_DEAREST
    return [
        unit
        for unit in _UNITS
        if low <= dearest * MILLION / unit < high and least * MILLION / unit >= _USUAL_LEAST
    ]


def _guess(unnamed: Iterable["_Told"], *, unit_of_list: int | None) -> int | None:
    """Return the unit of prices that nothing names; None where it can't be told for certain.

    A price per thousand is never guessed: those who count so mostly say it.
    """
    if unit_of_list == DISPUTED:
        return None
    told = list(unnamed)
    units = _sensible_units(told)
    unit = units[0] if len(units) == 1 else None
    if unit_of_list in units:
        unit = unit_of_list
    elif unit_of_list is not None and unit is not None:
        in_lists = max(t.number for t in told) * MILLION / unit_of_list
        # Another unit than the rest of its list, and the list's can be its own, too.
        unit = None if LEAST_PRICE <= in_lists <= MOST_PRICE else unit
    return None if unit == 1_000 else unit


def per_million(number: Decimal) -> Decimal | None:
    """Return a price in USD per million tokens as it is kept; None for one that can't be."""
    if number and not LEAST_PRICE <= number <= MOST_PRICE:
        return None
    return number.quantize(PLACES)


def _is_price_name(name: Any) -> bool:
    return (
        isinstance(name, str)
        and len(name) <= LONGEST_NAME
        and name not in _TABLES
        and bool(_words(name) & {"price", "prices", "cost", "pricing"})
    )


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(name)}


def _read_table(table: Mapping[str, Any], reading: _Reading, *, currency: Any) -> None:
    currency = read_text(table.get("currency") or currency).lower()
    if currency not in _CURRENCIES:
        reading.doubts.append(f"Its prices are in {currency[:20]}, not USD: not taken.")
        return
    unit, is_known = _unit_of_table(table)
    if not is_known:
        reading.doubts.append("Its prices have a unit that isn't known: not taken.")
        return
    for name, value in table.items():
        number = read_decimal(value)
        if number is not None and number >= 0 and len(name) <= LONGEST_NAME:
            reading.told += _told(name, number, unit)


def _unit_of_table(table: Mapping[str, Any]) -> tuple[int | None, bool]:
    """Return the unit that a table names, and whether what it names is understood."""
    names = ("unit", "units", "per", "price_unit", "pricing_unit", "token_unit")
    told = next((table[name] for name in names if table.get(name) not in (None, "")), None)
    if told is None:
        return None, True
    text = str(told)[:LONGEST_NAME].replace(",", "").lower()
    unit = _unit_of(_words(text) | {text}, is_unit=True)
    return unit, unit is not None


def _unit_of(words: Set[str], *, is_unit: bool = False) -> int | None:
    named = {_UNIT_WORDS[word] for word in words if word in _UNIT_WORDS}
    if len(named) == 1:
        return named.pop()
    one = {"token", "tokens", "1"} if is_unit else {"token"}
    return 1 if not named and words & one and (is_unit or "per" in words) else None


def _told(name: str, number: Decimal, unit: int | None) -> Iterator[_Told]:
    above = 0
    if step := _STEP.search(name):
        above, name = int(step[1]) * (1_000 if step[2] else 1), name[: step.start()]
    words = _words(name)
    if "m" in words:
        return  # one gateway's "per m" counts ten-thousandths of a dollar: no unit to rely on
    # "input_token_cost" names no unit, "cost_per_token" does.
    own = _unit_of(words) or (1 if {"token", "cost"} <= words and not words & {"per"} else None)
    tier = next(iter(words & _TIERS), "")
    part = _PARTS.get(frozenset(words - _FILLING - _TIERS))
    if part is not None:
        yield _Told(part, number, own or unit, above, tier)


def _in_usd_per_million(
    told: Iterable[_Told], *, guessed: int | None
) -> tuple[list[OtherPrice], list[str]]:
    found, doubts = [], []
    for row in told:
        usd = _usd(row, row.per_tokens or guessed)
        if usd is None:
            doubts.append(
                f"Its price {row.number} ({row.part.replace('_', ' ')}) isn't believed: "
                "nothing tells in which unit it is, or no model costs that."
            )
        else:
            found.append(OtherPrice(row.part, usd, row.above, row.tier))
    return found, doubts


def _usd(row: _Told, per_tokens: int | None) -> Decimal | None:
    if not row.number:
        return Decimal(0)
    if row.part == "request":
        return row.number if row.number <= _MOST_FEE else None
    return None if per_tokens is None else per_million(row.number * MILLION / per_tokens)


def _sorted(
    found: Iterable[OtherPrice], doubts: tuple[str, ...], *, unit_is_guessed: bool
) -> Prices:
    """Return each price once: what is told twice counts where both say the same."""
    by_case: dict[tuple[str, int, str], set[Decimal]] = {}
    for price in found:
        by_case.setdefault((price.part, price.above, price.tier), set()).add(price.usd)
    said = {case: usd.pop() for case, usd in by_case.items() if len(usd) == 1}
    if len(said) < len(by_case):
        doubts += ("Its list tells two prices for the same thing: neither is taken.",)
    base = {part: said.pop((part, 0, ""), None) for part in ("input", "output", "cached_input")}
    if base["input"] or base["output"]:
        # 0 beside a price means "not charged apart", as OpenRouter writes of reasoning.
        said = {case: usd for case, usd in said.items() if usd}
        base["cached_input"] = base["cached_input"] or None
    others = tuple(
        OtherPrice(part, usd, above, tier) for (part, above, tier), usd in sorted(said.items())
    )
    return Prices(
        **base,
        others=others,
        doubts=tuple(dict.fromkeys(doubts)),
        unit_is_guessed=unit_is_guessed,
    )
