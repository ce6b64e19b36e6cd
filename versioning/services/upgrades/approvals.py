"""Who has said yes to an upgrade, and to what: enough of them set it on its course."""

import hashlib
import json
from datetime import datetime

from versioning.domain.policy import Policy
from versioning.models import Approval, Notice, UpgradeRecord, UpgradeStep
from versioning.services import notices
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, NotAllowed


def basis(record: UpgradeRecord) -> str:
    """Return the hash of what an approval says yes to: the target, and what the evidence says.

    More samples that say the same don't change it.
    """
    said = [record.to_version_id, *(record.evidence.get(k) for k in ("verdict", "decision"))]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def give(
    *, record: UpgradeRecord, policy: Policy, actor: Actor, now: datetime, reason: str = ""
) -> int:
    """Write one approval down; return how many are missing still. The record is locked.

    Raises NotAllowed (the one who asked, or no person where several must approve) and
    AlreadyMoved (the same one twice).
    """
    several = policy.approvals_needed > 1
    if several and actor.kind != "staff":
        raise NotAllowed(f"{policy.approvals_needed} people must approve it in the admin.")
    if not policy.requester_may_approve and is_requester(record=record, actor=actor):
        raise NotAllowed("You asked for this upgrade: somebody else must approve it.")
    standing = record.approvals.standing()
    if standing.filter(actor_kind=actor.kind, actor_name=actor.name).exists():
        raise AlreadyMoved("You have approved it already; it waits for somebody else.")
    Approval.objects.create(
        record=record,
        actor_kind=actor.kind,
        actor_name=actor.name,
        user_id=actor.user_id,
        reason=reason[:500],
        basis=basis(record),
        given_at=now,
    )
    return max(0, policy.approvals_needed - standing.count())


def is_requester(*, record: UpgradeRecord, actor: Actor) -> bool:
    """Say whether the record exists because this one asked for it."""
    if record.step != UpgradeRecord.Step.REQUESTED:
        return False
    first = record.steps.order_by("at", "pk").first()
    return isinstance(first, UpgradeStep) and (first.actor_kind, first.actor_name) == (
        actor.kind,
        actor.name,
    )


def fall(*, record: UpgradeRecord, now: datetime) -> int:
    """Let the approvals fall that were given to something else; return how many did."""
    overtaken = record.approvals.standing().exclude(basis=basis(record))
    fallen = overtaken.update(fell_at=now)
    if fallen:
        notices.tell(
            record=record,
            kind=Notice.Kind.APPROVAL_FELL,
            sentence=f"{fallen} approvals of {record} fell: its evidence says something else now.",
            now=now,
        )
    return fallen
