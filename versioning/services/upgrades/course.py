"""The course of an approved upgrade: tests, then a canary, then completed; and what goes on by
itself at each sweep."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction

from versioning.domain.policy import Stage, decide
from versioning.domain.transitions import State
from versioning.models import Notice, UpgradeRecord, Watch
from versioning.services import notices
from versioning.services.actors import Actor
from versioning.services.errors import ServiceError
from versioning.services.evaluation import testing
from versioning.services.evaluation.testing import TestsSay
from versioning.services.upgrades import canary, moves, policies, watching, way_back
from versioning.services.upgrades.policies import Resolved

logger = logging.getLogger(__name__)


class NoWayBack(ServiceError):
    """The earlier version would be gone before the watch period ends."""

    code = "no-way-back"


def start(
    *, record: UpgradeRecord, resolved: Resolved, actor: Actor, now: datetime
) -> UpgradeRecord:
    """Take an approved record to its first stop. The record is locked.

    Raises NoWayBack where tests or a canary are set and the way back would close, and Invalid
    where a suite can't run. A person's move at once is made all the same, and says so.
    """
    policy = resolved.policy
    closed = way_back.why_closed(
        version=record.from_version, fallback=resolved.fallback, policy=policy, now=now
    )
    if closed and policy.gathers_evidence:
        raise NoWayBack(closed)
    if policy.required_suites:
        testing.begin_tests(record=record, suite_names=policy.required_suites, actor=actor, now=now)
        why = f"To be tested with {', '.join(policy.required_suites)}."
        return moves.move(record_id=record.pk, to=State.TESTING, actor=actor, now=now, reason=why)
    why = " ".join(filter(None, ["Approved; no tests set.", closed]))
    return _after_tests(record=record, resolved=resolved, actor=actor, now=now, why=why)


def look_at_tests(*, record_id: int, now: datetime) -> UpgradeRecord:
    """Take a record on whose tests have ended; one elsewhere stays as it is. Raises NotFound."""
    with transaction.atomic():
        record = moves.locked(record_id)
        if record.state != State.TESTING:
            return record
        resolved = policies.resolve(tracked=record.tracked_model)
        tests = testing.tests_of(record=record, suite_names=resolved.policy.required_suites)
        scheduler = Actor.scheduler()
        if tests.say is TestsSay.FAILED:
            testing.cancel_tests(record=record, now=now)
            notices.tell(
                record=record,
                kind=Notice.Kind.TESTS_FAILED,
                sentence=f"{record} failed its tests. {tests.sentence}",
                now=now,
            )
            return moves.move(
                record_id=record_id,
                to=State.FAILED,
                actor=scheduler,
                now=now,
                reason=tests.sentence,
            )
        if tests.say is TestsSay.WAIT or _held(record, resolved=resolved, now=now):
            return record
        return _after_tests(
            record=record, resolved=resolved, actor=scheduler, now=now, why=tests.sentence
        )


def carry_on(*, now: datetime) -> int:
    """Do all that is due: tests, canaries, watches, reports; return how many were looked at.

    Each in a transaction of its own: one that fails is logged and holds up no other.
    """
    under_way = UpgradeRecord.objects.under_way()
    testing_ids = _ids(under_way.filter(state=State.TESTING.value))
    canary_ids = _ids(under_way.filter(state=State.CANARY.value))
    watch_ids = list(Watch.objects.open().order_by("pk").values_list("pk", flat=True))
    done = _each(testing_ids, lambda pk: look_at_tests(record_id=pk, now=now))
    done += _each(canary_ids, lambda pk: canary.look(record_id=pk, now=now))
    done += _each(watch_ids, lambda pk: watching.look(watch_id=pk, now=now))
    return done + watching.write_reports(now=now)


def _after_tests(
    *, record: UpgradeRecord, resolved: Resolved, actor: Actor, now: datetime, why: str
) -> UpgradeRecord:
    if resolved.policy.canary_steps:
        return canary.begin(record=record, resolved=resolved, actor=actor, now=now, reason=why)
    record = moves.complete(record_id=record.pk, actor=actor, now=now, reason=why)
    watching.begin(record=record, now=now)
    return record


def _held(record: UpgradeRecord, *, resolved: Resolved, now: datetime) -> str:
    """Say what keeps an approved record from going on by itself now."""
    return decide(
        facts=policies.facts(record=record, resolved=resolved, stage=Stage.GO_ON, now=now),
        policy=resolved.policy,
        now=now,
    ).waits_for


def _ids(records: Iterable[UpgradeRecord]) -> list[int]:
    return sorted(record.pk for record in records)


def _each(ids: list[int], look: Callable[[int], object]) -> int:
    for pk in ids:
        try:
            look(pk)
        except Exception:
            # One record's fault must not keep a broken canary of another from going back.
            logger.exception("Row %s could not be looked at; it is tried again.", pk)
    return len(ids)
