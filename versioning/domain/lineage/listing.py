"""What a provider lists at one moment, read once so that many questions are cheap."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from versioning.domain.lineage import vocabulary
from versioning.domain.lineage.entry import Entry
from versioning.domain.lineage.identity import Identity, UnreadableName
from versioning.domain.lineage.known import Known
from versioning.domain.lineage.order import order_key

MOST_COMPARED: Final = 1_000
"""So many models of one maker are compared one by one: that takes some 25 ms."""

_NEWEST, _BEFORE = 200, 20
"""Of a line with more versions than that: so many of the newest, and of those before the one in
use, which tell what stood beside it."""

_Family = tuple[str, tuple[str, ...]]
_Line = Sequence[Entry]
"""The versions that differ in nothing but generation, snapshot and revision, the newest first."""


def _family_of(identity: Identity) -> _Family:
    """The words of a name, languages aside: a newer model for all of them says none."""
    words = tuple(word for word in identity.words if word not in vocabulary.LANGUAGES)
    return identity.vendor, words or identity.words


def _line_of(identity: Identity) -> tuple[object, ...]:
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


def _by_family(by_vendor: Mapping[str, Sequence[Entry]]) -> dict[_Family, list[_Line]]:
    found: dict[_Family, dict[tuple[object, ...], list[Entry]]] = {}
    for entries in by_vendor.values():
        if len(entries) > MOST_COMPARED:
            for entry in entries:
                lines = found.setdefault(_family_of(entry.identity), {})
                lines.setdefault(_line_of(entry.identity), []).append(entry)
    for lines in found.values():
        for line in lines.values():
            line.sort(key=order_key, reverse=True)
    return {family: list(lines.values()) for family, lines in found.items()}


def _ends_of(line: _Line, identity: Identity) -> Sequence[Entry]:
    """Return the newest of a long line, and what came before the generation in use."""
    if len(line) <= _NEWEST + _BEFORE:
        return line
    at = bisect_left(line, True, key=lambda entry: entry.identity.ordinal <= identity.ordinal)
    return [*line[:_NEWEST], *line[max(at, _NEWEST) : max(at, _NEWEST) + _BEFORE]]


@dataclass(frozen=True, slots=True)
class Listing:
    """The readable models of one provider, by maker; unreadable ids are only counted."""

    provider: str
    by_id: Mapping[str, Entry]
    by_vendor: Mapping[str, Sequence[Entry]]
    unreadable: int = 0
    by_plain_id: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    by_family: Mapping[_Family, Sequence[_Line]] = field(default_factory=dict)
    """Of makers with very many models: the lines whose names have the same words but languages."""

    @classmethod
    def of(cls, knowns: Iterable[Known], *, provider: str = "") -> "Listing":
        by_id: dict[str, Entry] = {}
        by_vendor: dict[str, list[Entry]] = {}
        by_plain_id: dict[str, list[Entry]] = {}
        unreadable = 0
        for known in knowns:
            try:
                entry = Entry.of(known, provider=provider)
            except UnreadableName:
                unreadable += 1
                continue
            if known.id not in by_id:
                by_id[known.id] = entry
                by_vendor.setdefault(entry.identity.vendor, []).append(entry)
                by_plain_id.setdefault(_plain(known.id), []).append(entry)
        return cls(provider, by_id, by_vendor, unreadable, by_plain_id, _by_family(by_vendor))

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.by_id.values())

    def __contains__(self, model_id: object) -> bool:
        return model_id in self.by_id

    def near(self, identity: Identity) -> Sequence[Entry]:
        """Return what a model is compared with: all of its maker's, of very many its family's.

        In another family nothing can follow; it is only named beside the answer.
        """
        every = self.by_vendor.get(identity.vendor, ())
        if len(every) <= MOST_COMPARED:
            return every
        lines = self.by_family.get(_family_of(identity), ())
        return [entry for line in lines for entry in _ends_of(line, identity)]

    def find(self, model_id: str) -> Entry | None:
        """Find an id as listed, or else the only one that differs by case alone."""
        found = self.by_id.get(model_id)
        if found:
            return found
        folded = model_id.casefold()
        alike = [
            entry
            for entry in self.by_plain_id.get(_plain(model_id), ())
            if entry.known.id.casefold() == folded
        ]
        return alike[0] if len(alike) == 1 else None

    def find_for(self, current: Identity, model_id: str) -> Entry | None:
        """Find what somebody calls the successor of a model, who may leave out owner and route.

        Without them it is the only one of that name, the only one on the model's own route, or
        there the only one of its maker.
        """
        found = self.find(model_id)
        if found or not model_id:
            return found
        alike = self.by_plain_id.get(_plain(model_id), ())
        if len(alike) > 1:
            alike = [entry for entry in alike if entry.identity.route == current.route]
        if len(alike) > 1:
            alike = [entry for entry in alike if entry.identity.vendor == current.vendor]
        return alike[0] if len(alike) == 1 else None


def _plain(model_id: str) -> str:
    return model_id.strip().casefold().rpartition("/")[2].replace(" ", "-")
