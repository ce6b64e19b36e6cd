"""The only writer of an upgrade's state: one move is one compare-and-set in one transaction.

It takes effect only if the record still is where the caller believes it to be, else AlreadyMoved
says what happened. Its step and its event are written with it, or nothing is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from versioning.domain import dates
from versioning.domain.events import kind_of_move
from versioning.domain.transitions import State, states_before
from versioning.models import (
    ModelVersion,
    Notice,
    Tally,
    TrackedModel,
    UpgradeRecord,
    UpgradeStep,
)
from versioning.services import constraints, events, locks, seals, tallies, teams
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, AnotherUnderWay, EvidenceChanged
from versioning.services.evidence import baselines
from versioning.services.transactions import one_transaction


@one_transaction
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
    evidence_hash: str | None = None,
    notice: Notice.Kind | None = None,
) -> UpgradeRecord:
    """Move a record to a state, and write down the step and the event.

    ``changes`` are other columns to set with it; ``only_from`` narrows the states that it may
    come from; ``notice`` is what people must know of it. Raises what ``locked_for`` raises, and
    AnotherUnderWay (law 3).
    """
    try:
        # A savepoint: law 3 is a constraint, and who it refuses must still be able to read.
        with transaction.atomic():
            record = locked_for(record_id, to=to, only_from=only_from, evidence_hash=evidence_hash)
            before = State(record.state)
            # The lock says the same already; the condition would hold without it, too.
            moved = UpgradeRecord.objects.filter(pk=record_id, state=before.value).update(
                state=to.value, changed_at=now, **(changes or {})
            )
            if moved != 1:
                raise AlreadyMoved("Somebody else moved this upgrade at the same moment.")
            record.refresh_from_db()
            done = _Move(record, before=before, reason=reason, evidence=evidence, notice=notice)
            _write_steps([done], actor=actor, now=now)
    except IntegrityError as error:
        raise _law_three(error, record_id=record_id) from error
    return record


@one_transaction
def open_record(
    record: UpgradeRecord,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> UpgradeRecord:
    """Write a new record down with its first step. One that waits stays; a completed one moves.

    The tracked model is locked, unless it is new.
    """
    record.recommended_at = record.changed_at = now
    if record.state == State.COMPLETED:
        record.completed_at, record.completion_number = now, _next_number(record.tracked_model)
    # Never an update: with an id that is taken it must fail, not overwrite a record (law 6).
    record.save(force_insert=True)
    _write_steps([_Move(record, reason=reason, evidence=evidence)], actor=actor, now=now)
    if record.state == State.COMPLETED:
        _point_at(tracked=record.tracked_model, version=record.to_version, now=now)
    return record


@one_transaction
def open_recommended(
    records: Sequence[UpgradeRecord], *, actor: Actor, now: datetime
) -> Sequence[UpgradeRecord]:
    """Write new records down that wait for a decision, each with its reasons and its evidence.

    As ``open_record`` does, in as many queries for any number of them.
    """
    if not records:
        return records
    for record in records:
        record.recommended_at = record.changed_at = now
    UpgradeRecord.objects.bulk_create(records)
    made = [_Move(each, reason=" ".join(each.reasons), evidence=each.evidence) for each in records]
    _write_steps(made, actor=actor, now=now)
    return records


def begin(*, tracked: TrackedModel, version: ModelVersion, actor: Actor, now: datetime) -> None:
    """Make a version the first current one of a tracked model that has none."""
    first = UpgradeRecord(
        tracked_model=tracked,
        to_version=version,
        state=State.COMPLETED.value,
        origin=UpgradeRecord.Origin.TRACKING,
        step=UpgradeRecord.Step.FIRST,
    )
    open_record(first, actor=actor, now=now, reason="Tracking began.")


@one_transaction
def complete(
    *,
    record_id: int,
    actor: Actor,
    now: datetime,
    reason: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> UpgradeRecord:
    """Make the record's target the current version. Raises NotFound, AlreadyMoved."""
    record = locked(record_id)
    tracked = record.tracked_model
    # Evidence compares two versions: with another one in use it says nothing of this move.
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
        evidence=evidence,
        changes={"completed_at": now, "completion_number": _next_number(tracked)},
    )
    _point_at(tracked=tracked, version=record.to_version, now=now)
    return record


def locked_for(
    record_id: int,
    *,
    to: State,
    only_from: frozenset[State] | None = None,
    evidence_hash: str | None = None,
) -> UpgradeRecord:
    """Return a record that may move to a state, locked with its tracked model.

    ``evidence_hash`` is that of the evidence on which somebody decides. Raises NotFound,
    EvidenceChanged (it has other evidence) and AlreadyMoved (it isn't in a state from which this
    is possible, or in none of ``only_from``).
    """
    record = locked(record_id)
    refuse_other_evidence(record, evidence_hash)
    before = State(record.state)
    if before not in states_before(to) or (only_from is not None and before not in only_from):
        raise AlreadyMoved(why_not(record, to))
    return record


def refuse_other_evidence(record: UpgradeRecord | None, evidence_hash: str | None) -> None:
    """Raise EvidenceChanged where somebody decides on other evidence than the record's, or none."""
    if evidence_hash is None or (record is not None and record.evidence_hash == evidence_hash):
        return
    raise EvidenceChanged("The evidence has changed since you looked. Read it again, then decide.")


