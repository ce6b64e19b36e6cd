"""What may come next although a name says otherwise: words left out, tiers gained, one name.

A maybe is offered where no upgrade is, with its doubt in a sentence, and never goes by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from versioning.domain.lineage import vocabulary
from versioning.domain.lineage.entry import Entry
from versioning.domain.lineage.identity import Identity
from versioning.domain.lineage.judge import Candidacy
from versioning.domain.lineage.line import differences, is_newer_generation

Judge = Callable[[Entry, Entry], Candidacy]
"""Compare the model in use, or what it would be under another name, with a candidate."""

_LEAST_TIERS: Final = 2


@dataclass(frozen=True, slots=True)
class Maybe:
    """Models that may follow, the best first, of which none is chosen; and why it is not sure."""

    entries: tuple[Entry, ...]
    doubt: str


def with_less_words(current: Entry, listed: Sequence[Entry], judge: Judge) -> Maybe | None:
    """Find a newer generation whose name leaves out what it covers anyway.

    That is a language, which one model for all of them no longer says, or a kind that was a
    model apart and that the new one does too, as its facts tell. Where the newer generation
    still has a model with such a word, that is another line's.
    """
    for fewer, left_out in _without_languages(current.identity):
        newer = _upgrades(current, fewer, listed, judge)
        if newer and not _still_says_a_language(fewer, current.identity, listed):
            return Maybe(newer[:1], _no_longer_says(left_out))
    for fewer, left_out in _without_a_kind(current.identity):
        newer = tuple(
            entry for entry in _upgrades(current, fewer, listed, judge) if _does(entry, left_out)
        )
        if newer and not any(_is_newer(current.identity, entry) for entry in listed):
            return Maybe(newer[:1], _no_longer_says(left_out))
    return None


def among_new_tiers(current: Entry, listed: Sequence[Entry], judge: Judge) -> Maybe | None:
    """Find the tiers into which a line without any split in a newer generation."""
    old = current.identity
    if old.tier or any(_is_newer(old, entry) for entry in listed):
        return None
    best: dict[tuple[str, ...], Entry] = {}
    for tier in {entry.identity.tier for entry in listed if entry.identity.tier}:
        tiered = replace(old, tier=tier)
        if any(_is_sibling(tiered, entry) for entry in listed):
            return None  # the line had that tier beside it before
        for entry in _upgrades(current, tiered, listed, judge)[:1]:
            best[tier] = entry
    if len(best) < _LEAST_TIERS:
        return None
    entries = tuple(entry for entry in listed if entry in best.values())
    tiers = " and ".join(sorted(" ".join(tier) for tier in best))
    return Maybe(entries, f"The line split into {tiers}: no name tells which goes on.")


def _upgrades(
    current: Entry, renamed: Identity, listed: Sequence[Entry], judge: Judge
) -> tuple[Entry, ...]:
    """Return the newer generations of the model in use, had it that other name."""
    as_renamed = replace(current, identity=renamed)
    return tuple(
        entry
        for entry in listed
        if is_newer_generation(renamed, entry.identity) and judge(as_renamed, entry).step
    )


def _without_languages(identity: Identity) -> list[tuple[Identity, str]]:
    said = [word for word in identity.words if word in vocabulary.LANGUAGES]
    kept = tuple(word for word in identity.words if word not in vocabulary.LANGUAGES)
    return [(replace(identity, words=kept), ", ".join(said))] if said and kept else []


def _still_says_a_language(fewer: Identity, old: Identity, listed: Sequence[Entry]) -> bool:
    return any(
        bool(shorter := _without_languages(entry.identity))
        and is_newer_generation(old, entry.identity)
        and not differences(fewer, shorter[0][0])
        for entry in listed
    )


def _without_a_kind(identity: Identity) -> list[tuple[Identity, str]]:
    return [
        (replace(identity, kinds=tuple(one for one in identity.kinds if one != kind)), kind)
        for kind in identity.kinds
        if kind in vocabulary.COVERED_KINDS
    ]


def _does(entry: Entry, kind: str) -> bool:
    """True where the facts of a model tell that it does what the word for a kind says."""
    told = {*entry.known.capabilities, *entry.known.input_modalities}
    return not told.isdisjoint(vocabulary.COVERED_KINDS[kind])


def _no_longer_says(word: str) -> str:
    return f"Its name no longer says {word}: it may cover that, or be another line."


def _is_newer(identity: Identity, entry: Entry) -> bool:
    """True for a newer generation of the very line, whatever else stands against it."""
    other = entry.identity
    return is_newer_generation(identity, other) and not differences(identity, other)


def _is_sibling(identity: Identity, entry: Entry) -> bool:
    other = entry.identity
    is_newer = is_newer_generation(identity, other)
    return not is_newer and not differences(replace(identity, generation=other.generation), other)
