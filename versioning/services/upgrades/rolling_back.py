"""Go back to the version before the latest move: a move like any other, with its own record."""

from dataclasses import replace
from datetime import datetime

from versioning.domain.transitions import State
from versioning.models import ModelVersion, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, NothingToRollBack
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import moves, policies, way_back
from versioning.services.upgrades.policies import Resolved
from versioning.services.upgrades.way_back import WayBack, WayBackState

NO_EARLIER = "There is no earlier version to go back to."


@one_transaction
def reverse_latest(
    *,
    tracked_model_id: int,
    actor: Actor,
    now: datetime,
    reason: str,
    record_id: int | None = None,
    to_fallback: WayBack | None = None,
) -> UpgradeRecord:
    """Go back to the version before the latest move; return the rollback's own record.

    With ``record_id`` only if that record is the latest move still. ``to_fallback`` goes to the
    version that it names instead, because the earlier one is gone. Raises NotFound,
    NothingToRollBack, AlreadyMoved.
    """
    tracked = moves.locked_model(tracked_model_id)
    # Ahead of all else: whoever comes second learns who was first, not that nothing is left.
    if record_id is not None:
        _refuse_reversed(record_id, tracked_model_id=tracked_model_id)
    undone = move_to_reverse(tracked_model_id=tracked_model_id)
    earlier = undone.from_version
    if earlier is None:
        raise NothingToRollBack(NO_EARLIER)
    if record_id is not None and undone.pk != record_id:
        raise AlreadyMoved(
            "This is no longer the latest move of the model; nothing was rolled back. "
            + moves.latest(tracked)
        )
    moves.move(record_id=undone.pk, to=State.ROLLED_BACK, actor=actor, now=now, reason=reason)
    target = to_fallback.version if to_fallback and to_fallback.version else earlier
    reasons = _reasons_to_go_back(target, reason)
    if to_fallback is not None:
        reasons.append(to_fallback.sentence)
    back = _write_down(
        undone=undone, left=undone.to_version, to=target, reasons=reasons, actor=actor, now=now
    )
    return back


def _refuse_reversed(record_id: int, *, tracked_model_id: int) -> None:
    """Raise AlreadyMoved, and say who was first, where somebody has rolled this one back."""
    state = State.ROLLED_BACK
    gone = UpgradeRecord.objects.filter(
        pk=record_id, tracked_model=tracked_model_id, state=state.value
    ).first()
    if gone is not None:
        raise AlreadyMoved(moves.why_not(gone, state))


def leave_dead_version(*, record_id: int, now: datetime) -> None:
    """After an aborted canary, leave the current version if its provider gave it up meanwhile.

    It goes to the fallback that the policy names, where the policy rolls back by itself; else a
    person is told. Speaks HTTP: called outside any transaction. Raises DoesNotExist.
    """
    record = UpgradeRecord.objects.with_versions().get(pk=record_id)
    resolved = policies.resolve(tracked=record.tracked_model)
    if record.from_version is None:
        return
    back = way_back.probe(version=record.from_version, now=now)
    if back.outcome is not WayBackState.CLOSED:
        return
    instead = fallback_alive(record=record, fallback=resolved.fallback, now=now)
    _leave(record=record, resolved=resolved, back=back, instead=instead, now=now)


@one_transaction
def _leave(
    *,
    record: UpgradeRecord,
    resolved: Resolved,
    back: WayBack,
    instead: WayBack | None,
    now: datetime,
) -> None:
    """Go to the fallback, or tell a person."""
    tracked = moves.locked_model(record.tracked_model_id)
    if record.from_version is None or tracked.current_version_id != record.from_version_id:
        return
    if instead is None or not resolved.policy.rollback_by_itself:
        way_back.update_notice(record=record, back=back, now=now)
        return
    _write_down(
        undone=record,
        left=record.from_version,
        to=resolved.fallback or record.from_version,
        reasons=[f"The canary of {record} was aborted. {back.sentence}", instead.sentence],
        actor=Actor.scheduler(),
        now=now,
    )


def fallback_alive(
    *, record: UpgradeRecord, fallback: ModelVersion | None, now: datetime
) -> WayBack | None:
    """Return what the provider says of a fallback that answers; None where there is none.

    Neither version of the record is a fallback of it. Speaks HTTP.
    """
    if fallback is None or fallback.pk in (record.from_version_id, record.to_version_id):
        return None
    found = way_back.probe(version=fallback, now=now)
    if not found.is_open:
        return None
    return replace(
        found, sentence=f"It goes to the fallback of its policy, {fallback}. {found.sentence}"
    )


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
        # To go back twice is to go two versions back, never forward again.
        .exclude(origin=UpgradeRecord.Origin.ROLLBACK)
        .order_by("-completion_number")
        .first()
    )
    if record is None:
        raise NothingToRollBack(NO_EARLIER)
    return record


def _write_down(
    *,
    undone: UpgradeRecord,
    left: ModelVersion,
    to: ModelVersion,
    reasons: list[str],
    actor: Actor,
    now: datetime,
) -> UpgradeRecord:
    """Write the rollback's own record, and make its target the current version."""
    back = UpgradeRecord(
        tracked_model=undone.tracked_model,
        from_version=left,
        to_version=to,
        state=State.COMPLETED.value,
        origin=UpgradeRecord.Origin.ROLLBACK,
        step=UpgradeRecord.Step.BACK,
        reasons=reasons,
        reverses=undone,
    )
    return moves.open_record(back, actor=actor, now=now, reason=" ".join(reasons))


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
    if version.is_gone:
        reasons.append(
            f"{version.upstream_id} is no longer listed by the provider: requests may fail."
        )
    return reasons