def locked(record_id: int) -> UpgradeRecord:
    """Return the record, locked with its tracked model. Raises NotFound."""
    return locks.hold_one(
        UpgradeRecord.objects.with_versions().filter(pk=record_id),
        missing=f"There is no upgrade record {record_id}.",
    )


def locked_model(tracked_model_id: int) -> TrackedModel:
    """Return the tracked model, locked. Raises NotFound."""
    return locks.hold_one(
        TrackedModel.objects.filter(pk=tracked_model_id),
        missing=f"There is no tracked model {tracked_model_id}.",
    )


@dataclass(frozen=True, slots=True)
class _Move:
    """A record where it is now, and how it came there."""

    record: UpgradeRecord
    before: State | None = None
    reason: str = ""
    evidence: Mapping[str, Any] | None = None
    notice: Notice.Kind | None = None
    after: State = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "after", State(self.record.state))

    def step(self, *, actor: Actor, now: datetime) -> UpgradeStep:
        """Return the step in the record's history, not yet stored."""
        return UpgradeStep(
            record=self.record,
            before=self.before.value if self.before else "",
            after=self.after.value,
            at=now,
            actor_kind=actor.kind,
            actor_name=actor.name,
            user_id=actor.user_id,
            reason=self.reason[:500],
            evidence=dict(self.evidence or {}),
            evidence_hash=self.record.evidence_hash if self.evidence else "",
        )

    def happening(self) -> events.Happening:
        """Return what is told of it."""
        return events.Happening(
            kind=kind_of_move(before=self.before, after=self.after),
            tracked=self.record.tracked_model,
            record=self.record,
            sentence=_sentence(self.record, after=self.after, reason=self.reason),
            details={
                "before": self.before.value if self.before else None,
                "reason": self.reason[:500],
            },
            notice=self.notice,
        )


def _write_steps(done: Sequence[_Move], *, actor: Actor, now: datetime) -> None:
    """Keep the steps in the histories, and tell of them. Raises NotAllowed for outsiders."""
    for each in done:
        teams.refuse_outsider(tracked=each.record.tracked_model, actor=actor)
    steps = UpgradeStep.objects.bulk_create(each.step(actor=actor, now=now) for each in done)
    seals.seal_all(steps)
    tallies.note_all(Tally.Kind.MOVE, Counter(each.after.value for each in done), now=now)
    events.write_all([each.happening() for each in done], actor=actor, now=now)


def _sentence(record: UpgradeRecord, *, after: State, reason: str) -> str:
    """Say for people what became of a record."""
    what = {
        State.FAILED: f"{record} failed its tests.",
        State.ABORTED: f"The canary of {record} was aborted.",
        State.ROLLED_BACK: f"{record} was rolled back.",
    }.get(after, f"{record}: {record.get_state_display()}.")
    return f"{what} {reason}".strip()


def _next_number(tracked: TrackedModel) -> int:
    # Counted, not told by the clock: two moves of one moment still have a first and a second. The
    # model is locked, so nobody else takes the same number.
    latest = UpgradeRecord.objects.filter(tracked_model=tracked).aggregate(
        latest=Max("completion_number")
    )["latest"]
    return int(latest or 0) + 1


def _point_at(*, tracked: TrackedModel, version: ModelVersion, now: datetime) -> None:
    """Make a version the current one; what waits for a move from another is superseded."""
    # In the database: the object in hand may be older. The count is part of what clients' ETag is
    # made of, so that an answer from before the move is never taken for the one after it.
    TrackedModel.objects.filter(pk=tracked.pk).update(current_version=version, moves=F("moves") + 1)
    # Taken now: from here on its samples are those of the version in use.
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


def why_not(record: UpgradeRecord, to: State) -> str:
    """Say where the record is already, and who took it there."""
    return (
        f"This upgrade is {record.get_state_display()} already{_by_whom(record)}, "
        f"so it can't become {to.value.replace('_', ' ')}. Nothing was changed."
    )


def latest(tracked: TrackedModel) -> str:
    """Say who moved a model last, whereto and when; empty for one that nobody has moved."""
    record = (
        UpgradeRecord.objects.completions()
        .exclude(step=UpgradeRecord.Step.FIRST)
        .filter(tracked_model=tracked)
        .select_related("to_version")
        .order_by("-completion_number")
        .first()
    )
    if record is None or record.completed_at is None:
        return ""
    done = record.steps.filter(after=State.COMPLETED.value).first()
    who = done.actor_name if done else "Somebody"
    return f"{who} moved it to {record.to_version.label} at {dates.moment(record.completed_at)}."


def _by_whom(record: UpgradeRecord) -> str:
    last = record.steps.order_by("-at", "-pk").first()
    return f" by {last.actor_name}" if last else ""


def _law_three(error: IntegrityError, *, record_id: int) -> Exception:
    if not constraints.broke(error, "one_upgrade_under_way_per_tracked_model"):
        return error
    first = (
        UpgradeRecord.objects.under_way()
        .filter(tracked_model__upgrades=record_id)
        .select_related("to_version")
        .first()
    )
    which = (
        f": to {first.to_version.label}, {first.get_state_display()}{_by_whom(first)}"
        if first
        else ""
    )
    return AnotherUnderWay(
        f"Another upgrade of this model is under way{which}. Wait for its end, or stop it first."
    )
