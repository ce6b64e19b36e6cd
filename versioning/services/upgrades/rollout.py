"""The rollout of an approved upgrade: tests, then a canary, then completed; and what goes on by
itself at each sweep.

Before its first step the provider is asked whether the way back is open. That is HTTP, so it
happens at the sweep, between transactions: an approved record waits for it.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from versioning.domain.evidence import with_way_back
from versioning.domain.transitions import State
from versioning.models import Notice, UpgradeRecord, UpgradeStep, Watch
from versioning.services import notices, nudges, sweeps, teams
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, ServiceError
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import (
    canary,
    moves,
    policies,
    rolling_back,
    testing,
    watching,
    way_back,
)
from versioning.services.upgrades.policies import Resolved
from versioning.services.upgrades.way_back import WayBack, WayBackState

NO_TESTS = "Approved; no tests set."
AT_ONCE = timedelta(minutes=15)
"""Until then a first step is the move of the person who approved it; a sweep comes every five."""


class NoWayBack(ServiceError):
    """The earlier version would be gone before the watch period ends."""

    code = "no-way-back"


def start(
    *, record: UpgradeRecord, resolved: Resolved, actor: Actor, now: datetime
) -> UpgradeRecord:
    """Take an approved record to its first stop. The record is locked.

    Tests begin at once. A canary begins at a sweep, when the provider has said that the way back
    is open. A move at once is made in any case, and says where there is no way back. Raises
    NoWayBack where tests or a canary are set and the way back would close, as far as checks know,
    and Invalid where a suite can't run.
    """
    policy = resolved.policy
    closed = way_back.why_closed(
        version=record.from_version, fallback=resolved.fallback, policy=policy, now=now
    )
    if closed and policy.gathers_evidence:
        raise NoWayBack(closed)
    if policy.required_suites:
        return testing.begin_tests(
            record=record, suite_names=policy.required_suites, actor=actor, now=now
        )
    if policy.canary_steps:
        # Its first step asks the provider, so a worker makes it, outside this transaction.
        nudges.soon(nudges.Nudge.CARRY_ON)
        return record
    why = " ".join(filter(None, [NO_TESTS, closed]))
    return _complete(record=record, actor=actor, now=now, why=why)


def complete_at_once(
    *, record: UpgradeRecord, actor: Actor, now: datetime, why: str
) -> UpgradeRecord:
    """Complete an approved record past all that its policy asks for. The record is locked.

    Where there is no way back, as far as checks know, the step says so.
    """
    resolved = policies.resolve(tracked=record.tracked_model)
    closed = way_back.why_closed(
        version=record.from_version, fallback=resolved.fallback, policy=resolved.policy, now=now
    )
    said = " ".join(filter(None, [why, closed]))
    return _complete(record=record, actor=actor, now=now, why=said)


def advance_approved(*, record_id: int, now: datetime) -> UpgradeRecord:
    """Take an approved record's first step, if the way back is open. Raises NotFound."""
    return _first_step(record_id=record_id, only_from=State.APPROVED, why=NO_TESTS, now=now)


def advance_tested(*, record_id: int, now: datetime) -> UpgradeRecord:
    """Take a record on whose tests have ended; one elsewhere stays as it is. Raises NotFound."""
    record, passed = testing.evaluate(record_id=record_id, now=now)
    if not passed:
        return record
    return _first_step(record_id=record_id, only_from=State.TESTING, why=passed, now=now)


def carry_on(*, now: datetime) -> int:
    """Do all that is due: tests, canaries, watches, reports; return how many were looked at.

    Each in a transaction of its own: one that fails is logged and holds up no other.
    """
    # A list: what moves on in this sweep is not met again in it, so each goes one step at most.
    done = sweeps.each(
        list(UpgradeRecord.objects.under_way().with_versions().order_by("pk")),
        lambda record: _ADVANCE[State(record.state)](record_id=record.pk, now=now),
        subject=teams.upgrade_for_all,
        now=now,
    )
    done += sweeps.each(
        list(Watch.objects.open().order_by("pk").values_list("pk", "record_id")),
        lambda watch: watching.evaluate(watch_id=watch[0], now=now),
        subject=lambda watch: f"Watch of upgrade {watch[1]}",
        now=now,
    )
    return done + watching.write_reports(now=now)


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


