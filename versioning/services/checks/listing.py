"""Compare a provider's listing with its catalogue, and write the catalogue anew."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError

from providers.base import ListedModel
from providers.models import Provider
from versioning.domain import lineage
from versioning.models import AliasTarget, CatalogueEntry
from versioning.services import knowledge, leases
from versioning.services.transactions import one_transaction

ROWS_AT_ONCE = 200
"""The most rows that one transaction writes: SQLite has one write lock, and samples wait for it."""

MOST_LISTED = 50_000
"""The most models that a listing may have to be believed."""

Row = TypeVar("Row")


@dataclass(slots=True)
class CatalogueChanges:
    """What a listing changed in a provider's catalogue, by upstream id."""

    added: list[str] = field(default_factory=list)
    changed: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    reappeared: list[str] = field(default_factory=list)

    SHOWN = 1_000

    def as_dict(self) -> dict[str, Any]:
        """Return it as a check keeps it: the first thousand ids of each kind."""
        kept: dict[str, Any] = {
            name: getattr(self, name)[: self.SHOWN]
            for name in ("added", "missing", "gone", "reappeared")
        }
        kept["changed"] = dict(list(self.changed.items())[: self.SHOWN])
        return {name: value for name, value in kept.items() if value}


@dataclass(slots=True)
class Compared:
    """A catalogue as it will be after a listing; nothing of it is written yet."""

    provider: Provider
    entries: dict[str, CatalogueEntry]
    difference: CatalogueChanges
    new: list[CatalogueEntry]
    touched: list[CatalogueEntry]
    seen: list[CatalogueEntry]
    not_kept: list[str] = field(default_factory=list)
    """A sentence for each row that could not be stored."""

    def keep(self, upstream_ids: Collection[str]) -> None:
        """Take back that these have gone: the provider answers for them."""
        for upstream_id in upstream_ids:
            self.entries[upstream_id].gone_at = None
            self.difference.gone.remove(upstream_id)


def known_entries(provider: Provider) -> dict[str, CatalogueEntry]:
    """Return a provider's catalogue by upstream id."""
    return {entry.upstream_id: entry for entry in provider.catalogue.all()}


def compare(
    *,
    provider: Provider,
    known: Mapping[str, CatalogueEntry],
    models: Iterable[ListedModel],
    complete: bool,
    now: datetime,
) -> Compared:
    """Bring a known catalogue up to a good listing, in memory.

    With ``complete`` false (some of it could not be read) nothing counts as missing.
    """
    found = Compared(
        provider=provider,
        entries=dict(known),
        difference=CatalogueChanges(),
        new=[],
        touched=[],
        seen=[],
    )
    for listed in models:
        entry = known.get(listed.id)
        if entry is None:
            entry = _new_entry(provider=provider, listed=listed, now=now)
            found.new.append(entry)
            found.entries[listed.id] = entry
            found.difference.added.append(listed.id)
        else:
            if _update_entry(entry=entry, listed=listed, difference=found.difference, now=now):
                found.touched.append(entry)
            found.seen.append(entry)
        entry.last_seen_at = now
    if complete:
        listed_ids = {entry.upstream_id for entry in [*found.new, *found.seen]}
        found.touched += _note_missing(known, listed_ids, difference=found.difference, now=now)
    return found


def write(found: Compared, *, now: datetime) -> None:
    """Write a compared catalogue, some hundred rows at a time.

    Each part is a transaction of its own, so that samples never wait long for SQLite's write
    lock. A process that dies in between leaves a catalogue that the next check completes: all
    that is concluded from it compares rows, not listings. A row that can't be stored costs
    itself only.
    """
    for part in _parts(found.new):
        _store(found, part, lambda rows: CatalogueEntry.objects.bulk_create(rows))
    for part in _parts(found.touched):
        _store(found, part, _update)
    for part in _parts(found.seen):
        CatalogueEntry.objects.filter(pk__in=[entry.pk for entry in part]).update(last_seen_at=now)
    for aliases in _parts(_moved_aliases(found)):
        _write_alias_targets(found, aliases, now=now)


def _update(rows: Sequence[CatalogueEntry]) -> object:
    """Update rows in one statement: much shorter to run than bulk_update's case for each column."""
    return CatalogueEntry.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["id"], update_fields=_UPDATED
    )


_UPDATED = [
    "revision",
    "next_revision",
    "standing_since",
    "standing_listings",
    "created_said",
    "facts",
    "missing_since",
    "missed_listings",
    "gone_at",
]


