"""Compare a provider's listing with its catalogue, and write the catalogue anew."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from providers.base import ListedModel
from providers.models import Provider
from versioning.models import AliasTarget, CatalogueEntry
from versioning.services import knowledge

WRITE_AT_ONCE = 500


@dataclass(slots=True)
class Difference:
    """What a listing changed in a provider's catalogue, by upstream id."""

    added: list[str] = field(default_factory=list)
    changed: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    reappeared: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            name: value
            for name in ("added", "changed", "missing", "gone", "reappeared")
            if (value := getattr(self, name))
        }


def write_catalogue(
    *, provider: Provider, models: Iterable[ListedModel], complete: bool, now: datetime
) -> tuple[dict[str, CatalogueEntry], Difference]:
    """Bring the provider's catalogue up to a good listing; return it, and what was different.

    With ``complete`` false (some items could not be read) nothing counts as missing.
    """
    entries = {entry.upstream_id: entry for entry in provider.catalogue.all()}
    difference = Difference()
    touched: list[CatalogueEntry] = []
    new: list[CatalogueEntry] = []
    listed_ids: set[str] = set()
    for listed in models:
        listed_ids.add(listed.id)
        entry = entries.get(listed.id)
        if entry is None:
            entry = _new_entry(provider=provider, listed=listed, now=now)
            new.append(entry)
            difference.added.append(listed.id)
        elif _update_entry(entry=entry, listed=listed, difference=difference):
            touched.append(entry)
        entry.last_seen_at = now
    if complete:
        touched += _note_missing(entries, listed_ids, difference=difference, now=now)
    CatalogueEntry.objects.bulk_create(new, batch_size=WRITE_AT_ONCE)
    CatalogueEntry.objects.bulk_update(
        touched,
        ["revision", "facts", "missing_since", "missed_listings", "gone_at"],
        batch_size=100,
    )
    seen = [entry.pk for entry in entries.values() if entry.upstream_id in listed_ids]
    for start in range(0, len(seen), WRITE_AT_ONCE):
        CatalogueEntry.objects.filter(pk__in=seen[start : start + WRITE_AT_ONCE]).update(
            last_seen_at=now
        )
    entries |= {entry.upstream_id: entry for entry in new}
    _write_alias_targets(provider=provider, entries=entries, difference=difference, now=now)
    return entries, difference


def has_shrunk(*, provider: Provider, models: Iterable[ListedModel]) -> bool:
    """Say whether a listing has lost most of what the last good one had."""
    known = set(provider.catalogue.filter(missing_since=None).values_list("upstream_id", flat=True))
    kept = known & {model.id for model in models}
    return bool(known) and len(kept) < len(known) * (1 - settings.HOTSWAP["SHRUNK_SHARE"])


def _new_entry(*, provider: Provider, listed: ListedModel, now: datetime) -> CatalogueEntry:
    return CatalogueEntry(
        provider=provider,
        upstream_id=listed.id,
        revision=listed.revision,
        facts=knowledge.facts_of(listed),
        first_seen_at=now,
        last_seen_at=now,
    )


def _update_entry(*, entry: CatalogueEntry, listed: ListedModel, difference: Difference) -> bool:
    """Take over what the listing says; return whether the row must be written."""
    facts = knowledge.facts_of(listed)
    changes = _changes(entry.facts, facts)
    if listed.revision and listed.revision != entry.revision:
        changes["revision"] = [entry.revision, listed.revision]
        entry.revision = listed.revision
    if changes:
        difference.changed[entry.upstream_id] = changes
        entry.facts = facts
    was_missing = entry.missing_since is not None
    if was_missing:
        if entry.gone_at is not None:
            difference.reappeared.append(entry.upstream_id)
        entry.missing_since = entry.gone_at = None
        entry.missed_listings = 0
    return bool(changes) or was_missing


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    names = sorted(before.keys() | after.keys())
    return {
        name: [before.get(name), after.get(name)]
        for name in names
        if before.get(name) != after.get(name)
    }


def _note_missing(
    entries: Mapping[str, CatalogueEntry],
    listed_ids: set[str],
    *,
    difference: Difference,
    now: datetime,
) -> list[CatalogueEntry]:
    absent = [
        entry
        for entry in entries.values()
        if entry.upstream_id not in listed_ids and entry.gone_at is None
    ]
    for entry in absent:
        if entry.missing_since is None:
            entry.missing_since = now
            difference.missing.append(entry.upstream_id)
        entry.missed_listings += 1
        long_enough = now - entry.missing_since >= settings.HOTSWAP["GONE_AFTER"]
        if long_enough and entry.missed_listings >= settings.HOTSWAP["GONE_AFTER_LISTINGS"]:
            entry.gone_at = now
            difference.gone.append(entry.upstream_id)
    return absent


def _write_alias_targets(
    *,
    provider: Provider,
    entries: Mapping[str, CatalogueEntry],
    difference: Difference,
    now: datetime,
) -> None:
    moved = [
        upstream_id for upstream_id, changes in difference.changed.items() if "revision" in changes
    ]
    named = [id for id in [*difference.added, *moved] if entries[id].revision]
    AliasTarget.objects.filter(provider=provider, alias__in=moved, until=None).update(until=now)
    AliasTarget.objects.bulk_create(
        [
            AliasTarget(provider=provider, alias=id, target=entries[id].revision, since=now)
            for id in named
        ],
        batch_size=WRITE_AT_ONCE,
    )
