"""Move at once in an emergency: past tests, canary, approvals and requests for changes.

It ends by itself, everybody is told, and somebody who had no part in it reviews it afterwards.
While it is open, nothing else moves the model by itself.
"""

from datetime import datetime, timedelta

from django.db.models import Prefetch

from versioning.domain import dates
from versioning.domain.events import EventKind
from versioning.domain.transitions import State
from versioning.models import Emergency, EmergencyStep, TrackedModel, UpgradeRecord
from versioning.models.emergencies import EmergencyQuerySet
from versioning.services import events, locks, lookups, sweeps
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, FieldError, Invalid, NotAllowed, ServiceError
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import approvals, decisions, moves, rollout, selection

USUAL_MINUTES = 60
MOST_MINUTES = 24 * 60
_STOPPED_AS = {
    State.APPROVED: State.SUPERSEDED,
    State.TESTING: State.FAILED,
    State.CANARY: State.ABORTED,
}


class StillOpen(ServiceError):
    """It is reviewed once it has ended."""

    code = "still-open"


@one_transaction
def move(
    *,
    tracked: TrackedModel,
    to_version: str = "",
    upstream_id: str = "",
    minutes: int = USUAL_MINUTES,
    reason: str,
    actor: Actor,
    now: datetime,
) -> UpgradeRecord:
    """Move a model at once; return the record, which is completed.

    The first move declares the emergency, which ends after ``minutes`` (1 to 1,440); further ones
    meanwhile belong to it, and don't make it longer. What is under way to another version is
    stopped. Raises Invalid (no reason, another time), AlreadyMoved (it is the current version) and
    what ``selection.target`` raises.
    """
    said = _written(reason, pointer="/reason", sentence="Say why: somebody will review it.")
    if not 1 <= minutes <= MOST_MINUTES:
        message = f"An emergency lasts 1 to {MOST_MINUTES:,} minutes."
        raise Invalid(message, [FieldError("/minutes", "out-of-range", message)])
    locked = moves.locked_model(tracked.pk)
    version = selection.target(tracked=locked, to_version=to_version, upstream_id=upstream_id)
    decisions.refuse_current(tracked=locked, version=version)
    emergency = _open(locked, now=now) or _declare(
        locked, ends_at=now + timedelta(minutes=minutes), reason=said, actor=actor, now=now
    )
    why = f"Emergency: {said}"
    record = _way_to(locked, to_version_id=version.pk)
    _stop_others(locked, record=record, why=why, actor=actor, now=now)
    if record is None:
        record = decisions.requested(
            tracked=locked, version=version, actor=actor, now=now, reason=why
        )
    if record.is_waiting:
        moves.move(
            record_id=record.pk,
            to=State.APPROVED,
            actor=actor,
            now=now,
            reason=why,
            evidence=record.evidence,
            changes={"snoozed_until": None},
        )
        record = moves.locked(record.pk)
    record = rollout.complete_at_once(record=record, actor=actor, now=now, why=why)
    _write_step(emergency, EmergencyStep.Kind.MOVED, record=record, text=said, actor=actor, now=now)
    return record


@one_transaction
def review(*, emergency_id: int, note: str, actor: Actor, now: datetime) -> Emergency:
    """Write down what somebody who had no part in it thinks of it.

    Raises NotFound, Invalid (no note), AlreadyMoved (it was reviewed), StillOpen, and NotAllowed
    for whoever moved something in it, and for no person.
    """
    said = _written(note, pointer="/note", sentence="Say what you think of it.", most=2000)
    found = lookups.one(
        Emergency.objects.filter(pk=emergency_id), missing=f"There is no emergency {emergency_id}."
    )
    tracked = moves.locked_model(found.tracked_model_id)
    emergency = locks.hold_one(
        Emergency.objects.filter(pk=emergency_id), missing=f"There is no emergency {emergency_id}."
    )
    emergency.tracked_model = tracked
    if emergency.reviewed_at is not None:
        raise AlreadyMoved("Somebody has reviewed it already.")
    if emergency.is_open(now):
        raise StillOpen(f"It lasts until {dates.moment(emergency.ends_at)}: review it then.")
    _refuse_part(emergency, actor=actor)
    _end(emergency, now=now)
    Emergency.objects.filter(pk=emergency.pk).update(reviewed_at=now)
    _write_step(emergency, EmergencyStep.Kind.REVIEWED, text=said, actor=actor, now=now)
    events.write(
        EventKind.EMERGENCY_REVIEWED,
        tracked=tracked,
        sentence=f"{actor.name} reviewed the emergency of {tracked.name}.",
        actor=actor,
        now=now,
        details={"emergency_id": emergency.pk},
    )
    return found_with_steps(emergency.pk)


def end_due(*, now: datetime) -> int:
    """End those whose time is over; return how many."""
    due = Emergency.objects.open().filter(ends_at__lte=now)
    return sweeps.each(
        list(due.order_by("pk").values_list("pk", "tracked_model_id")),
        lambda each: _end_one(emergency_id=each[0], tracked_model_id=each[1], now=now),
        subject=lambda each: f"End of emergency {each[0]}",
        now=now,
    )


