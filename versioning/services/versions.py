"""Versions: find the one that is meant, make one, change what staff know of it."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from versioning.domain.labels import FIRST_LABEL, free_label
from versioning.domain.version_changes import Metadata
from versioning.models import CatalogueEntry, ModelVersion, TrackedModel
from versioning.services import clock, editing, events, knowledge, locks, lookups, prices, teams
from versioning.services.actors import Actor
from versioning.services.errors import FieldError, Invalid
from versioning.services.teams import Caller
from versioning.services.transactions import one_transaction

FACTS = frozenset(
    {
        *knowledge.PLAIN_FIELDS,
        *knowledge.LIST_FIELDS,
        "released_on",
        "retires_precision",
        "retires_source",
        "replacement",
        "replacement_source",
    }
)
"""Fields that checks fill until a person sets them."""

COMPARED = frozenset(Metadata.__slots__)
"""Facts that improvements and breaking changes are computed from."""


def by_id(*, version_id: int, caller: Caller | None = None) -> ModelVersion:
    """Return a version. Raises NotFound, also for one that the caller doesn't see."""
    found = teams.visible(ModelVersion.objects.filter(pk=version_id), caller)
    return lookups.one(found, missing=_missing(version_id))


def find(*, tracked: TrackedModel, text: str, pointer: str) -> ModelVersion:
    """Return the version with this label, else this id, else this upstream id (the newest).

    Raises Invalid with ``pointer`` to the field that named it.
    """
    versions = tracked.versions.order_by("-pk")
    by_number = versions.filter(pk=int(text)) if re.fullmatch(r"[0-9]{1,18}", text) else None
    for candidates in (versions.filter(label=text), by_number, versions.filter(upstream_id=text)):
        found = candidates.first() if candidates is not None else None
        if found is not None:
            return found
    labels = ", ".join(versions.values_list("label", flat=True)[:10])
    message = f"{tracked.name} has no version {text}. Its latest are {labels}."
    raise Invalid(message, [FieldError(pointer, "unknown", message)])


def of_entry(
    *,
    tracked: TrackedModel,
    entry: CatalogueEntry,
    step: str = "",
    taken: frozenset[str] = frozenset(),
) -> ModelVersion:
    """Return a new version, not saved yet, that stands for what a provider lists.

    It follows the model's current version, if there is one: its label is the first for the kind
    of ``step`` that is not ``taken``.
    """
    current = tracked.current_version
    version = ModelVersion(
        tracked_model=tracked,
        upstream_id=entry.upstream_id,
        previous_version=current,
        label=free_label(label=current.label, step=step, taken=taken) if current else FIRST_LABEL,
    )
    knowledge.fill_version(version=version, entry=entry)
    if current is not None:
        knowledge.compare_with_previous(version=version, previous=current)
    return version


@one_transaction
def change(*, version_id: int, changes: Mapping[str, Any], actor: Actor) -> ModelVersion:
    """Set what staff know of a version; checks leave it alone. Raises NotFound and Invalid."""
    found = locks.hold_one(ModelVersion.objects.filter(pk=version_id), missing=_missing(version_id))
    editing.set_fields(found, changes)
    editing.check(found)
    return save_changed(version=found, changed=sorted(changes), actor=actor)


@one_transaction
def save_changed(*, version: ModelVersion, changed: Collection[str], actor: Actor) -> ModelVersion:
    """Save what staff changed of a version, and nothing else.

    A changed fact is held by staff from then on: checks leave it alone. Improvements and
    breaking changes that follow from a changed fact are computed anew.
    """
    held = locks.hold(ModelVersion.objects.filter(pk=version.pk)).get()
    version.staff_fields = sorted({*held.staff_fields, *(FACTS & set(changed))})
    version.past_prices = held.past_prices
    if not prices.FIELDS.isdisjoint(changed):
        prices.keep_past(version=version, before=prices.list_of(held), now=clock.now())
    version.save(update_fields=[*changed, "staff_fields", "past_prices"])
    actor.note(version)
    if "retires_on" in changed and held.retires_on != version.retires_on:
        _tell_of_date(version, before=held.retires_on, actor=actor)
    if COMPARED & set(changed):
        _compare_again(version)
    return version


@one_transaction
def release_fields(*, version_id: int, fields: Collection[str], actor: Actor) -> ModelVersion:
    """Give fields back to the checks, and set them to what the provider last said.

    Raises NotFound, and Invalid where staff do not hold a field.
    """
    found = ModelVersion.objects.select_related("tracked_model").filter(pk=version_id)
    version = locks.hold_one(found, missing=_missing(version_id))
    strange = set(fields) - set(version.staff_fields)
    if strange:
        raise Invalid(f"Staff do not hold {', '.join(sorted(strange))}.")
    version.staff_fields = [name for name in version.staff_fields if name not in fields]
    entry = CatalogueEntry.objects.filter(
        provider=version.tracked_model.provider_id, upstream_id=version.upstream_id
    ).first()
    changes = {} if entry is None else knowledge.fill_version(version=version, entry=entry)
    version.save()
    actor.note(version)
    if "retires_on" in changes:
        _tell_of_date(version, before=changes["retires_on"][0], actor=actor)
    if COMPARED & set(changes):
        _compare_again(version)
    return version


def _tell_of_date(version: ModelVersion, *, before: date | None, actor: Actor) -> None:
    events.retirement_changed(version, before=before, actor=actor, now=clock.now())


def _compare_again(version: ModelVersion) -> None:
    """Compute the differences to the version before it, and from it to the versions after it."""
    pairs = [(version, version.previous_version)]
    pairs += [(later, version) for later in version.next_versions.all()]
    for after, before in pairs:
        if before is None:
            continue
        knowledge.compare_with_previous(version=after, previous=before)
        after.save(update_fields=["found_improvements", "found_breaking_changes"])


def _missing(version_id: int) -> str:
    return f"There is no version {version_id}."