def has_shrunk(*, provider: Provider, models: Iterable[ListedModel]) -> bool:
    """Say whether a listing has lost most of what the last good one had."""
    known = set(provider.catalogue.filter(missing_since=None).values_list("upstream_id", flat=True))
    kept = known & {model.id for model in models}
    return bool(known) and len(kept) < len(known) * (1 - settings.HOTSWAP["SHRUNK_SHARE"])


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), ROWS_AT_ONCE):
        leases.renew()
        yield rows[start : start + ROWS_AT_ONCE]


def _store(
    found: Compared,
    rows: Sequence[CatalogueEntry],
    store: Callable[[Sequence[CatalogueEntry]], object],
) -> None:
    """Store rows together; where that fails, each alone, and say which can't be stored."""
    try:
        one_transaction(store)(rows)
    except (DatabaseError, ValueError) as error:
        if len(rows) > 1:
            for row in rows:
                _store(found, [row], store)
            return
        (row,) = rows
        found.not_kept.append(f"{row.upstream_id} can't be stored ({type(error).__name__}).")
        if row._state.adding:
            del found.entries[row.upstream_id]


def _new_entry(*, provider: Provider, listed: ListedModel, now: datetime) -> CatalogueEntry:
    return CatalogueEntry(
        provider=provider,
        upstream_id=listed.id,
        revision=listed.revision,
        created_said=listed.created.date() if listed.created else None,
        facts=knowledge.facts_of(listed),
        first_seen_at=now,
        last_seen_at=now,
    )


def _update_entry(
    *, entry: CatalogueEntry, listed: ListedModel, difference: CatalogueChanges, now: datetime
) -> bool:
    """Take over what the listing says; return whether the row must be written."""
    facts = knowledge.facts_of(listed)
    changes = _changes(entry.facts, facts)
    next_before, created_before = entry.next_revision, entry.created_said
    if _has_moved(entry, listed.revision):
        changes["revision"] = [entry.revision, listed.revision]
        entry.revision = listed.revision
    if listed.created is not None:
        entry.created_said = listed.created.date()
    stood = (entry.standing_since, entry.standing_listings)
    _note_standing(entry, changes, now=now)
    if changes:
        difference.changed[entry.upstream_id] = changes
        entry.facts = facts
    was_missing = entry.missing_since is not None
    if was_missing:
        if entry.gone_at is not None:
            difference.reappeared.append(entry.upstream_id)
        entry.missing_since = entry.gone_at = None
        entry.missed_listings = 0
    is_noted = (next_before, created_before) != (entry.next_revision, entry.created_said)
    stands_otherwise = stood != (entry.standing_since, entry.standing_listings)
    return bool(changes) or was_missing or is_noted or stands_otherwise


def _note_standing(entry: CatalogueEntry, changes: Collection[str], *, now: datetime) -> None:
    """Count the listings that say of a model what takes it out of the successors, or puts it back.

    A word that only one night has supersedes nothing: it needs as many as a model that is missing.
    """
    if not _STANDING.isdisjoint(changes):
        entry.standing_since, entry.standing_listings = now, 1
    elif entry.standing_since is not None:
        entry.standing_listings += 1
        if entry.has_settled(at=now):
            entry.standing_since, entry.standing_listings = None, 0


_STANDING = frozenset({"lifecycle", "deprecated_on", "retires_on", "access"})


def _has_moved(entry: CatalogueEntry, revision: str) -> bool:
    """Say whether an id stands for another revision now: one that two listings in a row gave.

    Lists that several machines answer flicker between what these have: a revision that the next
    listing takes back never counted. What becomes known for the first time counts at once, as
    does one that by the provider's own date in it is later.
    """
    if not revision or revision == entry.revision:
        entry.next_revision = ""
        return False
    says_so = lineage.is_later_snapshot(revision, than=entry.revision)
    if entry.revision and revision != entry.next_revision and not says_so:
        entry.next_revision = revision
        return False
    entry.next_revision = ""
    return True


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    names = sorted(before.keys() | after.keys())
    return {
        name: [before.get(name), after.get(name)]
        for name in names
        if before.get(name) != after.get(name)
    }


def _note_missing(
    entries: Mapping[str, CatalogueEntry],
    listed_ids: Collection[str],
    *,
    difference: CatalogueChanges,
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


def _moved_aliases(found: Compared) -> list[str]:
    moved = [id for id, changes in found.difference.changed.items() if "revision" in changes]
    return [
        id
        for id in [*found.difference.added, *moved]
        if id in found.entries and found.entries[id].revision
    ]


@one_transaction
def _write_alias_targets(found: Compared, aliases: Sequence[str], *, now: datetime) -> None:
    AliasTarget.objects.filter(provider=found.provider, alias__in=aliases, until=None).update(
        until=now
    )
    AliasTarget.objects.bulk_create(
        [
            AliasTarget(
                provider=found.provider,
                alias=id,
                target=found.entries[id].revision,
                since=now,
            )
            for id in aliases
        ]
    )