def with_steps() -> EmergencyQuerySet:
    """Return all emergencies with their models and what was done in them."""
    steps = EmergencyStep.objects.select_related(
        "record__tracked_model", "record__from_version", "record__to_version"
    )
    ordered = Prefetch("steps", queryset=steps.order_by("pk"))
    return Emergency.objects.with_models().prefetch_related(ordered)


def found_with_steps(emergency_id: int) -> Emergency:
    """Return one emergency with its steps. Raises NotFound."""
    return lookups.one(
        with_steps().filter(pk=emergency_id), missing=f"There is no emergency {emergency_id}."
    )


def may_review(emergency: Emergency, *, actor: Actor, now: datetime) -> bool:
    """Say whether this one may review it now, apart from permissions."""
    if emergency.reviewed_at is not None or emergency.is_open(now):
        return False
    try:
        _refuse_part(emergency, actor=actor)
    except NotAllowed:
        return False
    return True


def _open(tracked: TrackedModel, *, now: datetime) -> Emergency | None:
    """Return the model's open emergency; one whose time is over is ended. The model is locked."""
    found = Emergency.objects.open().filter(tracked_model=tracked).first()
    if found is None or found.is_open(now):
        return found
    found.tracked_model = tracked
    _end(found, now=now)
    return None


def _declare(
    tracked: TrackedModel, *, ends_at: datetime, reason: str, actor: Actor, now: datetime
) -> Emergency:
    made = Emergency.objects.create(
        tracked_model=tracked, reason=reason, declared_at=now, ends_at=ends_at
    )
    _write_step(made, EmergencyStep.Kind.DECLARED, text=reason, actor=actor, now=now)
    events.write(
        EventKind.EMERGENCY_DECLARED,
        tracked=tracked,
        sentence=f"{actor.name} declared an emergency of {tracked.name} until "
        f"{dates.moment(ends_at)}: {reason}",
        actor=actor,
        now=now,
        details={
            "emergency_id": made.pk,
            "ends_at": ends_at.isoformat(timespec="seconds"),
            "reason": reason,
        },
    )
    return made


def _way_to(tracked: TrackedModel, *, to_version_id: int) -> UpgradeRecord | None:
    """Return the record that waits for a move to the version, or is on its way there."""
    records = UpgradeRecord.objects.filter(tracked_model=tracked, to_version=to_version_id)
    found = records.under_way().first() or records.waiting().first()
    return moves.locked(found.pk) if found else None


def _stop_others(
    tracked: TrackedModel, *, record: UpgradeRecord | None, why: str, actor: Actor, now: datetime
) -> None:
    others = UpgradeRecord.objects.under_way().filter(tracked_model=tracked)
    for other in others.exclude(pk=record.pk if record else 0):
        moves.move(
            record_id=other.pk,
            to=_STOPPED_AS[State(other.state)],
            actor=actor,
            now=now,
            reason=why,
        )


@one_transaction
def _end_one(*, emergency_id: int, tracked_model_id: int, now: datetime) -> None:
    tracked = moves.locked_model(tracked_model_id)
    emergency = Emergency.objects.open().filter(pk=emergency_id, ends_at__lte=now).first()
    if emergency is not None:
        emergency.tracked_model = tracked
        _end(emergency, now=now)


def _end(emergency: Emergency, *, now: datetime) -> None:
    """End it, once. The model is locked."""
    if not Emergency.objects.open().filter(pk=emergency.pk).update(ended_at=now):
        return
    tracked, scheduler = emergency.tracked_model, Actor.scheduler()
    count = emergency.steps.filter(kind=EmergencyStep.Kind.MOVED).count()
    _write_step(emergency, EmergencyStep.Kind.ENDED, actor=scheduler, now=now)
    events.write(
        EventKind.EMERGENCY_ENDED,
        tracked=tracked,
        sentence=f"The emergency of {tracked.name} has ended; somebody who had no part in it "
        "reviews it.",
        actor=scheduler,
        now=now,
        details={"emergency_id": emergency.pk, "moves": count},
    )


def _refuse_part(emergency: Emergency, *, actor: Actor) -> None:
    """Raise NotAllowed for whoever had a part in it, or may have, and for no person."""
    if actor.user_id is None:
        raise NotAllowed("A person reviews it, in the admin or with a key of their own.")
    acts = {EmergencyStep.Kind.DECLARED, EmergencyStep.Kind.MOVED}
    for step in emergency.steps.all():  # of a list's rows read already
        if step.kind in acts and actor.user_id in approvals.people_behind(step):
            raise NotAllowed("You moved it yourself: somebody else reviews it.")


def _write_step(
    emergency: Emergency,
    kind: EmergencyStep.Kind,
    *,
    record: UpgradeRecord | None = None,
    text: str = "",
    actor: Actor,
    now: datetime,
) -> None:
    EmergencyStep.objects.create(
        emergency=emergency,
        kind=kind,
        record=record,
        at=now,
        actor_kind=actor.kind,
        actor_name=actor.name,
        user_id=actor.user_id,
        text=text,
    )


def _written(text: str, *, pointer: str, sentence: str, most: int = 480) -> str:
    said = text.strip()
    if not said:
        raise Invalid(sentence, [FieldError(pointer, "missing", sentence)])
    if len(said) > most:
        message = f"At most {most:,} letters."
        raise Invalid(message, [FieldError(pointer, "too-long", message)])
    return said
