"""A listed model with its id read."""

from dataclasses import dataclass

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
        return cls.read(known, identity=parse(known.id, provider=provider), provider=provider)

    @classmethod
    def read(cls, known: Known, *, identity: Identity, provider: str = "") -> "Entry":
        """Return a model whose id was read before: of a long list that is most of the work."""
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
