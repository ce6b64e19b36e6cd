"""Who has said yes to an upgrade, and to what: enough of them set it on its course."""

import hashlib
import json
from datetime import datetime

from django.db.models import Q

from versioning.domain.events import EventKind
from versioning.domain.evidence import read
from versioning.domain.policy import EffectivePolicy
from versioning.models import ApiKey, Approval, EmergencyStep, Notice, UpgradeRecord, UpgradeStep
from versioning.services import events, teams
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, NotAllowed


def basis(record: UpgradeRecord) -> str:
    """Return the hash of what an approval says yes to: the target, and what the evidence says.

    More samples that say the same don't change it.
    """
    # Not the whole evidence: on a busy model its figures change with every minute.
    kept = read(record.evidence)
    said = [record.to_version_id, kept.verdict or None, kept.decision or None]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def give(
    *, record: UpgradeRecord, policy: EffectivePolicy, actor: Actor, now: datetime, reason: str = ""
) -> int:
    """Write one approval down; return how many are missing still, which others are told.

    The record is locked; approvals that were given to something else fall. Approvals count people:
    a person is the same one in the admin and with each of their own keys.
    Raises NotAllowed (who is not in the model's team, the one who asked, or no person where people
    must approve) and AlreadyMoved (the same one twice).
    """
    teams.refuse_outsider(tracked=record.tracked_model, actor=actor)
    if policy.approvals_needed > 1 and actor.user_id is None:
        raise NotAllowed(
            f"{policy.approvals_needed} people must approve it, in the admin or with keys of their "
            "own: a service is none."
        )
    if not policy.requester_may_approve:
        _refuse_requester(record=record, actor=actor)
    fall(record=record, now=now)
    standing = record.approvals.standing()
    same = Q(actor_kind=actor.kind, actor_name=actor.name)
    # A person may come by the admin and by a key of their own, under two names.
    if actor.user_id is not None:
        same |= Q(user_id=actor.user_id)
    if standing.filter(same).exists():
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
    missing = max(0, policy.approvals_needed - standing.count())
    if missing:
        write_needed(record=record, missing=missing, actor=actor, now=now)
    return missing


def write_needed(*, record: UpgradeRecord, missing: int, actor: Actor, now: datetime) -> None:
    """Write the event by which others learn that the record needs their approval."""
    what = "1 more approval" if missing == 1 else f"{missing} more approvals"
    events.write(
        EventKind.APPROVAL_NEEDED,
        tracked=record.tracked_model,
        record=record,
        sentence=f"{record} needs {what}.",
        actor=actor,
        now=now,
        details={"missing": missing},
    )


def is_requester(*, record: UpgradeRecord, actor: Actor) -> bool:
    """Say whether the record exists because this one asked for it, or may have.

    Whoever made the key of a service may hold it, so what it asked for they may have asked for.
    """
    first = _request_of(record)
    if first is None:
        return False
    if (first.actor_kind, first.actor_name) == (actor.kind, actor.name):
        return True
    return actor.user_id is not None and actor.user_id in people_behind(first)


def _refuse_requester(*, record: UpgradeRecord, actor: Actor) -> None:
    """Raise NotAllowed unless a second person approves what somebody asked for."""
    if is_requester(record=record, actor=actor):
        raise NotAllowed("You asked for this upgrade: somebody else must approve it.")
    if _request_of(record) is not None and actor.user_id is None:
        raise NotAllowed(
            "A person who did not ask for it must approve it. A service's key may be in the hands "
            "of whoever asked."
        )


def _request_of(record: UpgradeRecord) -> UpgradeStep | None:
    """Return the step with which somebody asked for the record; None where a check found it."""
    if record.step != UpgradeRecord.Step.REQUESTED:
        return None
    return record.steps.order_by("at", "pk").first()


def people_behind(step: UpgradeStep | EmergencyStep) -> set[int]:
    """Return the person who took a step, or those who made the keys of the service that did."""
    if step.user_id is not None:
        return {step.user_id}
    if step.actor_kind != UpgradeStep.ActorKind.API:
        return set()
    # Steps keep a key's name, and several keys may have the same one: any of them will do.
    keys = ApiKey.objects.filter(name=step.actor_name)
    return {
        person
        for pair in keys.values_list("person_id", "maker_id")
        for person in pair
        if person is not None
    }


def fall(*, record: UpgradeRecord, now: datetime) -> int:
    """Let the approvals fall that were given to something else; return how many did."""
    overtaken = record.approvals.standing().exclude(basis=basis(record))
    fallen = overtaken.update(fell_at=now)
    if fallen:
        several = "approval" if fallen == 1 else "approvals"
        events.write(
            EventKind.APPROVAL_FELL,
            tracked=record.tracked_model,
            record=record,
            sentence=f"{fallen} {several} of {record} fell: its evidence says something else now.",
            actor=Actor.scheduler(),
            now=now,
            details={"fallen": fallen},
            notice=Notice.Kind.APPROVAL_FELL,
        )
    return fallen