def _first_step(*, record_id: int, only_from: State, why: str, now: datetime) -> UpgradeRecord:
    """Ask for the way back, then begin the canary or complete; a record elsewhere stays."""
    record = UpgradeRecord.objects.with_versions().get(pk=record_id)
    resolved = policies.resolve(tracked=record.tracked_model)
    back = way_back.verify(
        version=record.from_version, fallback=resolved.fallback, policy=resolved.policy, now=now
    )
    return _take_first_step(
        record_id=record_id, only_from=only_from, resolved=resolved, back=back, why=why, now=now
    )


@one_transaction
def _take_first_step(
    *,
    record_id: int,
    only_from: State,
    resolved: Resolved,
    back: WayBack,
    why: str,
    now: datetime,
) -> UpgradeRecord:
    record = moves.locked(record_id)
    if record.state != only_from:
        return record
    # While the provider was asked nothing was locked: somebody may have moved the model.
    if record.tracked_model.current_version_id != record.from_version_id:
        return _overtaken(record, now=now)
    way_back.update_notice(record=record, back=back, now=now)
    if not back.is_open:
        return _without_way_back(record, back=back, now=now)
    if not (
        _just_approved_by_staff(record, now=now)
        or policies.may_go_on(record=record, resolved=resolved, now=now).allowed
    ):
        return record
    scheduler, why = Actor.scheduler(), f"{why} {back.sentence}"
    suites = resolved.policy.required_suites
    if only_from is State.APPROVED and suites:  # set since it was approved
        return testing.begin_tests(record=record, suite_names=suites, actor=scheduler, now=now)
    evidence = with_way_back(record.evidence, back.kept())
    if resolved.policy.canary_steps:
        return canary.begin(
            record=record,
            resolved=resolved,
            actor=scheduler,
            now=now,
            reason=why,
            evidence=evidence,
        )
    return _complete(record=record, actor=scheduler, now=now, why=why, evidence=evidence)


def _complete(
    *,
    record: UpgradeRecord,
    actor: Actor,
    now: datetime,
    why: str,
    evidence: Mapping[str, Any] | None = None,
) -> UpgradeRecord:
    record = moves.complete(
        record_id=record.pk, actor=actor, now=now, reason=why, evidence=evidence
    )
    notices.resolve(record=record, kind=Notice.Kind.WAY_BACK, by=actor.name, now=now)
    watching.begin(record=record, now=now)
    return record


def _without_way_back(record: UpgradeRecord, *, back: WayBack, now: datetime) -> UpgradeRecord:
    """Let an approval fall whose way back is closed; what is only unknown is asked again."""
    if back.outcome is WayBackState.UNKNOWN or record.state != State.APPROVED:
        return record
    # They were given to a move that could be taken back; this one can't be.
    record.approvals.standing().update(fell_at=now)
    twin = UpgradeRecord.objects.waiting().filter(
        tracked_model=record.tracked_model_id, to_version=record.to_version_id
    )
    return moves.move(
        record_id=record.pk,
        to=State.SUPERSEDED if twin.exists() else State.RECOMMENDED,
        actor=Actor.scheduler(),
        now=now,
        reason=f"{back.sentence} Name a fallback version in its policy, then approve it again.",
        evidence=with_way_back(record.evidence, back.kept()),
    )


def _overtaken(record: UpgradeRecord, *, now: datetime) -> UpgradeRecord:
    return moves.move(
        record_id=record.pk,
        to=State.SUPERSEDED if record.state == State.APPROVED else State.FAILED,
        actor=Actor.scheduler(),
        now=now,
        reason="The current version has changed since this was approved.",
    )


def _advance_canary(*, record_id: int, now: datetime) -> None:
    record = canary.evaluate(record_id=record_id, now=now)
    if record.state == State.ABORTED:
        rolling_back.leave_dead_version(record_id=record_id, now=now)


def _just_approved_by_staff(record: UpgradeRecord, *, now: datetime) -> bool:
    """Say whether it is a person's own move: pins, freezes and windows don't hold people.

    One that couldn't be made at once (nobody answered for the way back) is the scheduler's.
    """
    approved = record.steps.filter(after=State.APPROVED.value).order_by("-at", "-pk").first()
    return (
        approved is not None
        and approved.actor_kind == UpgradeStep.ActorKind.STAFF
        and now - approved.at <= AT_ONCE
    )


_ADVANCE: Mapping[State, Callable[..., object]] = {
    State.APPROVED: advance_approved,
    State.TESTING: advance_tested,
    State.CANARY: _advance_canary,
}
