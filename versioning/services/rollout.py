"""What is decided about an upgrade: approve, reject, snooze, ask for one, roll back.

Every function is one transaction; ``moves`` makes the move.
"""

from datetime import datetime

from django.db import transaction

from versioning.domain.transitions import WAITING, State
from versioning.models import ModelVersion, TrackedModel, UpgradeRecord
from versioning.services import comparison, moves
from versioning.services.actors import Actor
from versioning.services.errors import (
    AlreadyMoved,
    EvidenceChanged,
    Invalid,
    NotFound,
    NothingToRollBack,
)

NO_EARLIER = "There is no earlier version to go back to."


def approve(
    *,
    record_id: int,
    actor: Actor,
    now: datetime,
    reason: str = "",
    evidence_hash: str | None = None,
) -> UpgradeRecord:
    """Approve a waiting recommendation and set it on its course.

    Raises NotFound, AlreadyMoved, AnotherUnderWay, and EvidenceChanged where ``evidence_hash``
    names other evidence than the record's.
    """
    with transaction.atomic():
        record = moves.locked(record_id)
        _refuse_other_evidence(record, evidence_hash)
        moves.move(
            record_id=record_id,
            to=State.APPROVED,
            actor=actor,
            now=now,
            reason=reason,
            evidence=record.evidence,
            changes={"snoozed_until": None},
            only_from=WAITING,
        )
        return moves.complete(
            record_id=record_id, actor=actor, now=now, reason="Approved; no tests set."
        )


def request_upgrade(
    *, tracked_model_id: int, to_version_id: int, actor: Actor, now: datetime, reason: str = ""
) -> UpgradeRecord:
    """Move a tracked model to one of its versions because somebody asks for it.

    A recommendation of that version that waits is approved; else a record is made for it.
    Raises NotFound, Invalid (it is the current version), AlreadyMoved, AnotherUnderWay.
    """
    with transaction.atomic():
        tracked = moves.locked_model(tracked_model_id)
        version = ModelVersion.objects.filter(pk=to_version_id, tracked_model=tracked).first()
        if version is None:
            raise NotFound(f"The model has no version {to_version_id}.")
        if version.pk == tracked.current_version_id:
            raise Invalid(f"{version.label} is the current version already.")
        waiting = UpgradeRecord.objects.waiting().filter(tracked_model=tracked, to_version=version)
        record = waiting.first() or _requested(
            tracked=tracked, version=version, actor=actor, now=now, reason=reason
        )
        return approve(record_id=record.pk, actor=actor, now=now, reason=reason)


def reject(*, record_id: int, actor: Actor, now: datetime, reason: str) -> UpgradeRecord:
    """Reject a waiting recommendation. Raises NotFound, AlreadyMoved, Invalid (no reason)."""
    if not reason.strip():
        raise Invalid("Say why: the reason is kept and keeps others from asking again.")
    return moves.move(
        record_id=record_id,
        to=State.REJECTED,
        actor=actor,
        now=now,
        reason=reason.strip(),
        changes={"snoozed_until": None},
        only_from=WAITING,
    )


def snooze(
    *, record_id: int, actor: Actor, now: datetime, until: datetime, reason: str = ""
) -> UpgradeRecord:
    """Put a recommendation off until a moment. Raises NotFound, AlreadyMoved, Invalid (past)."""
    if until <= now:
        raise Invalid("Choose a day in the future.")
    return moves.move(
        record_id=record_id,
        to=State.SNOOZED,
        actor=actor,
        now=now,
        reason=reason,
        changes={"snoozed_until": until},
    )


def wake_snoozed(*, now: datetime) -> int:
    """Bring back the recommendations whose time has come; return how many."""
    due = UpgradeRecord.objects.filter(state=State.SNOOZED.value, snoozed_until__lte=now)
    woken = 0
    for record_id in due.values_list("pk", flat=True):
        try:
            moves.move(
                record_id=record_id,
                to=State.RECOMMENDED,
                actor=Actor.scheduler(),
                now=now,
                reason="The snooze is over.",
                changes={"snoozed_until": None},
                only_from=frozenset({State.SNOOZED}),
            )
        except AlreadyMoved:
            continue  # somebody decided in between
        woken += 1
    return woken


