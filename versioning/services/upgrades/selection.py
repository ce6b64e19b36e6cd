"""Which record and which versions somebody means."""

from django.db.models import Prefetch

from versioning.models import CatalogueEntry, ModelVersion, TrackedModel, UpgradeRecord, UpgradeStep
from versioning.services import editing, lookups, versions
from versioning.services.errors import FieldError, Invalid, ServiceError
from versioning.services.upgrades import moves


class NothingRecommended(ServiceError):
    """No newer version waits for a decision."""

    code = "nothing-recommended"


def record(*, record_id: int) -> UpgradeRecord:
    """Return an upgrade record in any state, with its versions and steps. Raises NotFound."""
    steps = Prefetch("steps", queryset=UpgradeStep.objects.order_by("at", "id"))
    return lookups.one(
        UpgradeRecord.objects.with_versions().prefetch_related(steps).filter(pk=record_id),
        missing=f"There is no upgrade record {record_id}.",
    )


def target(*, tracked: TrackedModel, to_version: str = "", upstream_id: str = "") -> ModelVersion:
    """Return the version to move to: the one that is named, else the one that is recommended.

    ``to_version`` is a label or id; ``upstream_id`` may also name what the provider lists and no
    version stands for yet: one is made then. Raises Invalid and NothingRecommended.
    """
    if to_version and upstream_id:
        message = "Give to_version or upstream_id, not both."
        raise Invalid(message, [FieldError("/upstream_id", "one-of-two", message)])
    if to_version:
        return versions.find(tracked=tracked, text=to_version, pointer="/to_version")
    if upstream_id:
        known = tracked.versions.filter(upstream_id=upstream_id).order_by("-pk").first()
        return known or _listed(tracked=tracked, upstream_id=upstream_id)
    return _recommended(tracked)


def pair_to_compare(
    *, tracked: TrackedModel, before: str = "", after: str = ""
) -> tuple[ModelVersion, ModelVersion]:
    """Return the two versions that are named, else the current and the recommended one.

    Raises Invalid and NothingRecommended.
    """
    if before:
        older = versions.find(tracked=tracked, text=before, pointer="?from")
    elif tracked.current_version is not None:
        older = tracked.current_version
    else:
        raise NothingRecommended(f"{tracked.name} has no current version.")
    if not after:
        return older, _recommended(tracked)
    newer = versions.find(tracked=tracked, text=after, pointer="?to")
    if newer.pk == older.pk:
        message = f"{newer.label} can't be compared with itself: name another version."
        raise Invalid(message, [FieldError("?to", "same-version", message)])
    return older, newer


def _recommended(tracked: TrackedModel) -> ModelVersion:
    waiting = UpgradeRecord.objects.recommended().filter(tracked_model=tracked)
    latest = waiting.select_related("to_version").order_by("-pk").first()
    if latest is None:
        first = moves.latest(tracked)
        raise NothingRecommended(
            f"No upgrade of {tracked.name} is recommended. {first} Name a version to move to it "
            "anyway.".replace("  ", " ")
        )
    return latest.to_version


def _listed(*, tracked: TrackedModel, upstream_id: str) -> ModelVersion:
    """Make a version of what the provider lists. Raises Invalid where it lists no such id."""
    entry = (
        CatalogueEntry.objects.listed()
        .filter(provider=tracked.provider_id, upstream_id=upstream_id)
        .first()
    )
    if entry is None:
        message = f"The provider lists no {upstream_id}, as far as the last check knows."
        raise Invalid(message, [FieldError("/upstream_id", "not-listed", message)])
    taken = frozenset(tracked.versions.values_list("label", flat=True))
    version = versions.of_entry(tracked=tracked, entry=entry, step="minor", taken=taken)
    editing.save_checked(version)
    return version
