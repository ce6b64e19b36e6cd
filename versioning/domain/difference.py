"""What is better and what may break, from the metadata of two versions."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a version; None and empty mean unknown, never zero.

    Prices are USD per million tokens, context and output limits are tokens.
    """

    context_tokens: int | None = None
    output_tokens: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    cached_input_price: Decimal | None = None
    input_modalities: Collection[str] = ()
    output_modalities: Collection[str] = ()
    parameters: Collection[str] = ()
    capabilities: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Short sentences for people."""

    improvements: tuple[str, ...]
    breaking_changes: tuple[str, ...]


def difference(*, before: Metadata, after: Metadata) -> Difference:
    """Compare two versions; what one of them doesn't tell is passed over."""
    better: list[str] = []
    worse: list[str] = []
    _compare_limit("context", before.context_tokens, after.context_tokens, better, worse)
    _compare_limit("longest output", before.output_tokens, after.output_tokens, better, worse)
    _compare_price("input", before.input_price, after.input_price, better, worse)
    _compare_price("output", before.output_price, after.output_price, better, worse)
    _compare_price(
        "cached input", before.cached_input_price, after.cached_input_price, better, worse
    )
    for noun, old, new in (
        ("input", before.input_modalities, after.input_modalities),
        ("output", before.output_modalities, after.output_modalities),
    ):
        _compare_words(f"{{}} as {noun}", old, new, better, worse)
    _compare_words("parameter {}", before.parameters, after.parameters, better, worse)
    _compare_words("capability {}", before.capabilities, after.capabilities, better, worse)
    return Difference(improvements=tuple(better), breaking_changes=tuple(worse))


def _compare_limit(
    noun: str, before: int | None, after: int | None, better: list[str], worse: list[str]
) -> None:
    if before is None or after is None or before == after:
        return
    sentence = f"{noun} {before:,} -> {after:,} tokens"
    (better if after > before else worse).append(sentence)


def _compare_price(
    noun: str, before: Decimal | None, after: Decimal | None, better: list[str], worse: list[str]
) -> None:
    if before is None or after is None or before == after:
        return
    change = f" ({(after - before) / before:+.0%})" if before else ""
    sentence = f"{noun} price {_money(before)} -> {_money(after)} per million tokens{change}"
    (better if after < before else worse).append(sentence)


def _money(price: Decimal) -> str:
    return f"${price.normalize():f}"


def _compare_words(
    pattern: str,
    before: Collection[str],
    after: Collection[str],
    better: list[str],
    worse: list[str],
) -> None:
    if not before or not after:
        return
    better.extend(f"new: {pattern.format(word)}" for word in sorted(set(after) - set(before)))
    worse.extend(f"no longer: {pattern.format(word)}" for word in sorted(set(before) - set(after)))
