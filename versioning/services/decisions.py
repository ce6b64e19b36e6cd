"""Decide on what was read: refused where the evidence is another by now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from versioning.domain.labels import free_label
from versioning.domain.memory import UnreadableWake, Wake, WakeKind
from versioning.models import (
    CatalogueEntry,
    ModelVersion,
    TrackedModel,
    UpgradeRecord,
    UpgradeStep,
)
from versioning.services import knowledge, sweeps
from versioning.services.actors import Actor
from versioning.services.errors import EvidenceChanged, FieldError, Invalid, NotFound, ServiceError
from versioning.services.setup import find_version
from versioning.services.tracking import save_checked
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import moves, policies, recommendation, rollout

_SAID = ("verdict", "decision")
"""What an approval says yes to: see ``upgrades.approvals``."""


class NothingRecommended(ServiceError):
    """No newer version waits for a decision."""

    code = "nothing-recommended"


def record(*, record_id: int) -> UpgradeRecord:
    """Return an upgrade record in any state, with its versions and steps. Raises NotFound."""
    steps = Prefetch("steps", queryset=UpgradeStep.objects.order_by("at", "id"))
    found = (
        UpgradeRecord.objects.with_versions().prefetch_related(steps).filter(pk=record_id).first()
    )
    if found is None:
        raise NotFound(f"There is no upgrade record {record_id}.")
    return found


def approve(
    *, record_id: int, actor: Actor, now: datetime, reason: str, evidence_hash: str | None
) -> UpgradeRecord:
    """Approve a recommendation. Raises as rollout.approve does."""
    look_again(record_id=record_id, now=now, evidence_hash=evidence_hash)
    return rollout.approve(
        record_id=record_id, actor=actor, now=now, reason=reason, evidence_hash=evidence_hash
    )


def reject(
    *,
    record_id: int,
    actor: Actor,
    now: datetime,
    reason: str,
    wake: Mapping[str, Any] | None = None,
    evidence_hash: str | None,
) -> UpgradeRecord:
    """Reject a recommendation; ``wake`` has the parts of a wake-up rule.

    Raises as rollout.reject does, EvidenceChanged, and Invalid for a rule with a part missing.
    """
    try:
        rule = None if wake is None else Wake(**{**wake, "kind": WakeKind(wake["kind"])})
    except UnreadableWake as error:
        raise Invalid(str(error), [FieldError("/wake", "invalid", str(error))]) from error
    look_again(record_id=record_id, now=now, evidence_hash=evidence_hash)
    return rollout.reject(
        record_id=record_id,
        actor=actor,
        now=now,
        reason=reason,
        wake=rule,
        evidence_hash=evidence_hash,
    )


def snooze(
    *,
    record_id: int,
    actor: Actor,
    now: datetime,
    until: datetime,
    reason: str,
    evidence_hash: str | None,
) -> UpgradeRecord:
    """Put a recommendation off. Raises as rollout.snooze does, and EvidenceChanged."""
    look_again(record_id=record_id, now=now, evidence_hash=evidence_hash)
    return rollout.snooze(
        record_id=record_id,
        actor=actor,
        now=now,
        until=until,
        reason=reason,
        evidence_hash=evidence_hash,
    )


def look_again(*, record_id: int, now: datetime, evidence_hash: str | None) -> None:
    """Renew the evidence of a waiting record where it says something else by now.

    Also where the hash is that of the figures of this moment, as ``compare`` gives it. More samples
    that say the same change nothing: else nobody could decide on a busy model. It is a transaction
    of its own, so that whoever is refused reads the new evidence.
    """
    record = UpgradeRecord.objects.waiting().with_versions().filter(pk=record_id).first()
    if record is None or record.from_version is None or "method" not in record.evidence:
        return
    found = policies.compared(
        tracked=record.tracked_model,
        from_version=record.from_version,
        to_version=record.to_version,
        now=now,
    )
    says_the_same = all(found.details[key] == record.evidence.get(key) for key in _SAID)
    if not says_the_same or found.digest == evidence_hash:
        recommendation.refresh_evidence(record_id=record_id, now=now)


def look_again_at_model(*, tracked: TrackedModel, now: datetime, evidence_hash: str | None) -> None:
    """Renew the evidence of what waits for a model, for whoever decides on what they have read."""
    if evidence_hash is None:
        return
    waiting = UpgradeRecord.objects.waiting().filter(tracked_model=tracked)
    for record_id in waiting.values_list("pk", flat=True):
        look_again(record_id=record_id, now=now, evidence_hash=evidence_hash)


def look_again_at_all(*, now: datetime) -> int:
    """Renew the evidence of all that waits, where it says something else; return how many wait."""
    return sweeps.each(
        list(UpgradeRecord.objects.waiting().order_by("pk").values_list("pk", flat=True)),
        lambda record_id: look_again(record_id=record_id, now=now, evidence_hash=None),
        subject=lambda record_id: f"Evidence of upgrade {record_id}",
        now=now,
    )


def upgrade(
    *,
    tracked: TrackedModel,
    to_version: str = "",
    upstream_id: str = "",
    actor: Actor,
    now: datetime,
    reason: str,
    evidence_hash: str | None,
) -> UpgradeRecord:
    """Move a model to the version that is named, else to the one that is recommended.

    ``to_version`` is a label or id; ``upstream_id`` may also name what the provider lists and
    no version stands for yet. Raises Invalid, NothingRecommended, EvidenceChanged and what
    rollout.request_upgrade raises.
    """
    look_again_at_model(tracked=tracked, now=now, evidence_hash=evidence_hash)
    return _upgrade(
        tracked_model_id=tracked.pk,
        to_version=to_version,
        upstream_id=upstream_id,
        actor=actor,
        now=now,
        reason=reason,
        evidence_hash=evidence_hash,
    )


@one_transaction
def _upgrade(
    *,
    tracked_model_id: int,
    to_version: str,
    upstream_id: str,
    actor: Actor,
    now: datetime,
    reason: str,
    evidence_hash: str | None,
) -> UpgradeRecord:
    tracked = moves.locked_model(tracked_model_id)
    waiting = UpgradeRecord.objects.waiting().filter(tracked_model=tracked).order_by("-pk")
    if to_version or upstream_id:
        version = _named(tracked=tracked, to_version=to_version, upstream_id=upstream_id)
        waiting = waiting.filter(to_version=version)
    else:
        version = _recommended(waiting.recommended().first(), tracked=tracked)
    if evidence_hash is not None and not waiting.filter(evidence_hash=evidence_hash).exists():
        raise EvidenceChanged(
            "The evidence has changed since you looked. Read it again, then decide."
        )
    return rollout.request_upgrade(
        tracked_model_id=tracked.pk,
        to_version_id=version.pk,
        actor=actor,
        now=now,
        reason=reason,
    )


def pair_to_compare(
    *, tracked: TrackedModel, before: str = "", after: str = ""
) -> tuple[ModelVersion, ModelVersion]:
    """Return the two versions that are named, else the current and the recommended one.

    Raises Invalid and NothingRecommended.
    """
    if before:
        older = find_version(tracked=tracked, text=before, pointer="?from")
    elif tracked.current_version is not None:
        older = tracked.current_version
    else:
        raise NothingRecommended(f"{tracked.name} has no current version.")
    if after:
        newer = find_version(tracked=tracked, text=after, pointer="?to")
        if newer.pk == older.pk:
            message = f"{newer.label} can't be compared with itself: name another version."
            raise Invalid(message, [FieldError("?to", "same-version", message)])
        return older, newer
    waiting = UpgradeRecord.objects.recommended().filter(tracked_model=tracked).order_by("-pk")
    return older, _recommended(waiting.first(), tracked=tracked)


def _recommended(record: UpgradeRecord | None, *, tracked: TrackedModel) -> ModelVersion:
    if record is None:
        raise NothingRecommended(
            f"No upgrade of {tracked.name} is recommended. Name a version to move to it anyway."
        )
    return record.to_version


def _named(*, tracked: TrackedModel, to_version: str, upstream_id: str) -> ModelVersion:
    if to_version and upstream_id:
        message = "Give to_version or upstream_id, not both."
        raise Invalid(message, [FieldError("/upstream_id", "one-of-two", message)])
    if to_version:
        return find_version(tracked=tracked, text=to_version, pointer="/to_version")
    known = tracked.versions.filter(upstream_id=upstream_id).order_by("-pk").first()
    return known or _listed(tracked=tracked, upstream_id=upstream_id)


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
    current = tracked.current_version
    taken = frozenset(tracked.versions.values_list("label", flat=True))
    version = ModelVersion(
        tracked_model=tracked,
        upstream_id=entry.upstream_id,
        previous_version=current,
        label=free_label(label=current.label if current else "", step="minor", taken=taken),
    )
    knowledge.fill_version(version=version, entry=entry)
    if current is not None:
        knowledge.compare_with_previous(version=version, previous=current)
    save_checked(version)
    return version
