"""What staff say about versions and models: kept apart from what checks find."""

from collections.abc import Collection
from datetime import datetime

from versioning.domain.difference import Metadata
from versioning.models import CatalogueEntry, LineageRule, ModelVersion, TrackedModel
from versioning.services import knowledge, locks
from versioning.services.actors import Actor
from versioning.services.errors import FieldError, Invalid, NotFound
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import recommendation

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


@one_transaction
def save_version(*, version: ModelVersion, changed: Collection[str], actor: Actor) -> ModelVersion:
    """Save what staff changed of a version, and nothing else.

    A changed fact is held by staff from then on: checks leave it alone. Improvements and
    breaking changes that follow from a changed fact are computed anew.
    """
    held = locks.hold(ModelVersion.objects.filter(pk=version.pk)).get().staff_fields
    version.staff_fields = sorted({*held, *(FACTS & set(changed))})
    version.save(update_fields=[*changed, "staff_fields"])
    actor.note(version)
    if COMPARED & set(changed):
        _compare_again(version)
    return version


@one_transaction
def release_fields(*, version_id: int, fields: Collection[str], actor: Actor) -> ModelVersion:
    """Give fields back to the checks, and set them to what the provider last said.

    Raises NotFound, and Invalid where staff do not hold a field.
    """
    found = ModelVersion.objects.select_related("tracked_model").filter(pk=version_id)
    version = locks.hold(found).first()
    if version is None:
        raise NotFound(f"There is no version {version_id}.")
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
    if COMPARED & set(changes):
        _compare_again(version)
    return version


def set_pin(*, tracked_model_id: int, pinned: bool, reason: str = "", actor: Actor) -> TrackedModel:
    """Pin a model to its version, or let it go. Raises NotFound, and Invalid without a reason."""
    if pinned and not reason.strip():
        raise Invalid(
            "Say why, for whoever looks at it later.",
            [FieldError("/reason", "missing", "Say why, for whoever looks at it later.")],
        )
    tracked = TrackedModel.objects.filter(pk=tracked_model_id).first()
    if tracked is None:
        raise NotFound(f"There is no tracked model {tracked_model_id}.")
    tracked.pinned = pinned
    tracked.pin_reason = reason.strip()[:300] if pinned else ""
    actor.sign(tracked)
    tracked.save(update_fields=["pinned", "pin_reason"])
    return tracked


def rules_changed(*, tracked_model_id: int, made_by: str, now: datetime) -> None:
    """Sign the rules that nobody signed yet, and look for the successor under the new rules."""
    LineageRule.objects.filter(tracked_model=tracked_model_id, made_by="").update(
        made_by=made_by[:150]
    )
    recommendation.recommend(tracked_model_id=tracked_model_id, now=now)


def _compare_again(version: ModelVersion) -> None:
    """Compute the differences to the version before it, and from it to the versions after it."""
    pairs = [(version, version.previous_version)]
    pairs += [(later, version) for later in version.next_versions.all()]
    for after, before in pairs:
        if before is None:
            continue
        knowledge.compare_with_previous(version=after, previous=before)
        after.save(update_fields=["found_improvements", "found_breaking_changes"])
