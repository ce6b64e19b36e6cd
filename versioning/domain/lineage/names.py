"""The ids that one provider lists, read once: who is whose, and what is near to what."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from heapq import nlargest
from typing import Final

from versioning.domain.lineage import vocabulary
from versioning.domain.lineage.identity import Identity, UnreadableName
from versioning.domain.lineage.order import name_key
from versioning.domain.lineage.parse import parse

MOST_COMPARED: Final = 500
"""So many models of one maker are compared one by one: that takes some 15 ms."""

MOST_OF_A_FAMILY: Final = 500
"""So many others of the family are compared: the lines share that room, each gets some of it."""

MOST_LINES: Final = 50
"""Of more lines than that the newest of all together are compared."""

_NEWEST, _BEFORE = 200, 20
"""Of one line, where it has more versions: so many of the newest, and of those before the one in
use, which tell what stood beside it."""

_KEPT_LISTS: Final = 4  # of 20,000 ids each one takes some 20 MB

_Words = tuple[str, tuple[str, ...]]
_Slots = tuple[object, ...]
_Line = Sequence[Identity]
"""The versions that differ in nothing but generation, snapshot and revision, the newest first."""


@dataclass(frozen=True)
class Names:
    """The ids of a list, each read; those that can't be read are left out."""

    provider: str
    identities: Mapping[str, Identity]

    @classmethod
    def of(cls, ids: Iterable[str], *, provider: str = "") -> "Names":
        identities: dict[str, Identity] = {}
        for id in ids:
            with suppress(UnreadableName):
                identities[id] = parse(id, provider=provider)
        return cls(provider, identities)

    def near(self, identity: Identity) -> Sequence[Identity]:
        """Return what a model is compared with: all of its maker's, of very many its family's.

        In another family nothing can follow; it is only named beside the answer. Of a family
        with very many lines or versions the newest are compared, and those around the one in use.
        """
        every = self._by_vendor.get(identity.vendor, ())
        if len(every) <= MOST_COMPARED:
            return every
        family = self._by_family.get(_family_of(identity), _NONE)
        own = family.lines.get(_line_of(identity), ())
        ours = _ends_of(own, identity, newest=_NEWEST, before=_BEFORE)
        if family.newest:
            both = (*ours, *family.newest)
            return list({one.id: one for one in both}.values())
        room = MOST_OF_A_FAMILY // max(1, len(family.lines))
        before = min(_BEFORE, room // 2)
        newest = min(_NEWEST, room - before)
        others = [
            one
            for line in family.lines.values()
            if line is not own
            for one in _ends_of(line, identity, newest=newest, before=before)
        ]
        return [*ours, *others]

    def find(self, model_id: str) -> Identity | None:
        """Find an id as listed, or else the only one that differs by case alone."""
        found = self.identities.get(model_id)
        if found:
            return found
        folded = model_id.casefold()
        alike = [one for one in self._called(model_id) if one.id.casefold() == folded]
        return alike[0] if len(alike) == 1 else None

    def find_for(self, current: Identity, model_id: str) -> Identity | None:
        """Find what somebody calls the successor of a model, who may leave out owner and route.

        Without them it is the only one of that name, the only one on the model's own route, or
        there the only one of its maker.
        """
        found = self.find(model_id)
        if found or not model_id:
            return found
        alike = self._called(model_id)
        if len(alike) > 1:
            alike = [one for one in alike if one.route == current.route]
        if len(alike) > 1:
            alike = [one for one in alike if one.vendor == current.vendor]
        return alike[0] if len(alike) == 1 else None

    def _called(self, model_id: str) -> Sequence[Identity]:
        return self._by_plain_id.get(_plain(model_id), ())

    @cached_property
    def _by_vendor(self) -> Mapping[str, Sequence[Identity]]:
        found: dict[str, list[Identity]] = {}
        for identity in self.identities.values():
            found.setdefault(identity.vendor, []).append(identity)
        return found

    @cached_property
    def _by_plain_id(self) -> Mapping[str, Sequence[Identity]]:
        found: dict[str, list[Identity]] = {}
        for identity in self.identities.values():
            found.setdefault(_plain(identity.id), []).append(identity)
        return found

    @cached_property
    def _by_family(self) -> Mapping[_Words, "_Family"]:
        """Of makers with very many models: those whose names have the same words."""
        found: dict[_Words, dict[_Slots, list[Identity]]] = {}
        for identities in self._by_vendor.values():
            if len(identities) > MOST_COMPARED:
                for identity in identities:
                    lines = found.setdefault(_family_of(identity), {})
                    lines.setdefault(_line_of(identity), []).append(identity)
        return {words: _Family.of(lines) for words, lines in found.items()}


@dataclass(frozen=True, slots=True)
class _Family:
    """The lines of one maker whose names have the same words but languages."""

    lines: Mapping[_Slots, _Line] = field(default_factory=dict)
    newest: Sequence[Identity] = ()
    """Of more lines than can each be looked at: the newest of them all."""

    @classmethod
    def of(cls, lines: Mapping[_Slots, list[Identity]]) -> "_Family":
        if len(lines) > MOST_LINES:
            every = [one for line in lines.values() for one in line]
            newest = nlargest(MOST_OF_A_FAMILY, every, key=name_key)
        else:
            newest = []
        return cls({slots: _newest_first(line) for slots, line in lines.items()}, newest)


_NONE: Final = _Family()


def _newest_first(line: Iterable[Identity]) -> _Line:
    return sorted(line, key=name_key, reverse=True)


@lru_cache(maxsize=_KEPT_LISTS)
def names_of(ids: tuple[str, ...], *, provider: str) -> Names:
    """Return the names of a list that is asked about again and again, read once in a process.

    The ids themselves are the key: a list with another id is another list.
    """
    return Names.of(ids, provider=provider)


def _family_of(identity: Identity) -> _Words:
    """The words of a name, languages aside: a newer model for all of them says none."""
    words = tuple(word for word in identity.words if word not in vocabulary.LANGUAGES)
    return identity.vendor, words or identity.words


def _line_of(identity: Identity) -> _Slots:
    return (
        identity.words,
        identity.route,
        identity.fine_tune,
        identity.tier,
        identity.size,
        identity.kinds,
        identity.tuning,
        identity.context,
        identity.packaging,
        identity.limit,
        identity.base,
        identity.stage,
    )


def _ends_of(line: _Line, identity: Identity, *, newest: int, before: int) -> Sequence[Identity]:
    """Return the newest of a long line, and what came before the generation in use."""
    if len(line) <= newest + before:
        return line
    at = bisect_left(line, True, key=lambda each: each.ordinal <= identity.ordinal)
    return [*line[:newest], *line[max(at, newest) : max(at, newest) + before]]


def _plain(model_id: str) -> str:
    return model_id.strip().casefold().rpartition("/")[2].replace(" ", "-")
