"""Which version succeeds the one in use, in what its provider lists."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db.models import Max

from providers.models import Provider
from versioning.domain import dates, lineage
from versioning.models import CatalogueEntry, LineageRule, ModelVersion, TrackedModel
from versioning.services import clock, knowledge, witness

OLD_AFTER = timedelta(days=2)
"""Lists are read every night: one that is older has been missed more than once."""


@dataclass(frozen=True, slots=True)
class Market:
    """All that a provider lists now, and once listed."""

    provider: Provider
    entries: Mapping[str, CatalogueEntry]
    listed: lineage.ModelIndex
    seen_on: date | None
    """The day of the last good listing; None where the provider never listed anything."""
    caution: str = ""
    """What is to be said with every answer from it; empty where the listing is fresh."""
    answers: dict[Hashable, lineage.Answer] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What was asked already: a check asks the same before it probes and when it recommends."""

    @classmethod
    def of(
        cls,
        *,
        provider: Provider,
        entries: Mapping[str, CatalogueEntry],
        refused: Mapping[str, str] | None = None,
    ) -> "Market":
        """Return the market of a catalogue; ``refused`` says why an id can't be called."""
        listed = (entry for entry in entries.values() if entry.gone_at is None)
        seen_at = max((entry.last_seen_at for entry in entries.values()), default=None)
        return cls(
            provider=provider,
            entries=entries,
            listed=lineage.ModelIndex.of(_known(listed, refused or {}), provider=provider.kind),
            seen_on=clock.local_day(seen_at) if seen_at else None,
        )

    @classmethod
    def from_catalogue(cls, provider: Provider, *, now: datetime) -> "Market":
        """Return the market for the question of one model: few of the entries are read."""
        entries = _Catalogue(provider)
        listed = provider.catalogue.listed().order_by("upstream_id")
        refused = witness.refused(provider=provider, now=now)
        seen_at = provider.catalogue.aggregate(at=Max("last_seen_at"))["at"]
        return cls(
            provider=provider,
            entries=entries,
            listed=lineage.ModelIndex.over(
                list(listed.values_list("upstream_id", flat=True)),
                lambda ids: _known(entries.read(ids), refused),
                provider=provider.kind,
            ),
            seen_on=clock.local_day(seen_at) if seen_at else None,
            caution=_of_age(seen_at, now=now),
        )

    def entry_of(self, upstream_id: str) -> CatalogueEntry | None:
        """Find an id as it is listed, or the only listed one that differs by case alone."""
        found = self.entries.get(upstream_id)
        alike = None if found else self.listed.find(upstream_id)
        return self.entries[alike.known.id] if alike else found


class _Catalogue(Mapping[str, CatalogueEntry]):
    """A provider's entries by id, each read when it is first asked for."""

    def __init__(self, provider: Provider) -> None:
        self._all = provider.catalogue
        self._read: dict[str, CatalogueEntry | None] = {}

    def __getitem__(self, id: str) -> CatalogueEntry:
        for entry in self.read([id]):
            return entry
        raise KeyError(id)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all.values_list("upstream_id", flat=True))

    def __len__(self) -> int:
        return self._all.count()

    def read(self, ids: Sequence[str]) -> list[CatalogueEntry]:
        """Return the entries of some ids, with one question to the database where any is new."""
        new = [id for id in ids if id not in self._read]
        if new:
            self._read |= dict.fromkeys(new)
            self._read |= {
                entry.upstream_id: entry for entry in self._all.filter(upstream_id__in=new)
            }
        return [entry for id in ids if (entry := self._read[id]) is not None]


def _known(
    entries: Iterable[CatalogueEntry], refused: Mapping[str, str]
) -> Iterator[lineage.Known]:
    for entry in entries:
        known = knowledge.known_of(entry)
        if entry.upstream_id in refused:
            why = f"It is listed, and refused when it is asked for: {refused[entry.upstream_id]}"
            known = replace(known, refused=why)
        yield known


def answer_for(*, tracked: TrackedModel, market: Market) -> lineage.Answer:
    """Return the successor of a tracked model's version in a market, with the reasons.

    ``tracked`` comes with its rules; an unreadable name is an answer without a successor.
    """
    current = tracked.current_version
    if current is None:
        return lineage.Answer(reasons=("The model has no current version.",))
    entry = market.entry_of(current.upstream_id)
    revised = entry is not None and _other_revision(current, entry)
    known = (
        knowledge.known_of_version(current)
        if entry is None or revised
        else knowledge.known_of(entry)
    )
    once_listed = (knowledge.known_of(entry),) if entry and entry.gone_at else ()
    answer = _find(market, known, once_listed=once_listed, rules=rules_of(tracked))
    if answer.offered is None and entry is not None and revised:
        answer = _revision_answer(current=current, entry=entry, answer=answer)
    if market.caution and answer.step is not None:
        return replace(answer, reasons=(*answer.reasons, market.caution))
    return answer


def _find(
    market: Market,
    known: lineage.Known,
    *,
    once_listed: tuple[lineage.Known, ...],
    rules: lineage.Rules,
) -> lineage.Answer:
    """Answer a question, once in a market."""
    question = (known, once_listed, rules)
    if question not in market.answers:
        try:
            found = lineage.find_successor(
                known,
                listed=market.listed,
                once_listed=once_listed,
                provider=market.provider.kind,
                rules=rules,
                at=market.seen_on,
            )
        except lineage.UnreadableName as error:
            found = lineage.Answer(reasons=(str(error),))
        market.answers[question] = found
    return market.answers[question]


def _of_age(seen_at: datetime | None, *, now: datetime) -> str:
    """Say that a listing is old; empty where it is fresh, or where there never was one."""
    if seen_at is None or now - seen_at <= OLD_AFTER:
        return ""
    day = dates.day(clock.local_day(seen_at))
    return f"Its provider's list was last read on {day}: newer ones may be out, or this one gone."


def rules_of(tracked: TrackedModel) -> lineage.Rules:
    """Return what staff said about the successors of a tracked model."""
    rules = list(tracked.lineage_rules.all())

    def rules_of(kind: LineageRule.Kind) -> tuple[lineage.StaffRule, ...]:
        return tuple(
            lineage.StaffRule(rule.pattern, made_by=rule.made_by, reason=rule.reason)
            for rule in rules
            if rule.kind == kind
        )

    pin = lineage.StaffRule(tracked.name, reason=tracked.pin_reason) if tracked.pinned else None
    return lineage.Rules(
        pinned=pin,
        ignored=rules_of(LineageRule.Kind.IGNORE),
        forbidden=rules_of(LineageRule.Kind.FORBID),
        successor=next(iter(rules_of(LineageRule.Kind.SUCCESSOR)), None),
        allow_previews=tracked.allow_previews,
    )


def _revision_answer(
    *, current: ModelVersion, entry: CatalogueEntry, answer: lineage.Answer
) -> lineage.Answer:
    """Answer with what now stands behind the same id: the provider has moved already."""
    return replace(
        answer,
        successor=knowledge.known_of(entry),
        step=lineage.StepKind.REVISION,
        confidence=1.0,
        reasons=(
            f"The provider changed what {entry.upstream_id} stands for: "
            f"{current.revision} → {entry.revision}.",
            "Requests reach the new revision already; approving writes that down.",
        ),
    )


def _other_revision(version: ModelVersion, entry: CatalogueEntry) -> bool:
    return bool(version.revision and entry.revision and version.revision != entry.revision)
