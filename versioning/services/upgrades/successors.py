"""Which version succeeds the one in use, in what its provider lists."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from providers.models import Provider
from versioning.domain import lineage
from versioning.models import CatalogueEntry, LineageRule, ModelVersion, TrackedModel
from versioning.services import clock, knowledge, witness


@dataclass(frozen=True, slots=True)
class Market:
    """All that a provider lists now, and once listed."""

    provider: Provider
    entries: Mapping[str, CatalogueEntry]
    listed: lineage.Listing
    once_listed: tuple[lineage.Known, ...]
    seen_on: date | None
    """The day of the last good listing; None where the provider never listed anything."""

    @classmethod
    def of(
        cls,
        *,
        provider: Provider,
        entries: Mapping[str, CatalogueEntry],
        refused: Mapping[str, str] | None = None,
    ) -> "Market":
        """Return the market of a catalogue; ``refused`` says why an id can't be called."""
        listed: list[lineage.Known] = []
        gone: list[lineage.Known] = []
        for id, entry in entries.items():
            known = knowledge.known_of(entry)
            if refused and id in refused:
                why = f"It is listed, and refused when it is asked for: {refused[id]}"
                known = replace(known, refused=why)
            (listed if entry.gone_at is None else gone).append(known)
        return cls(
            provider=provider,
            entries=entries,
            listed=lineage.Listing.of(listed, provider=provider.kind),
            once_listed=tuple(gone),
            seen_on=max(
                (clock.local_day(entry.last_seen_at) for entry in entries.values()), default=None
            ),
        )

    def entry_of(self, upstream_id: str) -> CatalogueEntry | None:
        """Find an id as it is listed, or the only listed one that differs by case alone."""
        found = self.entries.get(upstream_id)
        alike = None if found else self.listed.find(upstream_id)
        return self.entries[alike.known.id] if alike else found

    @classmethod
    def from_catalogue(cls, provider: Provider, *, now: datetime) -> "Market":
        return cls.of(
            provider=provider,
            entries={entry.upstream_id: entry for entry in provider.catalogue.all()},
            refused=witness.refused(provider=provider, now=now),
        )


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
    try:
        answer = lineage.find_successor(
            known,
            listed=market.listed,
            once_listed=market.once_listed,
            provider=market.provider.kind,
            rules=rules_of(tracked),
            at=market.seen_on,
        )
    except lineage.UnreadableName as error:
        answer = lineage.Answer(reasons=(str(error),))
    if answer.offered is None and entry is not None and revised:
        return _revision_answer(current=current, entry=entry, answer=answer)
    return answer


def rules_of(tracked: TrackedModel) -> lineage.Rules:
    """Return what staff said about the successors of a tracked model."""
    rules = list(tracked.lineage_rules.all())

    def said(kind: LineageRule.Kind) -> tuple[lineage.Rule, ...]:
        return tuple(
            lineage.Rule(rule.pattern, made_by=rule.made_by, reason=rule.reason)
            for rule in rules
            if rule.kind == kind
        )

    pin = lineage.Rule(tracked.name, reason=tracked.pin_reason) if tracked.pinned else None
    return lineage.Rules(
        pinned=pin,
        ignored=said(LineageRule.Kind.IGNORE),
        forbidden=said(LineageRule.Kind.FORBID),
        successor=next(iter(said(LineageRule.Kind.SUCCESSOR)), None),
        allow_previews=tracked.allow_previews,
    )


def _revision_answer(
    *, current: ModelVersion, entry: CatalogueEntry, answer: lineage.Answer
) -> lineage.Answer:
    """Answer with what now stands behind the same id: the provider has moved already."""
    return replace(
        answer,
        successor=knowledge.known_of(entry),
        step=lineage.Step.REVISION,
        confidence=1.0,
        reasons=(
            f"The provider changed what {entry.upstream_id} stands for: "
            f"{current.revision} -> {entry.revision}.",
            "Requests reach the new revision already; approving writes that down.",
        ),
    )


def _other_revision(version: ModelVersion, entry: CatalogueEntry) -> bool:
    return bool(version.revision and entry.revision and version.revision != entry.revision)
