"""A canary: begin it, look at it, and do what the evidence says; people may stop or free it."""

import logging
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import F

from versioning.domain import canary as rules
from versioning.domain import dates
from versioning.domain.canary import Action, GateState
from versioning.domain.events import EventKind
from versioning.domain.evidence import Evidence
from versioning.domain.policy import Asks
from versioning.domain.statistics.cautions import WarningCode
from versioning.domain.statistics.figures import counted
from versioning.domain.statistics.intervals import FLOOR
from versioning.domain.statistics.verdict import Verdict
from versioning.domain.transitions import State
from versioning.models import Canary, Look, Notice, TrackedModel, UpgradeRecord
from versioning.services import events, locks, notices
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, Invalid
from versioning.services.samples import sessions
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import looks, moves, policies, watching
from versioning.services.upgrades.policies import Resolved
from versioning.services.upgrades.traffic import live_requests

logger = logging.getLogger(__name__)


def begin(
    *,
    record: UpgradeRecord,
    resolved: Resolved,
    actor: Actor,
    now: datetime,
    reason: str,
    evidence: Mapping[str, Any],
) -> UpgradeRecord:
    """Give the first step's share of the keys the new version. The record is locked."""
    record = moves.move(
        record_id=record.pk,
        to=State.CANARY,
        actor=actor,
        now=now,
        reason=reason,
        evidence=evidence,
    )
    Canary.objects.create(
        record=record,
        # Of each canary its own: else the same keys would be the first to try every version.
        salt=secrets.token_hex(8),
        steps=[_written(step) for step in resolved.policy.canary_steps],
        began_at=now,
        step_began_at=now,
    )
    _answers_change(record)
    return record


def evaluate(*, record_id: int, now: datetime) -> UpgradeRecord:
    """Look at a canary once and do what its evidence says; a record elsewhere stays as it is.

    At most one step a look, whatever the clock says and however many look. Raises NotFound.
    """
    # Ahead and apart: it writes many rows, and the look holds the model's lock.
    _count_mixed_out(record_id)
    return _evaluate(record_id=record_id, now=now)


@one_transaction
def approve_step(*, record_id: int, actor: Actor, now: datetime) -> Canary:
    """Say a person's yes to the step that a canary is at. Raises NotFound, AlreadyMoved."""
    found = _open(record_id)
    if found.approved_position >= found.position:
        raise AlreadyMoved("This step is approved already.")
    found.approved_position = found.position
    found.says = f"{actor.name} approved this step at {dates.moment(now)}."[:500]
    found.save(update_fields=["approved_position", "says"])
    return found


@one_transaction
def resume(*, record_id: int, actor: Actor, now: datetime) -> Canary:
    """Let a paused canary go on: its step begins anew. Raises NotFound, AlreadyMoved."""
    found = _open(record_id)
    if found.paused_at is None:
        raise AlreadyMoved("This canary is not paused.")
    # Else the deadline that paused it would pause it again at the next look.
    found.paused_at, found.step_began_at = None, now
    found.says = f"{actor.name} let it go on."[:500]
    found.save(update_fields=["paused_at", "step_began_at", "says"])
    _write_event(
        EventKind.CANARY_RESUMED, found, f"{found.record}: {found.says}", actor=actor, now=now
    )
    notices.resolve(record=found.record, kind=Notice.Kind.CANARY_PAUSED, by=actor.name, now=now)
    return found


def abort(*, record_id: int, actor: Actor, now: datetime, reason: str) -> UpgradeRecord:
    """Stop a canary: every key gets the current version at once.

    Its step keeps what the samples say now; where they can't be compared, what was known before.
    Raises NotFound, AlreadyMoved, Invalid (no reason).
    """
    if not reason.strip():
        raise Invalid("Say why: the reason stays with the upgrade.")
    # Before the lock: a comparison takes its time, and would hold the model meanwhile.
    shown = _if_it_can_be_seen(record_id, now=now)
    return _abort(record_id=record_id, actor=actor, now=now, reason=reason.strip(), shown=shown)


@one_transaction
def _abort(
    *, record_id: int, actor: Actor, now: datetime, reason: str, shown: Evidence | None
) -> UpgradeRecord:
    record = moves.locked(record_id)
    found = Canary.objects.filter(record=record).first()
    if shown is not None and found is not None and record.state == State.CANARY:
        _keep_look(found, shown=shown, outcome=Action.ABORT, says=reason, now=now)
    record = moves.move(
        record_id=record_id,
        to=State.ABORTED,
        actor=actor,
        now=now,
        reason=reason,
        evidence=_keep(record, shown, now=now) if shown else record.evidence,
        only_from=frozenset({State.CANARY}),
    )
    _answers_change(record)
    notices.resolve(record=record, kind=Notice.Kind.CANARY_PAUSED, by=actor.name, now=now)
    return record


