"""The only writer of an upgrade's state: approve, complete, abort, roll back.

Every function is one transaction. A move is a compare-and-set: it takes effect only if the
record still is where the caller believes it to be, else AlreadyMoved says what happened.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from versioning.domain.transitions import WAITING, State, states_before
from versioning.models import ModelVersion, TrackedModel, UpgradeRecord, UpgradeStep
from versioning.services import baselines, comparison
from versioning.services.actors import Actor
from versioning.services.errors import (
    AlreadyMoved,
    AnotherUnderWay,
    EvidenceChanged,
    Invalid,
    NotFound,
    NothingToRollBack,
)


def move(
    *,
    record_id: int,
    to: State,
    actor: Actor,
    now: datetime,
    reason: str = "",
    evidence: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
    only_from: frozenset[State] | None = None,
) -> UpgradeRecord:
    """Move a record to a state and write down the step.

    ``changes`` are other columns to set with it; ``only_from`` narrows the states that it may
    come from. Raises NotFound, AlreadyMoved (it isn't in a state from which this is possible)
    and AnotherUnderWay (law 3).
    """
    allowed = states_before(to) & (only_from if only_from is not None else frozenset(State))
    try:
        with transaction.atomic():
            record = _locked(record_id)
            before = State(record.state)
            if before not in allowed:
                raise AlreadyMoved(_why_not(record, to))
            moved = UpgradeRecord.objects.filter(pk=record_id, state=before.value).update(
                state=to.value, changed_at=now, **(changes or {})
            )
            if moved != 1:
                raise AlreadyMoved("Somebody else moved this upgrade at the same moment.")
            record.refresh_from_db()
            _write_step(
                record=record, before=before, actor=actor, now=now, reason=reason, evidence=evidence
            )
    except IntegrityError as error:
        raise _law_three(error) from error
    return record


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
        record = _locked(record_id)
        _refuse_other_evidence(record, evidence_hash)
        move(
            record_id=record_id,
            to=State.APPROVED,
            actor=actor,
            now=now,
            reason=reason,
            evidence=record.evidence,
            changes={"snoozed_until": None},
            only_from=WAITING,
        )
        return complete(record_id=record_id, actor=actor, now=now, reason="Approved; no tests set.")


def request_upgrade(
    *, tracked_model_id: int, to_version_id: int, actor: Actor, now: datetime, reason: str = ""
) -> UpgradeRecord:
    """Move a tracked model to one of its versions because somebody asks for it.

    A recommendation of that version that waits is approved; else a record is made for it.
    Raises NotFound, Invalid (it is the current version), AlreadyMoved, AnotherUnderWay.
    """
    with transaction.atomic():
        tracked = _locked_model(tracked_model_id)
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
    return move(
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
    return move(
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
            move(
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


def complete(*, record_id: int, actor: Actor, now: datetime, reason: str = "") -> UpgradeRecord:
    """Make the record's target the current version. Raises NotFound, AlreadyMoved."""
    with transaction.atomic():
        record = _locked(record_id)
        tracked = TrackedModel.objects.select_for_update().get(pk=record.tracked_model_id)
        if tracked.current_version_id != record.from_version_id:
            raise AlreadyMoved(
                "The current version has changed since this was recommended; nothing was moved."
            )
        record = move(
            record_id=record_id,
            to=State.COMPLETED,
            actor=actor,
            now=now,
            reason=reason,
            changes={"completed_at": now, "completion_number": _next_number(tracked)},
        )
        _point_at(tracked=tracked, version=record.to_version, now=now)
    return record


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
        tracked = _locked_model(tracked_model_id)
        undone = move_to_reverse(tracked_model_id=tracked_model_id)
        if record_id is not None and undone.pk != record_id:
            raise AlreadyMoved(
                "This is no longer the latest move of the model; nothing was rolled back."
            )
        move(record_id=undone.pk, to=State.ROLLED_BACK, actor=actor, now=now, reason=reason.strip())
        back = UpgradeRecord.objects.create(
            tracked_model=tracked,
            from_version=undone.to_version,
            to_version=undone.from_version,
            state=State.COMPLETED.value,
            origin=UpgradeRecord.Origin.ROLLBACK,
            step=UpgradeRecord.Step.BACK,
            reasons=_reasons_to_go_back(undone.from_version, reason.strip()),
            recommended_at=now,
            changed_at=now,
            completed_at=now,
            completion_number=_next_number(tracked),
            reverses=undone,
        )
        _write_step(record=back, before=None, actor=actor, now=now, reason=reason.strip())
        _point_at(tracked=tracked, version=undone.from_version, now=now)
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
        raise NothingToRollBack("There is no earlier version to go back to.")
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
        _write_step(record=record, before=None, actor=actor, now=now, reason="Tracking began.")
        _point_at(tracked=tracked, version=version, now=now)


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
    _write_step(record=record, before=None, actor=actor, now=now, reason=reason)
    return record


def _locked(record_id: int) -> UpgradeRecord:
    """Return the record, locked after its tracked model: one order, so no two can deadlock."""
    models = UpgradeRecord.objects.filter(pk=record_id).values("tracked_model_id")
    TrackedModel.objects.select_for_update().filter(pk__in=models).first()
    record = (
        UpgradeRecord.objects.select_for_update(of=("self",))
        .select_related("from_version", "to_version")
        .filter(pk=record_id)
        .first()
    )
    if record is None:
        raise NotFound(f"There is no upgrade record {record_id}.")
    return record


def _locked_model(tracked_model_id: int) -> TrackedModel:
    tracked = TrackedModel.objects.select_for_update().filter(pk=tracked_model_id).first()
    if tracked is None:
        raise NotFound(f"There is no tracked model {tracked_model_id}.")
    return tracked


def _refuse_other_evidence(record: UpgradeRecord, evidence_hash: str | None) -> None:
    if evidence_hash is not None and evidence_hash != record.evidence_hash:
        raise EvidenceChanged(
            "The evidence has changed since you looked. Read it again, then decide."
        )


def _write_step(
    *,
    record: UpgradeRecord,
    before: State | None,
    actor: Actor,
    now: datetime,
    reason: str,
    evidence: Mapping[str, Any] | None = None,
) -> None:
    UpgradeStep.objects.create(
        record=record,
        before=before.value if before else "",
        after=record.state,
        at=now,
        actor_kind=actor.kind,
        actor_name=actor.name,
        user_id=actor.user_id,
        reason=reason[:500],
        evidence=dict(evidence or {}),
        evidence_hash=record.evidence_hash if evidence else "",
    )


def _next_number(tracked: TrackedModel) -> int:
    latest = UpgradeRecord.objects.filter(tracked_model=tracked).aggregate(
        latest=Max("completion_number")
    )["latest"]
    return int(latest or 0) + 1


def _point_at(*, tracked: TrackedModel, version: ModelVersion, now: datetime) -> None:
    TrackedModel.objects.filter(pk=tracked.pk).update(current_version=version, moves=F("moves") + 1)
    baselines.take_baseline(version=version, now=now)
    stale = UpgradeRecord.objects.waiting().filter(tracked_model=tracked)
    for record_id in stale.exclude(from_version=version).values_list("pk", flat=True):
        move(
            record_id=record_id,
            to=State.SUPERSEDED,
            actor=Actor.scheduler(),
            now=now,
            reason=f"The current version is {version.label} now.",
            changes={"snoozed_until": None},
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


def _why_not(record: UpgradeRecord, to: State) -> str:
    last = record.steps.order_by("-at", "-pk").first()
    who = f" by {last.actor_name}" if last else ""
    return (
        f"This upgrade is {record.get_state_display()} already{who}, "
        f"so it can't become {to.value.replace('_', ' ')}. Nothing was changed."
    )


def _law_three(error: IntegrityError) -> Exception:
    text = str(error)
    if "one_upgrade_under_way" in text or "tracked_model_id" in text:
        return AnotherUnderWay(
            "Another upgrade of this model is under way. Wait for its end, or stop it first."
        )
    return error
