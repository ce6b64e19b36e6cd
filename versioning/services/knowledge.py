"""What is known of a listed model, in the shapes that tables and the domain want."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec
from django.core.exceptions import ValidationError

from providers.base import GOES_WITH, ListedModel
from versioning.domain import dates, lineage
from versioning.domain.version_changes import Metadata, changes_between
from versioning.models import CatalogueEntry, ModelVersion
from versioning.services import clock, prices

PLAIN_FIELDS = (
    "context_tokens",
    "output_tokens",
    "input_price",
    "output_price",
    "cached_input_price",
    "other_prices",
    "deprecated_on",
    "retires_on",
)
LIST_FIELDS = ("input_modalities", "output_modalities", "parameters", "capabilities")
NATURE = ("context_tokens", "input_modalities", "output_modalities", "capabilities")
"""Facts of a model's weights, whoever serves them."""
NOT_FACTS = frozenset({"id", "revision", "created", "prices_guessed"})
"""Fields of a listed model that have columns of their own in the catalogue, or no use there."""

WITHDRAWABLE: Mapping[str, Any] = {
    "deprecated_on": None,
    "retires_on": None,
    "retires_precision": "",
    "retires_source": "",
    "lifecycle": "",
    "lifecycle_source": "",
    "replacement": "",
    "replacement_source": "",
    "replacement_dated": None,
}
"""Facts that a source takes back by telling them no more, and what they are then."""


def facts_of(listed: ListedModel) -> dict[str, Any]:
    """Return what a listing says of a model, without what it doesn't say, ready for JSON."""
    facts: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(listed))
    return {name: value for name, value in facts.items() if value and name not in NOT_FACTS}


def listed_of(entry: CatalogueEntry) -> ListedModel:
    """Return a catalogue entry as the listed model that it was.

    Facts of a shape that is no longer read count as not told: the id stays.
    """
    id, revision = entry.upstream_id, entry.revision
    try:
        facts = {**entry.facts, "id": id, "revision": revision}
        return msgspec.convert(facts, ListedModel, strict=False)
    except msgspec.ValidationError:
        return ListedModel(id=id, revision=revision)


def with_facts_of(listed: ListedModel, enrichment: ListedModel, *, who: str = "") -> ListedModel:
    """Return the listed model with its gaps filled from what ``who``, a catalogue, says of it.

    A fact that says how another is meant is filled together with it, or not at all.
    """
    priced = prices.with_prices_of(listed, enrichment)
    cites_itself = listed.deprecated_on or listed.retires_on or listed.replacement
    missing: dict[str, Any] = {
        field.name: value
        for field in dataclasses.fields(ListedModel)
        if field.name not in NOT_FACTS | prices.FIELDS | {"told_by"}
        and getattr(priced, GOES_WITH.get(field.name, field.name)) in (None, "", ())
        and (value := getattr(enrichment, field.name)) not in (None, "", ())
        and not (field.name == "source" and cites_itself)
    }
    filled = dataclasses.replace(priced, **missing) if missing else priced
    told = {
        name: who
        for name in (*PLAIN_FIELDS, *LIST_FIELDS)
        if who and name not in WITHDRAWABLE and getattr(filled, name) != getattr(listed, name)
    }
    return dataclasses.replace(filled, told_by={**listed.told_by, **told}) if told else filled


def with_nature_of(listed: ListedModel, other: ListedModel, *, who: str) -> ListedModel:
    """Return the listed model with what ``who``, another service, says of the same weights.

    Only what is the model's own: what it reads and writes, what it can, how long its context is.
    Prices, dates and parameters are the other service's.
    """
    missing: dict[str, Any] = {
        name: value
        for name in NATURE
        if getattr(listed, name) in (None, ()) and (value := getattr(other, name)) not in (None, ())
    }
    told = {**listed.told_by, **dict.fromkeys(missing, who)}
    return dataclasses.replace(listed, **missing, told_by=told) if missing else listed


def known_of(entry: CatalogueEntry) -> lineage.Known:
    """Return a catalogue entry as evidence about lineage."""
    listed = listed_of(entry)
    return lineage.Known(
        id=listed.id,
        name=listed.name,
        revision=listed.revision,
        released=listed.released,
        context_tokens=listed.context_tokens,
        output_tokens=listed.output_tokens,
        input_price=listed.input_price,
        output_price=listed.output_price,
        input_modalities=listed.input_modalities,
        output_modalities=listed.output_modalities,
        capabilities=listed.capabilities,
        parameters=listed.parameters,
        aliases=listed.aliases,
        hugging_face_id=listed.hugging_face_id,
        description=listed.description,
        status=listed.lifecycle,
        access=listed.access,
        deprecated_on=listed.deprecated_on,
        retires_on=listed.retires_on,
        replacement=listed.replacement,
        replacement_source=listed.source,
        replacement_dated=clock.local_day(entry.last_seen_at) if listed.replacement else None,
        listed_since=clock.local_day(entry.first_seen_at),
    )


def known_of_version(version: ModelVersion) -> lineage.Known:
    """Return a version as evidence about lineage, where the catalogue has no entry for it."""
    return lineage.Known(
        id=version.upstream_id,
        revision=version.revision,
        released=version.released_on,
        context_tokens=version.context_tokens,
        output_tokens=version.output_tokens,
        input_price=version.input_price,
        output_price=version.output_price,
        input_modalities=tuple(version.input_modalities),
        output_modalities=tuple(version.output_modalities),
        capabilities=tuple(version.capabilities),
        parameters=tuple(version.parameters),
        status=version.lifecycle,
        deprecated_on=version.deprecated_on,
        retires_on=version.retires_on,
        replacement=version.replacement,
        replacement_source=version.replacement_source,
        replacement_dated=version.replacement_dated,
    )