def _if_it_can_be_seen(record_id: int, *, now: datetime) -> Evidence | None:
    """Return what a canary's samples say; None where that fails, for nothing stops the brake."""
    try:
        return _see(record_id, now=now)
    except Exception:
        logger.exception("Upgrade %s is aborted without a last look at its samples.", record_id)
        return None


@one_transaction
def _see(record_id: int, *, now: datetime) -> Evidence | None:
    canaries = UpgradeRecord.objects.with_versions().filter(state=State.CANARY.value)
    record = canaries.filter(pk=record_id).first()
    if record is None:
        return None
    resolved = policies.resolve(tracked=record.tracked_model)
    return policies.evidence(record=record, resolved=resolved, now=now)


@one_transaction
def _evaluate(*, record_id: int, now: datetime) -> UpgradeRecord:
    record = moves.locked(record_id)
    # Somebody may have stopped it between the sweep's list and this lock.
    if record.state != State.CANARY:
        return record
    found = locks.hold(Canary.objects.filter(record=record)).get()
    resolved = policies.resolve(tracked=record.tracked_model)
    shown = policies.evidence(record=record, resolved=resolved, now=now)
    next_action = _next_action(record=record, found=found, resolved=resolved, shown=shown, now=now)
    found.looked_at, found.says = now, next_action.why[:500]
    _keep_look(found, shown=shown, outcome=next_action.action, says=next_action.why, now=now)
    return _do(record=record, found=found, next_action=next_action, shown=shown, now=now)


def _next_action(
    *,
    record: UpgradeRecord,
    found: Canary,
    resolved: Resolved,
    shown: Evidence,
    now: datetime,
) -> rules.NextAction:
    samples = _samples_since(found)
    held = policies.may_go_on(record=record, resolved=resolved, now=now)
    return rules.decide(
        look=rules.CanaryFacts(
            steps=found.plan,
            position=found.position,
            step_began_at=found.step_began_at,
            samples=samples,
            gates=_gates(shown, samples=samples, asks=resolved.policy.canary_asks),
            sentence=_sentence(shown, samples=samples, asks=resolved.policy.canary_asks),
            approved=found.approved_position >= found.position,
            paused=found.paused_at is not None,
            held_by=held.waits_for,
        ),
        now=now,
    )


def _count_mixed_out(record_id: int) -> None:
    """Count out the sessions that got both versions, in transactions of its own."""
    found = (
        Canary.objects.select_related("record")
        .filter(record=record_id, record__state=State.CANARY.value)
        .first()
    )
    if found is not None and found.record.from_version_id is not None:
        sessions.count_out(
            from_version_id=found.record.from_version_id,
            to_version_id=found.record.to_version_id,
            since=found.began_at,
        )


def _do(
    *,
    record: UpgradeRecord,
    found: Canary,
    next_action: rules.NextAction,
    shown: Evidence,
    now: datetime,
) -> UpgradeRecord:
    scheduler = Actor.scheduler()
    if next_action.action is Action.PAUSE:
        found.paused_at = now
        paused = f"The canary of {record} is paused. {next_action.why}"
        _write_event(EventKind.CANARY_PAUSED, found, paused, actor=scheduler, now=now)
    if next_action.action is Action.ADVANCE:
        found.position += 1
        # From this look, not from when the step was due: a late look never shortens the next hold.
        found.step_began_at = now
        _answers_change(record)
        advanced = f"The canary of {record} goes on with {found.weight:.0%} of the keys."
        _write_event(EventKind.CANARY_ADVANCED, found, advanced, actor=scheduler, now=now)
    found.save()
    if next_action.action is Action.ABORT:
        return _end(record, to=State.ABORTED, next_action=next_action, shown=shown, now=now)
    if next_action.action is Action.COMPLETE:
        return _end(record, to=State.COMPLETED, next_action=next_action, shown=shown, now=now)
    return record


