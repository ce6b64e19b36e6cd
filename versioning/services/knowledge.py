"""What is known of a listed model, in the shapes that tables and the domain want."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec

from providers.base import ListedModel
from versioning.domain import lineage
from versioning.domain.difference import Metadata, difference
from versioning.models import CatalogueEntry, ModelVersion
from versioning.services import prices

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
NOT_FACTS = frozenset({"id", "revision"})
"""Fields of a listed model that have columns of their own in the catalogue."""


def facts_of(listed: ListedModel) -> dict[str, Any]:
    """Return what a listing says of a model, without what it doesn't say, ready for JSON."""
    facts: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(listed))
    return {name: value for name, value in facts.items() if value and name not in NOT_FACTS}


def listed_of(entry: CatalogueEntry) -> ListedModel:
    """Return a catalogue entry as the listed model that it was."""
    return msgspec.convert(
        {**entry.facts, "id": entry.upstream_id, "revision": entry.revision},
        ListedModel,
        strict=False,
    )


def with_facts_of(listed: ListedModel, enrichment: ListedModel) -> ListedModel:
    """Return the listed model with its gaps filled from what a catalogue says of it."""
    priced = prices.with_prices_of(listed, enrichment)
    missing = {
        field.name: value
        for field in dataclasses.fields(ListedModel)
        if field.name not in NOT_FACTS | prices.FIELDS
        and getattr(priced, field.name) in (None, "", ())
        and (value := getattr(enrichment, field.name)) not in (None, "", ())
    }
    return dataclasses.replace(priced, **missing) if missing else priced


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
        deprecated_on=listed.deprecated_on,
        retires_on=listed.retires_on,
        replacement=listed.replacement,
        replacement_source=listed.source,
        replacement_dated=entry.last_seen_at.date() if listed.replacement else None,
        listed_since=entry.first_seen_at.date(),
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
        deprecated_on=version.deprecated_on,
        retires_on=version.retires_on,
        replacement=version.replacement,
        replacement_source=version.replacement_source,
        replacement_dated=version.replacement_dated,
    )


def metadata_of(version: ModelVersion) -> Metadata:
    return Metadata(**{name: getattr(version, name) for name in Metadata.__slots__})


def fill_version(*, version: ModelVersion, entry: CatalogueEntry) -> dict[str, tuple[Any, Any]]:
    """Set what the entry tells and no person has set; return the changes, before and after.

    A price that the entry doesn't tell is what the provider's options say. The version isn't
    saved. What nothing tells stays as it is.
    """
    changes: dict[str, tuple[Any, Any]] = {}
    usual = version.tracked_model.provider.usual_prices()
    for name, value in prices.believed(version, {**usual, **_told(entry)}).items():
        before = getattr(version, name)
        if name == "revision" and before:
            continue  # a version keeps the revision that it is
        if name in version.staff_fields or before == value:
            continue
        setattr(version, name, value)
        changes[name] = (before, value)
    version.first_seen_at = version.first_seen_at or entry.first_seen_at
    version.last_seen_at = entry.last_seen_at
    return changes


def compare_with_previous(*, version: ModelVersion, previous: ModelVersion) -> None:
    """Compute improvements and breaking changes of a version; what staff added stays apart."""
    found = difference(before=metadata_of(previous), after=metadata_of(version))
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
    if listed.retires_on:
        told["retires_source"] = listed.source[:300]
    if listed.replacement:
        told |= {
            "replacement": listed.replacement[:200],
            "replacement_source": listed.source[:300],
            "replacement_dated": entry.last_seen_at.date(),
        }
    return {name: value for name, value in told.items() if value not in (None, "", [])}
