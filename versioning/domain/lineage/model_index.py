"""What a provider lists at one moment, read once so that many questions are cheap."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from versioning.domain.lineage.entry import Entry
from versioning.domain.lineage.identity import Identity
from versioning.domain.lineage.known import Known
from versioning.domain.lineage.names import Names, names_of

Look = Callable[[Sequence[str]], Iterable[Known]]
"""Return what is known of some of the listed models; one that isn't there any more is left out."""


@dataclass(frozen=True, slots=True)
class ModelIndex:
    """The readable models of one provider; what is known of each is looked up when it is needed."""

    names: Names
    look: Look
    _entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def of(cls, knowns: Iterable[Known], *, provider: str = "") -> "ModelIndex":
        """Return the listing of models of which all is at hand."""
        known: dict[str, Known] = {}
        for each in knowns:
            known.setdefault(each.id, each)
        return cls(Names.of(known, provider=provider), partial(map, known.__getitem__))

    @classmethod
    def over(cls, ids: Sequence[str], look: Look, *, provider: str = "") -> "ModelIndex":
        """Return the listing of ids, each once, for a few questions: few of them are looked at."""
        return cls(names_of(tuple(ids), provider=provider), look)

    @property
    def provider(self) -> str:
        return self.names.provider

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._looked_up(list(self.names.identities.values())))

    def __contains__(self, model_id: object) -> bool:
        return model_id in self.names.identities

    def near(self, identity: Identity) -> Sequence[Entry]:
        """Return what a model is compared with: see ``Names.near``."""
        return self._looked_up(self.names.near(identity))

    def find(self, model_id: str) -> Entry | None:
        """Find an id as listed, or else the only one that differs by case alone."""
        return self._entry(self.names.find(model_id))

    def find_for(self, current: Identity, model_id: str) -> Entry | None:
        """Find what somebody calls the successor of a model: see ``Names.find_for``."""
        return self._entry(self.names.find_for(current, model_id))

    def _entry(self, identity: Identity | None) -> Entry | None:
        return next(iter(self._looked_up([identity])), None) if identity else None

    def _looked_up(self, identities: Sequence[Identity]) -> list[Entry]:
        entries = self._entries
        new = [one.id for one in identities if one.id not in entries]
        if new:
            read = self.names.identities
            for known in self.look(new):
                entries[known.id] = Entry.read(
                    known, identity=read[known.id], provider=self.provider
                )
        return [entries[one.id] for one in identities if one.id in entries]
