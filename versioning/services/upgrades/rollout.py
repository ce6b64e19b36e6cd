"""What is decided about an upgrade: approve, reject, snooze, ask for one, roll back.

Every function is one transaction; ``moves`` makes the move.
"""

from contextlib import suppress
from datetime import datetime

from versioning.domain.memory import Wake
from versioning.domain.transitions import WAITING, State
from versioning.models import ModelVersion, TrackedModel, UpgradeRecord
from versioning.services import sweeps
from versioning.services.actors import Actor
from versioning.services.errors import (
    AlreadyMoved,
    EvidenceChanged,
    Invalid,
    NotFound,
)
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import approvals, course, memory, moves, policies
from versioning.services.upgrades.rolling_back import move_to_reverse, roll_back

__all__ = [
    "approve",
    "begin",
    "move_to_reverse",
    "reject",
    "request_upgrade",
    "roll_back",
    "snooze",
    "wake_snoozed",
]


@one_transaction
def approve(
    *,
    record_id: int,
    actor: Actor,
    now: datetime,
    reason: str = "",
    evidence_hash: str | None = None,
) -> UpgradeRecord:
    """Approve a waiting recommendation; with the last approval needed it goes on its course.

    The record that is returned is completed at once, on its course where the policy has tests
    or a canary, or still recommended while approvals are missing. Raises NotFound, AlreadyMoved,
    AnotherUnderWay, NotAllowed (this one may not approve it), NoWayBack, Invalid (a suite that
    the policy asks for can't run), and EvidenceChanged where ``evidence_hash`` names other
    evidence than the record's.
    """
    record = moves.locked(record_id)
    _refuse_other_evidence(record, evidence_hash)
    if State(record.state) not in WAITING:
        raise AlreadyMoved(moves.why_not(record, State.APPROVED))
    resolved = policies.resolve(tracked=record.tracked_model)
    approvals.fall(record=record, now=now)
    missing = approvals.give(
        record=record, policy=resolved.policy, actor=actor, now=now, reason=reason
    )
    if missing:
        return record
    record = moves.move(
        record_id=record_id,
        to=State.APPROVED,
        actor=actor,
        now=now,
        reason=reason,
        evidence=record.evidence,
        changes={"snoozed_until": None},
        only_from=WAITING,
    )
    return course.start(record=record, resolved=resolved, actor=actor, now=now)


@one_transaction
def request_upgrade(
    *, tracked_model_id: int, to_version_id: int, actor: Actor, now: datetime, reason: str = ""
) -> UpgradeRecord:
    """Move a tracked model to one of its versions because somebody asks for it.

    A recommendation of that version that waits is approved; else a record is made for it, which
    waits for others where the policy doesn't let the one who asks approve it.
    Raises Invalid (it is the current version) and what ``approve`` raises.
    """
    tracked = moves.locked_model(tracked_model_id)
    version = ModelVersion.objects.filter(pk=to_version_id, tracked_model=tracked).first()
    if version is None:
        raise NotFound(f"The model has no version {to_version_id}.")
    if version.pk == tracked.current_version_id:
        raise Invalid(f"{version.label} is the current version already.")
    waiting = UpgradeRecord.objects.waiting().filter(tracked_model=tracked, to_version=version)
    record = waiting.first()
    if record is None:
        record = _requested(tracked=tracked, version=version, actor=actor, now=now, reason=reason)
        policy = policies.resolve(tracked=tracked).policy
        if not policy.requester_may_approve:
            return record
    return approve(record_id=record.pk, actor=actor, now=now, reason=reason)


@one_transaction
def reject(
    *,
    record_id: int,
    actor: Actor,
    now: datetime,
    reason: str,
    wake: Wake | None = None,
    evidence_hash: str | None = None,
) -> UpgradeRecord:
    """Reject a waiting recommendation; ``wake`` says when it may be offered again, else never.

    Raises NotFound, AlreadyMoved, Invalid (no reason), EvidenceChanged as ``approve`` does.
    """
    if not reason.strip():
        raise Invalid("Say why: the reason is kept and keeps others from asking again.")
    _refuse_other_evidence(moves.locked(record_id), evidence_hash)
    record = moves.move(
        record_id=record_id,
        to=State.REJECTED,
        actor=actor,
        now=now,
        reason=reason.strip(),
        changes={"snoozed_until": None},
        only_from=WAITING,
    )
    if wake is not None:
        memory.remember(record=record, wake=wake, now=now)
    return record


@one_transaction
def snooze(
    *,
    record_id: int,
    actor: Actor,
    now: datetime,
    until: datetime,
    reason: str = "",
    evidence_hash: str | None = None,
) -> UpgradeRecord:
    """Put a recommendation off until a moment.

    Raises NotFound, AlreadyMoved, Invalid (past), EvidenceChanged as ``approve`` does.
    """
    if until <= now:
        raise Invalid("Choose a day in the future.")
    _refuse_other_evidence(moves.locked(record_id), evidence_hash)
    return moves.move(
        record_id=record_id,
        to=State.SNOOZED,
        actor=actor,
        now=now,
        reason=reason,
        changes={"snoozed_until": until},
    )


def wake_snoozed(*, now: datetime) -> int:
    """Bring back the recommendations whose time has come; return how many there were."""
    due = UpgradeRecord.objects.filter(state=State.SNOOZED.value, snoozed_until__lte=now)
    return sweeps.each(
        list(due.order_by("pk").values_list("pk", flat=True)),
        lambda record_id: _wake(record_id, now=now),
        subject=lambda record_id: f"Waking upgrade {record_id}",
        now=now,
    )


def _wake(record_id: int, *, now: datetime) -> None:
    # Where somebody decided in between, their word stands.
    with suppress(AlreadyMoved):
        moves.move(
            record_id=record_id,
            to=State.RECOMMENDED,
            actor=Actor.scheduler(),
            now=now,
            reason="The snooze is over.",
            changes={"snoozed_until": None},
            only_from=frozenset({State.SNOOZED}),
        )


@one_transaction
def begin(*, tracked: TrackedModel, version: ModelVersion, actor: Actor, now: datetime) -> None:
    """Make a version the first current one of a tracked model that has none."""
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
        policies.compared(tracked=tracked, from_version=current, to_version=version, now=now)
        if current
        else None
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