def _end(
    record: UpgradeRecord,
    *,
    to: State,
    next_action: rules.NextAction,
    shown: Evidence,
    now: datetime,
) -> UpgradeRecord:
    evidence = _keep(record, shown, now=now)
    notices.resolve(record=record, kind=Notice.Kind.CANARY_PAUSED, by="scheduler", now=now)
    actor = Actor.scheduler()
    if to is State.ABORTED:
        _answers_change(record)
        return moves.move(
            record_id=record.pk,
            to=to,
            actor=actor,
            now=now,
            reason=next_action.why,
            evidence=evidence,
            notice=Notice.Kind.CANARY_ABORTED,
        )
    record = moves.complete(
        record_id=record.pk, actor=actor, now=now, reason=next_action.why, evidence=evidence
    )
    watching.begin(record=record, now=now)
    return record


def _keep(record: UpgradeRecord, shown: Evidence, *, now: datetime) -> Mapping[str, Any]:
    """Write down with the record on what its canary ends; return it as its step keeps it."""
    evidence = shown.as_dict()
    UpgradeRecord.objects.filter(pk=record.pk).update(
        evidence=evidence, evidence_hash=shown.digest, evidence_at=now
    )
    return evidence


def _keep_look(
    found: Canary, *, shown: Evidence, outcome: Action, says: str, now: datetime
) -> None:
    looks.keep(
        record=found.record,
        stage=Look.Stage.CANARY,
        outcome=outcome.value,
        says=says,
        shown=shown,
        now=now,
        position=found.position,
        samples=_samples_since(found),
    )


def _write_event(
    kind: EventKind, found: Canary, sentence: str, *, actor: Actor, now: datetime
) -> None:
    events.write(
        kind,
        tracked=found.record.tracked_model,
        record=found.record,
        sentence=sentence,
        actor=actor,
        now=now,
        details={"canary_step": found.position + 1, "weight": float(found.weight)},
        notice=Notice.Kind.CANARY_PAUSED if kind is EventKind.CANARY_PAUSED else None,
    )


def _gates(shown: Evidence, *, samples: int, asks: Asks) -> GateState:
    """Return what the evidence says. Without a sample of this canary it never passes."""
    if samples and (shown.speaks_against):
        return GateState.BROKEN
    # Harm is harm however the requests were split; a pass needs the split that was meant.
    if shown.warning(WarningCode.SAMPLE_RATIO_MISMATCH):
        return GateState.MISDIRECTED
    if asks is Asks.NO_HARM:
        seen = samples >= FLOOR and not shown.why_harm_is_unseen
        return GateState.PASSED if seen else GateState.NOT_YET
    enough = shown.verdict == Verdict.BETTER or asks is Asks.NOT_WORSE
    if samples and shown.speaks_for and enough:
        return GateState.PASSED
    return GateState.NOT_YET


def _sentence(shown: Evidence, *, samples: int, asks: Asks) -> str:
    if not samples:
        return "No request has used the new version since the canary began."
    misdirected = shown.warning(WarningCode.SAMPLE_RATIO_MISMATCH)
    if misdirected and not shown.speaks_against:
        return f"Requests are not split as this step means: {misdirected}."
    if asks is Asks.NO_HARM and not shown.speaks_against:
        return _of_harm(shown, samples=samples)
    return policies.sentence_of(shown)


def _of_harm(shown: Evidence, *, samples: int) -> str:
    """Say that none was seen, which is all that was asked for, or why it couldn't be."""
    if samples < FLOOR:
        return f"It has {samples} of the {FLOOR} samples of this canary in which harm may show."
    unseen = shown.why_harm_is_unseen
    if unseen:
        return f"Not yet clear of harm: {unseen}."
    all_asked = f"{counted(samples, 'sample')}, which is all that the policy asks"
    return f"No harm seen in {all_asked}. {shown.sentence}"


def _samples_since(found: Canary) -> int:
    """Count live samples of the new version since the canary began, to the hour before it."""
    version_id = found.record.to_version_id
    return live_requests(version_ids=[version_id], since=found.began_at)[version_id]


def _open(record_id: int) -> Canary:
    record = moves.locked(record_id)
    found = locks.hold_one(
        Canary.objects.filter(record=record), missing=f"Upgrade {record_id} has no canary."
    )
    if record.state != State.CANARY:
        raise AlreadyMoved(f"This canary has ended: the upgrade is {record.get_state_display()}.")
    return found


def _answers_change(record: UpgradeRecord) -> None:
    TrackedModel.objects.filter(pk=record.tracked_model_id).update(moves=F("moves") + 1)


def _written(step: rules.CanaryStep) -> dict[str, object]:
    """Return a step as ``CanaryStep.read`` reads it."""
    return {
        "weight": float(step.weight * rules.PERCENT),
        "hours": float(step.hold_hours),
        "samples": step.hold_samples,
        "approval": step.needs_approval,
        "deadline_hours": float(step.deadline_hours),
    }