def roll_back(
    *,
    tracked_model_id: int,
    actor: Actor,
    now: datetime,
    reason: str,
    record_id: int | None = None,
) -> UpgradeRecord:
    """Go back to the version before the latest move; return the rollback's own record.

    With ``record_id`` only if that record is the latest move still. Raises NotFound, Invalid
    (no reason), NothingToRollBack, AlreadyMoved.
    """
    if not reason.strip():
        raise Invalid("Say why: the reason stays with the rollback.")
    with transaction.atomic():
        tracked = moves.locked_model(tracked_model_id)
        undone = move_to_reverse(tracked_model_id=tracked_model_id)
        earlier = undone.from_version
        if earlier is None:
            raise NothingToRollBack(NO_EARLIER)
        if record_id is not None and undone.pk != record_id:
            raise AlreadyMoved(
                "This is no longer the latest move of the model; nothing was rolled back."
            )
        moves.move(
            record_id=undone.pk, to=State.ROLLED_BACK, actor=actor, now=now, reason=reason.strip()
        )
        back = UpgradeRecord.objects.create(
            tracked_model=tracked,
            from_version=undone.to_version,
            to_version=earlier,
            state=State.COMPLETED.value,
            origin=UpgradeRecord.Origin.ROLLBACK,
            step=UpgradeRecord.Step.BACK,
            reasons=_reasons_to_go_back(earlier, reason.strip()),
            recommended_at=now,
            changed_at=now,
            completed_at=now,
            completion_number=moves.next_number(tracked),
            reverses=undone,
        )
        moves.write_step(record=back, before=None, actor=actor, now=now, reason=reason.strip())
        moves.point_at(tracked=tracked, version=earlier, now=now)
    return back


def move_to_reverse(*, tracked_model_id: int) -> UpgradeRecord:
    """Return the completed upgrade that a rollback would reverse now.

    It is the latest one that still stands: rollbacks and what they reversed are passed over.
    Raises NothingToRollBack.
    """
    record = (
        UpgradeRecord.objects.with_versions()
        .filter(
            tracked_model_id=tracked_model_id,
            state=State.COMPLETED.value,
            from_version__isnull=False,
        )
        .exclude(origin=UpgradeRecord.Origin.ROLLBACK)
        .order_by("-completion_number")
        .first()
    )
    if record is None:
        raise NothingToRollBack(NO_EARLIER)
    return record


def begin(*, tracked: TrackedModel, version: ModelVersion, actor: Actor, now: datetime) -> None:
    """Make a version the first current one of a tracked model that has none."""
    with transaction.atomic():
        record = UpgradeRecord.objects.create(
            tracked_model=tracked,
            to_version=version,
            state=State.COMPLETED.value,
            origin=UpgradeRecord.Origin.TRACKING,
            step=UpgradeRecord.Step.FIRST,
            recommended_at=now,
            changed_at=now,
            completed_at=now,
            completion_number=1,
        )
        moves.write_step(record=record, before=None, actor=actor, now=now, reason="Tracking began.")
        moves.point_at(tracked=tracked, version=version, now=now)


def _requested(
    *, tracked: TrackedModel, version: ModelVersion, actor: Actor, now: datetime, reason: str
) -> UpgradeRecord:
    current = tracked.current_version
    evidence = (
        comparison.evidence(from_version=current, to_version=version, now=now) if current else None
    )
    record = UpgradeRecord.objects.create(
        tracked_model=tracked,
        from_version=current,
        to_version=version,
        origin=UpgradeRecord.Origin.API if actor.kind == "api" else UpgradeRecord.Origin.STAFF,
        step=UpgradeRecord.Step.REQUESTED,
        reasons=[f"{actor.name} asked for {version.label}.", *([reason] if reason else [])],
        evidence=evidence.as_dict() if evidence else {},
        evidence_hash=evidence.digest if evidence else "",
        evidence_at=now,
        urgent_on=current.retires_on if current else None,
        recommended_at=now,
        changed_at=now,
    )
    moves.write_step(record=record, before=None, actor=actor, now=now, reason=reason)
    return record


def _refuse_other_evidence(record: UpgradeRecord, evidence_hash: str | None) -> None:
    if evidence_hash is not None and evidence_hash != record.evidence_hash:
        raise EvidenceChanged(
            "The evidence has changed since you looked. Read it again, then decide."
        )


def _reasons_to_go_back(version: ModelVersion, reason: str) -> list[str]:
    reasons = [reason]
    newer = ModelVersion.objects.filter(
        tracked_model=version.tracked_model_id, upstream_id=version.upstream_id, pk__gt=version.pk
    )
    if version.revision and newer.exists():
        reasons.append(
            f"The provider serves another revision as {version.upstream_id} by now: "
            "requests may not reach the earlier one."
        )
    if not version.is_listed:
        reasons.append(
            f"{version.upstream_id} is no longer listed by the provider: requests may fail."
        )
    return reasons
