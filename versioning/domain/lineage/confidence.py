"""What is known beside the names, and how sure it makes or leaves us."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from versioning.domain import dates
from versioning.domain.lineage.entry import Entry
from versioning.domain.lineage.identity import written
from versioning.domain.lineage.line import unsaid
from versioning.domain.lineage.order import day_of
from versioning.domain.statistics.figures import counted

# Set by hand, not measured: no name alone makes certain, a statement of the provider nearly does,
# and each doubt takes its cost off. No upgrade falls below _LEAST; a maybe stays below it.
_CERTAIN: Final = 0.97
_STATED: Final = 0.99
_LEAST: Final = 0.3
_UNSAID_COST: Final = 0.15
_UNKNOWN_WORD_COST: Final = 0.05
_UNDATED_COST: Final = 0.05
_CAUTION_COST: Final = 0.08
_CONTRADICTED_COST: Final = 0.2
_NEW_PAIR_COST: Final = 0.05
_SETTLED_DAYS: Final = 21  # a catalogue may take weeks to correct one of two like rows
_DEARER: Final = Decimal(3)


@dataclass(frozen=True, slots=True)
class Confidence:
    """Confidence from 0 to 1 and the sentences behind it."""

    confidence: float
    reasons: tuple[str, ...]


def weigh(current: Entry, chosen: Entry, *, is_stated: bool, at: date | None = None) -> Confidence:
    """Say why the chosen one follows, and take a little off for each doubt."""
    reasons = [_what_changed(current, chosen)]
    doubts: list[tuple[float, str]] = []
    doubts += [
        (_UNSAID_COST, f"Less sure: {said}.") for said in unsaid(current.identity, chosen.identity)
    ]
    if chosen.identity.unknown:
        words = ", ".join(chosen.identity.unknown)
        said = f"Less sure: {words} is no word that Hotswap knows from other models."
        doubts.append((_UNKNOWN_WORD_COST, said))
    doubts += _doubts_of_the_calendar(current, chosen)
    doubts += _doubts_of_a_new_pair(current, chosen, at)
    doubts += [(_CAUTION_COST, text) for text in _losses(current, chosen)]
    certainty = _STATED if is_stated else _CERTAIN
    certainty -= sum(cost for cost, _ in doubts)
    reasons += [text for _, text in doubts]
    return Confidence(round(max(certainty, _LEAST), 2), tuple(reasons))


def _what_changed(current: Entry, chosen: Entry) -> str:
    old, new = current.identity, chosen.identity
    if old.ordinal != new.ordinal or old.base != new.base:
        return f"Same line, newer generation: {_version(chosen)} after {_version(current)}."
    if old.is_preview and not new.is_preview:
        return "The settled form of the same preview."
    if new.snapshot:
        before = f" after {old.snapshot}" if old.snapshot else ""
        return f"Same line and generation, newer snapshot: {new.snapshot}{before}."
    return "Same line and generation, newer revision."


def _version(entry: Entry) -> str:
    identity = entry.identity
    versions = identity.generation or tuple(version for _, version in identity.base)
    return " ".join(map(written, versions)) or "no number"


def _doubts_of_the_calendar(current: Entry, chosen: Entry) -> list[tuple[float, str]]:
    here, there = day_of(current), day_of(chosen)
    if here is None or there is None:
        return [(_UNDATED_COST, "Less sure: not both release dates are known.")]
    if there < here:
        said = f"Less sure: it is dated {there}, earlier than the model in use ({here})."
        return [(_CONTRADICTED_COST, said)]
    return []


def _doubts_of_a_new_pair(
    current: Entry, chosen: Entry, at: date | None
) -> list[tuple[float, str]]:
    """A bare name and its snapshot that stand side by side for weeks are two models."""
    is_pair = not current.identity.snapshot and bool(chosen.identity.snapshot)
    since, other = current.known.listed_since, chosen.known.listed_since
    if not is_pair or current.identity.ordinal != chosen.identity.ordinal or at is None:
        return []
    if since is None or other is None or (at - max(since, other)).days >= _SETTLED_DAYS:
        return []
    both = dates.day(max(since, other))
    return [(_NEW_PAIR_COST, f"Less sure: both are listed side by side only since {both}.")]


def _losses(current: Entry, chosen: Entry) -> list[str]:
    old, new = current.known, chosen.known
    losses: list[str] = []
    missing = set(old.input_modalities) - set(new.input_modalities)
    if missing and new.input_modalities:
        losses.append(f"Check first: it does not take {', '.join(sorted(missing))}.")
    missing = set(old.capabilities) - set(new.capabilities)
    if missing and new.capabilities:
        losses.append(f"Check first: it lacks {', '.join(sorted(missing))}.")
    if old.context_tokens and new.context_tokens and new.context_tokens < old.context_tokens:
        losses.append(
            f"Check first: its context is shorter, {counted(new.context_tokens, 'token')}."
        )
    if old.output_price and new.output_price and new.output_price > old.output_price * _DEARER:
        losses.append("Check first: its output costs more than three times as much.")
    return losses
