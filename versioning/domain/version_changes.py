"""What is better and what may break, from the metadata of two versions."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from versioning.domain.statistics.figures import counted


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
    told_by: Mapping[str, str] = field(default_factory=dict)
    """Who tells a fact that the provider's own list doesn't, by the field's name."""


@dataclass(frozen=True, slots=True)
class VersionChanges:
    """Short sentences for people."""

    improvements: tuple[str, ...]
    breaking_changes: tuple[str, ...]


def changes_between(*, before: Metadata, after: Metadata) -> VersionChanges:
    """Compare two versions; what one of them doesn't tell is passed over.

    A sentence names who told it where that is not the provider's own list.
    """
    better: list[str] = []
    worse: list[str] = []
    for name, compare in _COMPARED.items():
        gains, losses = compare(getattr(before, name), getattr(after, name))
        who = sorted({side.told_by[name] for side in (before, after) if name in side.told_by})
        source = f" (says {' and '.join(who)})" if who else ""
        better.extend(f"{sentence}{source}" for sentence in gains)
        worse.extend(f"{sentence}{source}" for sentence in losses)
    return VersionChanges(improvements=tuple(better), breaking_changes=tuple(worse))


Sentences = tuple[list[str], list[str]]
"""What is better, and what is worse."""


def _limits(noun: str, before: int | None, after: int | None) -> Sentences:
    if before is None or after is None or before == after:
        return [], []
    sentence = f"{noun} {before:,} → {counted(after, 'token')}"
    return ([sentence], []) if after > before else ([], [sentence])


def _prices(noun: str, before: Decimal | None, after: Decimal | None) -> Sentences:
    if before is None or after is None or before == after:
        return [], []
    change = f" ({(after - before) / before:+.0%})" if before else ""
    sentence = f"{noun} price {_money(before)} → {_money(after)} per million tokens{change}"
    return ([sentence], []) if after < before else ([], [sentence])


def _money(price: Decimal) -> str:
    return f"${price.normalize():f}"


def _words(pattern: str, before: Collection[str], after: Collection[str]) -> Sentences:
    if not before or not after:
        return [], []
    return (
        [f"new: {pattern.format(word)}" for word in sorted(set(after) - set(before))],
        [f"no longer: {pattern.format(word)}" for word in sorted(set(before) - set(after))],
    )


_COMPARED: Mapping[str, Callable[[Any, Any], Sentences]] = {
    "context_tokens": partial(_limits, "context"),
    "output_tokens": partial(_limits, "longest output"),
    "input_price": partial(_prices, "input"),
    "output_price": partial(_prices, "output"),
    "cached_input_price": partial(_prices, "cached input"),
    "input_modalities": partial(_words, "{} as input"),
    "output_modalities": partial(_words, "{} as output"),
    "parameters": partial(_words, "parameter {}"),
    "capabilities": partial(_words, "capability {}"),
}
