"""The one door to decide: approve, reject, snooze, ask for an upgrade, roll back.

Every decision first looks again at the evidence, in a transaction of its own, and then is one
compare-and-set in another. What follows a decision follows here, whoever made it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from versioning.domain.memory import UnreadableWake, Wake, WakeKind
from versioning.domain.transitions import State
from versioning.models import ModelVersion, TrackedModel, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, FieldError, Invalid
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import (
    approvals,
    discussion,
    memory,
    moves,
    policies,
    renewal,
    rolling_back,
    rollout,
    selection,
)


def approve(
    *,
    record_id: int,
    actor: Actor,
    now: datetime,
    reason: str = "",
    evidence_hash: str | None = None,
) -> UpgradeRecord:
    """Approve a waiting recommendation; with the last approval needed its rollout begins.

    The record that is returned is completed at once, under way where the policy has tests or a
    canary, or still recommended while approvals are missing. Raises NotFound, AlreadyMoved,
    AnotherUnderWay, NotAllowed (this one may not approve it), ChangesAsked, NoWayBack, Invalid (a
    suite that the policy asks for can't run), and EvidenceChanged where ``evidence_hash`` names
    other evidence than the record's.
    """
    renewal.renew(record_id=record_id, now=now, evidence_hash=evidence_hash)
    return _approve(
        record_id=record_id, actor=actor, now=now, reason=reason, evidence_hash=evidence_hash
    )


def reject(
    *,
    record_id: int,
    actor: Actor,
    now: datetime,
    reason: str,
    wake: Wake | Mapping[str, Any] | None = None,
    evidence_hash: str | None = None,
) -> UpgradeRecord:
    """Reject a waiting recommendation; ``wake`` says when it may be offered again, else never.

    It is a rule or the parts of one. Raises NotFound, AlreadyMoved, Invalid (no reason, a part
    missing), and EvidenceChanged as ``approve`` does.
    """
    said = _needed(reason, "Say why: the reason is kept and keeps others from asking again.")
    rule = _wake_rule(wake) if isinstance(wake, Mapping) else wake
    renewal.renew(record_id=record_id, now=now, evidence_hash=evidence_hash)
    return _reject(
        record_id=record_id,
        actor=actor,
        now=now,
        reason=said,
        wake=rule,
        evidence_hash=evidence_hash,
    )


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

    Raises NotFound, AlreadyMoved, Invalid (past), and EvidenceChanged as ``approve`` does.
    """
    if until <= now:
        raise Invalid("Choose a day in the future.")
    renewal.renew(record_id=record_id, now=now, evidence_hash=evidence_hash)
    return _snooze(
        record_id=record_id,
        actor=actor,
        now=now,
        until=until,
        reason=reason,
        evidence_hash=evidence_hash,
    )


def request_upgrade(
    *,
    tracked: TrackedModel,
    to_version: str = "",
    upstream_id: str = "",
    actor: Actor,
    now: datetime,
    reason: str = "",
    evidence_hash: str | None = None,
) -> UpgradeRecord:
    """Move a model to the version that is named, else to the one that is recommended.

    A recommendation of that version that waits is approved; else a record is made for it, which
    waits for others where the policy doesn't let the one who asks approve it. Raises AlreadyMoved
    (it is the current version: says who was first), Invalid (nobody has moved to it) and what
    ``selection.target`` and ``approve`` raise.
    """
    renewal.renew_of_model(tracked=tracked, now=now, evidence_hash=evidence_hash)
    return _request(
        tracked_model_id=tracked.pk,
        to_version=to_version,
        upstream_id=upstream_id,
        actor=actor,
        now=now,
        reason=reason,
        evidence_hash=evidence_hash,
    )


def roll_back(
    *,
    tracked_model_id: int,
    actor: Actor,
    now: datetime,
    reason: str,
    record_id: int | None = None,
) -> UpgradeRecord:
    """Go back to the version before the latest move; return the rollback's own record.

    With ``record_id`` only if that record is the latest move still. Raises NotFound, Invalid (no
    reason), NothingToRollBack, AlreadyMoved.
    """
    said = _needed(reason, "Say why: the reason stays with the rollback.")
    return rolling_back.reverse_latest(
        tracked_model_id=tracked_model_id, actor=actor, now=now, reason=said, record_id=record_id
    )


@one_transaction
def _approve(
    *, record_id: int, actor: Actor, now: datetime, reason: str, evidence_hash: str | None
) -> UpgradeRecord:
    record = moves.locked_for(record_id, to=State.APPROVED, evidence_hash=evidence_hash)
    discussion.refuse_if_changes_are_asked(record)
    resolved = policies.resolve(tracked=record.tracked_model)
    if approvals.give(record=record, policy=resolved.policy, actor=actor, now=now, reason=reason):
        return record
    record = moves.move(
        record_id=record_id,
        to=State.APPROVED,
        actor=actor,
        now=now,
        reason=reason,
        evidence=record.evidence,
        changes={"snoozed_until": None},
    )
    return rollout.start(record=record, resolved=resolved, actor=actor, now=now)


@one_transaction
def _reject(
    *,
    record_id: int,
    actor: Actor,
    now: datetime,
    reason: str,
    wake: Wake | None,
    evidence_hash: str | None,
) -> UpgradeRecord:
    record = moves.move(
        record_id=record_id,
        to=State.REJECTED,
        actor=actor,
        now=now,
        reason=reason,
        changes={"snoozed_until": None},
        evidence_hash=evidence_hash,
    )
    if wake is not None:
        memory.remember(record=record, wake=wake, now=now)
    return record


@one_transaction
def _snooze(
    *,
    record_id: int,
    actor: Actor,
    now: datetime,
    until: datetime,
    reason: str,
    evidence_hash: str | None,
) -> UpgradeRecord:
    return moves.move(
        record_id=record_id,
        to=State.SNOOZED,
        actor=actor,
        now=now,
        reason=reason,
        changes={"snoozed_until": until},
        evidence_hash=evidence_hash,
    )


@one_transaction
def _request(
    *,
    tracked_model_id: int,
    to_version: str,
    upstream_id: str,
    actor: Actor,
    now: datetime,
    reason: str,
    evidence_hash: str | None,
) -> UpgradeRecord:
    # The model first: of two who ask for versions that nobody knew, one makes its row.
    tracked = moves.locked_model(tracked_model_id)
    version = selection.target(tracked=tracked, to_version=to_version, upstream_id=upstream_id)
    record = (
        UpgradeRecord.objects.waiting().filter(tracked_model=tracked, to_version=version).first()
    )
    moves.refuse_other_evidence(record, evidence_hash)
    refuse_current(tracked=tracked, version=version)
    if record is None:
        record = requested(tracked=tracked, version=version, actor=actor, now=now, reason=reason)
        policy = policies.resolve(tracked=tracked).policy
        if not policy.requester_may_approve:
            approvals.write_needed(
                record=record, missing=policy.approvals_needed, actor=actor, now=now
            )
            return record
    return _approve(record_id=record.pk, actor=actor, now=now, reason=reason, evidence_hash=None)


def refuse_current(*, tracked: TrackedModel, version: ModelVersion) -> None:
    """Raise AlreadyMoved where it is the current version, Invalid where nobody moved to it."""
    if version.pk != tracked.current_version_id:
        return
    already = f"{version.label} is the current version already."
    latest = moves.latest(tracked)
    raise AlreadyMoved(f"{already} {latest}") if latest else Invalid(already)


def requested(
    *, tracked: TrackedModel, version: ModelVersion, actor: Actor, now: datetime, reason: str
) -> UpgradeRecord:
    """Return a new record of a move that somebody asks for. The model is locked."""
    current = tracked.current_version
    evidence = (
        policies.compared(tracked=tracked, from_version=current, to_version=version, now=now)
        if current
        else None
    )
    return moves.open_record(
        UpgradeRecord(
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
        ),
        actor=actor,
        now=now,
        reason=reason,
    )


def _needed(reason: str, sentence: str) -> str:
    """Return the reason without spaces around it. Raises Invalid where there is none."""
    if not reason.strip():
        raise Invalid(sentence)
    return reason.strip()


def _wake_rule(parts: Mapping[str, Any]) -> Wake:
    try:
        return Wake(**{**parts, "kind": WakeKind(parts["kind"])})
    except UnreadableWake as error:
        raise Invalid(str(error), [FieldError("/wake", "invalid", str(error))]) from error
