"""What a provider lists at one moment, read once so that many questions are cheap."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from versioning.domain.lineage.identity import Identity, Snapshot, UnreadableName
from versioning.domain.lineage.known import Known
from versioning.domain.lineage.parse import parse


@dataclass(frozen=True, slots=True)
class Entry:
    """A listed model with its id read.

    `stands_for` is the snapshot behind a name without one, where the provider tells it: in the
    revision of the name or in its other names.
    """

    known: Known
    identity: Identity
    stands_for: Snapshot | None = None

    @classmethod
    def of(cls, known: Known, *, provider: str = "") -> "Entry":
        """Read one model; raise UnreadableName."""
        identity = parse(known.id, provider=provider)
        if identity.snapshot or not (known.revision or known.aliases):
            return cls(known, identity)
        return cls(known, identity, _target(known, identity, provider))

    @property
    def snapshot(self) -> Snapshot | None:
        return self.identity.snapshot or self.stands_for


def _target(known: Known, identity: Identity, provider: str) -> Snapshot | None:
    """Return the one snapshot that the other names of a name agree on."""
    found: set[Snapshot] = set()
    for other in (known.revision, *known.aliases):
        try:
            read = parse(other, provider=provider)
        except UnreadableName:
            continue
        is_same_maker = read.vendor in ("", identity.vendor)
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

    @classmethod
    def of(cls, knowns: Iterable[Known], *, provider: str = "") -> "Listing":
        by_id: dict[str, Entry] = {}
        by_vendor: dict[str, list[Entry]] = {}
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
        return cls(provider, by_id, by_vendor, unreadable)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.by_id.values())

    def __contains__(self, model_id: object) -> bool:
        return model_id in self.by_id

    def of_vendor(self, vendor: str) -> Sequence[Entry]:
        return self.by_vendor.get(vendor, ())

    def find(self, model_id: str) -> Entry | None:
        """Find an id as listed, or else without regard to case and owner prefix."""
        found = self.by_id.get(model_id)
        if found or not model_id:
            return found
        wanted = _plain(model_id)
        return next((entry for entry in self if _plain(entry.known.id) == wanted), None)


def _plain(model_id: str) -> str:
    return model_id.strip().lower().rpartition("/")[2].replace(" ", "-")
