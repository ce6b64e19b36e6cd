"""What a provider lists at one moment, read once so that many questions are cheap."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from versioning.domain.lineage.identity import Identity, Snapshot, UnreadableName
from versioning.domain.lineage.known import Known
from versioning.domain.lineage.parse import parse


@dataclass(frozen=True, slots=True)
class Entry:
    """A listed model with its id read.

    `stands_for` is the snapshot behind a name without one, where the provider tells it: in the
    revision of the name, in its other names or in that of its weights.
    """

    known: Known
    identity: Identity
    stands_for: Snapshot | None = None

    @classmethod
    def of(cls, known: Known, *, provider: str = "") -> "Entry":
        """Read one model; raise UnreadableName."""
        identity = parse(known.id, provider=provider)
        if identity.snapshot or not (known.revision or known.aliases or known.hugging_face_id):
            return cls(known, identity)
        return cls(known, identity, _target(known, identity, provider))

    @property
    def snapshot(self) -> Snapshot | None:
        return self.identity.snapshot or self.stands_for


def _target(known: Known, identity: Identity, provider: str) -> Snapshot | None:
    """Return the one snapshot that the other names of a name agree on."""
    found: set[Snapshot] = set()
    for other in (known.revision, known.hugging_face_id, *known.aliases):
        try:
            read = parse(other, provider=provider)
        except UnreadableName:
            continue
        is_unsaid = not identity.vendor and read.words == identity.words
        is_same_maker = is_unsaid or read.vendor in ("", identity.vendor)
        if read.snapshot and is_same_maker and read.ordinal == identity.ordinal:
            found.add(read.snapshot)
    return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Listing:
    """The readable models of one provider, by maker; unreadable ids are only counted."""

    provider: str
    by_id: Mapping[str, Entry]
    by_vendor: Mapping[str, Sequence[Entry]]
    unreadable: int = 0
    by_plain_id: Mapping[str, Sequence[Entry]] = field(default_factory=dict)

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
        return cls(provider, by_id, by_vendor, unreadable, by_plain_id)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.by_id.values())

    def __contains__(self, model_id: object) -> bool:
        return model_id in self.by_id

    def of_vendor(self, vendor: str) -> Sequence[Entry]:
        return self.by_vendor.get(vendor, ())

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
