"""After a move: is it as good as the version before, and did it keep its promise?"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import F

from versioning.domain.canary import Action
from versioning.domain.events import EventKind
from versioning.domain.evidence import Evidence, read
from versioning.domain.policy import Rule
from versioning.domain.statistics.figures import counted
from versioning.domain.transitions import State
from versioning.models import Look, Notice, OutcomeReport, UpgradeRecord, Watch
from versioning.services import events, locks, sweeps
from versioning.services.actors import Actor
from versioning.services.errors import ServiceError
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import looks, moves, policies, rolling_back, way_back
from versioning.services.upgrades.policies import Resolved
from versioning.services.upgrades.way_back import WayBack, WayBackState

# When people ask whether it was worth it: after the first week, and once it has settled.
REPORT_DAYS = (7, 30)
_HELD_BY = frozenset({Rule.SWITCH, Rule.INACTIVE, Rule.PINNED, Rule.FREEZE})
"""What keeps a move from being rolled back by itself; a window is for moves, not for repairs."""


def begin(*, record: UpgradeRecord, now: datetime) -> None:
    """Watch a record that has just completed, as long as its policy says."""
    days = policies.resolve(tracked=record.tracked_model).policy.watch_days
    if days and record.from_version_id is not None:
        Watch.objects.create(record=record, began_at=now, ends_at=now + timedelta(days=days))


def evaluate(*, watch_id: int, now: datetime) -> Watch:
    """Look at a watched move once: rolled back or told where it is worse, ended in time.

    Where it would go back, its provider is asked first, outside the transaction, whether the
    earlier version is still there; the fallback of its policy stands in for one that is gone.
    Raises Watch.DoesNotExist.
    """
    try:
        return _evaluate(watch_id=watch_id, where_to=None, now=now)
    except _GoesBack:
        return _evaluate(watch_id=watch_id, where_to=_where_to(watch_id, now=now), now=now)


def write_reports(*, now: datetime) -> int:
    """Write the reports that are due, once each; return how many were written.

    A move that was rolled back or followed by another one before the day gets none.
    """
    due = [(record, days) for days in REPORT_DAYS for record in _due(days=days, now=now)]
    return sweeps.each(
        due,
        lambda each: _report(record=each[0], days=each[1], now=now),
        subject=lambda each: f"Report of upgrade {each[0].pk} after {counted(each[1], 'day')}",
        now=now,
    )


def _due(*, days: int, now: datetime) -> list[UpgradeRecord]:
    """Return the moves that still stand and lack a report: only current versions' latest."""
    return list(
        UpgradeRecord.objects.with_versions()
        .filter(
            state=State.COMPLETED.value,
            completed_at__lte=now - timedelta(days=days),
            from_version__isnull=False,
            to_version=F("tracked_model__current_version"),
        )
        .exclude(origin=UpgradeRecord.Origin.ROLLBACK)
        .exclude(outcome_reports__after_days=days)
        .order_by("pk")
    )


class _GoesBack(Exception):  # noqa: N818  (it is no error: the look is made again)
    """It would be rolled back, and nobody has asked yet where to."""


@dataclass(frozen=True, slots=True)
class _WhereTo:
    """What the provider says of going back: a fallback instead, or what is in the way."""

    fallback: WayBack | None = None
    problem: str = ""


@one_transaction
def _evaluate(*, watch_id: int, where_to: _WhereTo | None, now: datetime) -> Watch:
    # To hold a watch is to hold its model: no move can come between the look and the deed.
    watch = locks.hold(Watch.objects.filter(pk=watch_id)).get()
    record = moves.locked(watch.record_id)
    if watch.ended_at is not None:
        return watch
    watch.looked_at = now
    if not _stands(record):
        return _end(watch, Watch.Result.OVERTAKEN, "Another move came first.", now=now)
    resolved = policies.resolve(tracked=record.tracked_model)
    shown = policies.evidence(record=record, resolved=resolved, now=now)
    if shown.speaks_against:
        return _worse(
            watch=watch,
            record=record,
            resolved=resolved,
            shown=shown,
            where_to=where_to,
            now=now,
        )
    watch.sentence = shown.sentence[:500]
    if now < watch.ends_at:
        _keep_look(record, shown=shown, outcome=Action.WAIT.value, says=shown.sentence, now=now)
        watch.save()
        return watch
    # Two sides that never met get no verdict; that no harm was seen is what a watch is for.
    result = Watch.Result.GOOD if shown.would_show_harm else Watch.Result.NO_DATA
    _keep_look(record, shown=shown, outcome=result.value, says=shown.sentence, now=now)
    return _end(watch, result, shown.sentence, now=now)


