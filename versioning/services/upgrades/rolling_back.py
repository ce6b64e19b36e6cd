"""Go back to the version before the latest move: a move like any other, with its own record."""

from datetime import datetime

from django.db import transaction

from versioning.domain.transitions import State
from versioning.models import ModelVersion, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, Invalid, NothingToRollBack
from versioning.services.upgrades import moves

NO_EARLIER = "There is no earlier version to go back to."


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