def metadata_of(version: ModelVersion) -> Metadata:
    return Metadata(**{name: getattr(version, name) for name in Metadata.__slots__})


def fill_version(
    *, version: ModelVersion, entry: CatalogueEntry, revised: bool = False
) -> dict[str, tuple[Any, Any]]:
    """Set what the entry tells and no person has set; return the changes, before and after.

    A price that the entry doesn't tell is what the provider's options say. Where a source takes
    back a retirement or a lifecycle, it goes; what else nothing tells stays as it is. What can't
    be stored, or contradicts what staff hold, is left out and said among the doubts. With
    ``revised`` the entry is another revision by now: only what holds for the id is taken over.
    The version isn't saved.
    """
    told, doubts = _storable(version, _told(entry))
    if revised:
        told = {name: value for name, value in told.items() if name in WITHDRAWABLE}
    withdrawn = {name: empty for name, empty in WITHDRAWABLE.items() if name not in told}
    if entry.created_said is not None and "released_on" not in told and not revised:
        withdrawn["released_on"] = None  # what was read from it is known to be none
    held = frozenset(version.staff_fields)
    if "retires_on" in held:  # how a date is meant, and who says so, belongs to the date
        held |= {"retires_precision", "retires_source"}
    usual = {} if revised else version.tracked_model.provider.usual_prices()
    wanted = {
        name: value
        for name, value in {**withdrawn, **prices.believed(version, {**usual, **told})}.items()
        if name not in held and not (name == "revision" and version.revision)
    }
    doubts += prices.doubts_of(version, told)
    doubts += _against_staff(version, told, held=held)
    doubts += _in_order(version, wanted)
    listed = listed_of(entry)
    wanted["doubts"] = [*listed.doubts, *doubts]
    if not revised:
        wanted["told_by"] = {name: who for name, who in listed.told_by.items() if name not in held}
    changes = {
        name: (before, value)
        for name, value in wanted.items()
        if (before := getattr(version, name)) != value
    }
    priced = prices.list_of(version)
    for name, (_, value) in changes.items():
        setattr(version, name, value)
    if not prices.FIELDS.isdisjoint(changes):
        prices.keep_past(version=version, before=priced, now=entry.last_seen_at)
    if "lifecycle" in changes:
        day = clock.local_day(entry.last_seen_at)
        version.lifecycle_on = day if version.lifecycle else None
    version.first_seen_at = version.first_seen_at or entry.first_seen_at
    version.last_seen_at = entry.last_seen_at
    return changes


def compare_with_previous(*, version: ModelVersion, previous: ModelVersion) -> None:
    """Compute improvements and breaking changes of a version; what staff added stays apart."""
    found = changes_between(before=metadata_of(previous), after=metadata_of(version))
    version.found_improvements = list(found.improvements)
    version.found_breaking_changes = list(found.breaking_changes)


def _told(entry: CatalogueEntry) -> Mapping[str, Any]:
    listed = listed_of(entry)
    told: dict[str, Any] = {name: getattr(listed, name) for name in PLAIN_FIELDS}
    told |= {name: list(getattr(listed, name)) for name in LIST_FIELDS}
    told["other_prices"] = prices.others_as_json(listed)
    told["released_on"] = listed.released
    told["retires_precision"] = listed.retires_precision or ""
    told["revision"] = entry.revision
    told["lifecycle"] = listed.lifecycle
    if listed.lifecycle:
        told["lifecycle_source"] = listed.lifecycle_source[:300]
    if listed.retires_on:
        told["retires_source"] = listed.source[:300]
    if listed.replacement:
        told |= {
            "replacement": listed.replacement[:200],
            "replacement_source": listed.source[:300],
            "replacement_dated": clock.local_day(entry.last_seen_at),
        }
    return {name: value for name, value in told.items() if value not in (None, "", [])}


def _storable(version: ModelVersion, told: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return what the columns take, and a sentence for each fact that they don't."""
    kept: dict[str, Any] = {}
    doubts = []
    for name, value in told.items():
        try:
            column: Any = version._meta.get_field(name)
            kept[name] = column.clean(value, version)
        except ValidationError as error:
            doubts.append(f"Its {name.replace('_', ' ')} can't be stored: {error.messages[0]}")
    return kept, doubts


def _against_staff(
    version: ModelVersion, told: Mapping[str, Any], *, held: frozenset[str]
) -> list[str]:
    """Say each date that staff hold and the sources tell otherwise: staff's stays."""
    return [
        f"Staff say that {_DATED[name]} {dates.day(ours)}; the provider's sources say "
        f"{dates.day(told[name])}."
        for name in ("deprecated_on", "retires_on")
        if name in held
        and (ours := getattr(version, name)) is not None
        and told.get(name) not in (None, ours)
    ]


def _in_order(version: ModelVersion, wanted: dict[str, Any]) -> list[str]:
    """Take back the date of a source that can't be beside one that staff hold; say both.

    What sources tell is in order already: only a date of staff's can be against one of theirs.
    """
    deprecated = wanted.get("deprecated_on", version.deprecated_on)
    retires = wanted.get("retires_on", version.retires_on)
    if deprecated is None or retires is None or deprecated <= retires:
        return []
    if "deprecated_on" in wanted:
        wanted["deprecated_on"] = None
        return [
            f"It is said to be deprecated on {dates.day(deprecated)}, after its retirement on "
            f"{dates.day(retires)}: the retirement is kept."
        ]
    wanted |= {"retires_on": None, "retires_precision": "", "retires_source": ""}
    return [
        f"It is said to retire on {dates.day(retires)}, before {dates.day(deprecated)}, when staff "
        "say that it is deprecated: staff's date is kept."
    ]


_DATED = {"deprecated_on": "it is deprecated on", "retires_on": "it retires on"}