def _keep_look(
    record: UpgradeRecord, *, shown: Evidence, outcome: str, says: str, now: datetime
) -> None:
    looks.keep(
        record=record, stage=Look.Stage.WATCH, outcome=outcome, says=says, shown=shown, now=now
    )


def _where_to(watch_id: int, *, now: datetime) -> _WhereTo:
    """Ask whether the earlier version is still there. No answer doesn't keep anything from it."""
    record = UpgradeRecord.objects.with_versions().get(watch=watch_id)
    earlier = record.from_version
    if earlier is None:
        return _WhereTo()
    back = way_back.probe(version=earlier, now=now)
    if back.is_open or (not earlier.is_gone and back.outcome is not WayBackState.CLOSED):
        return _WhereTo()
    fallback = policies.resolve(tracked=record.tracked_model).fallback
    instead = rolling_back.fallback_alive(record=record, fallback=fallback, now=now)
    if instead is None:
        return _WhereTo(problem=f"{back.sentence} No fallback of its policy answers either.")
    return _WhereTo(
        fallback=replace(instead, sentence=f"{earlier.label} is gone. {instead.sentence}")
    )


def _report(*, record: UpgradeRecord, days: int, now: datetime) -> None:
    resolved = policies.resolve(tracked=record.tracked_model)
    real = policies.evidence(record=record, resolved=resolved, now=now)
    promised = read(record.evidence).improvement
    said = f"promised {promised:+.0%}" if promised is not None else "not promised anything"
    came = f"{real.improvement:+.0%}" if real.improvement is not None else "not known"
    OutcomeReport.objects.get_or_create(
        record=record,
        after_days=days,
        defaults={
            "promised": record.evidence,
            "real": real.as_dict(),
            "sentence": f"After {counted(days, 'day')}: quality was {said}, it is {came}. "
            f"{real.sentence}"[:500],
            "made_at": now,
        },
    )


def _stands(record: UpgradeRecord) -> bool:
    """Say whether the record still is what set the current version."""
    return (
        record.state == State.COMPLETED
        and record.tracked_model.current_version_id == record.to_version_id
    )


def _worse(
    *,
    watch: Watch,
    record: UpgradeRecord,
    resolved: Resolved,
    shown: Evidence,
    where_to: _WhereTo | None,
    now: datetime,
) -> Watch:
    why = f"Worse after the move: {shown.sentence.removeprefix('Worse: ')}."
    held = _why_not_back(record=record, resolved=resolved, now=now)
    if not held and where_to is None:
        # Undoes what this look has written: the provider is asked, then it is made again.
        raise _GoesBack
    held = held or (where_to.problem if where_to else "")
    if not held:
        try:
            rolling_back.reverse_latest(
                tracked_model_id=record.tracked_model_id,
                record_id=record.pk,
                actor=Actor.scheduler(),
                now=now,
                reason=why,
                to_fallback=where_to.fallback if where_to else None,
            )
        except ServiceError as error:
            held = str(error)
        else:
            _keep_look(
                record, shown=shown, outcome=Watch.Result.ROLLED_BACK.value, says=why, now=now
            )
            told = f"{why} {where_to.fallback.sentence}" if where_to and where_to.fallback else why
            return _end(
                watch,
                Watch.Result.ROLLED_BACK,
                why,
                event=told,
                notice=Notice.Kind.ROLLED_BACK,
                now=now,
            )
    _keep_look(record, shown=shown, outcome=Watch.Result.WORSE.value, says=why, now=now)
    sentence = f"{record}: {why} {held}"
    return _end(watch, Watch.Result.WORSE, sentence, notice=Notice.Kind.WORSE, now=now)


def _why_not_back(*, record: UpgradeRecord, resolved: Resolved, now: datetime) -> str:
    """Say why it isn't rolled back by itself; empty where it is."""
    if not resolved.policy.rollback_by_itself:
        return "Its policy leaves it to you whether to roll back."
    decision = policies.may_go_on(record=record, resolved=resolved, now=now)
    held = [reason.sentence for reason in decision.reasons if reason.rule in _HELD_BY]
    return " ".join(held)


def _end(
    watch: Watch,
    result: Watch.Result,
    sentence: str,
    *,
    now: datetime,
    event: str = "",
    notice: Notice.Kind | None = None,
) -> Watch:
    """End a watch and tell of it, in the words of ``event`` where they say more."""
    watch.ended_at, watch.result, watch.sentence = now, result, sentence[:500]
    watch.save()
    events.write(
        EventKind.WATCH_ENDED,
        tracked=watch.record.tracked_model,
        record=watch.record,
        sentence=event or sentence,
        actor=Actor.scheduler(),
        now=now,
        details={"result": result.value},
        notice=notice,
    )
    return watch
