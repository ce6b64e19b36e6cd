"""After a move: is it as good as the version before, and did it keep its promise?"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from versioning.domain.policy import Rule, Stage, decide
from versioning.domain.statistics.judgement import Verdict
from versioning.domain.transitions import State
from versioning.models import Notice, OutcomeReport, UpgradeRecord, Watch
from versioning.services import notices
from versioning.services.actors import Actor
from versioning.services.errors import ServiceError
from versioning.services.evidence.comparison import Evidence
from versioning.services.upgrades import moves, policies, rolling_back
from versioning.services.upgrades.policies import Resolved

REPORT_DAYS = (7, 30)
_HELD_BY = frozenset({Rule.SWITCH, Rule.INACTIVE, Rule.PINNED, Rule.FREEZE})
"""What keeps a move from being rolled back by itself; a window is for moves, not for repairs."""


def begin(*, record: UpgradeRecord, now: datetime) -> None:
    """Watch a record that has just completed, as long as its policy says."""
    days = policies.resolve(tracked=record.tracked_model).policy.watch_days
    if days and record.from_version_id is not None:
        Watch.objects.create(record=record, began_at=now, ends_at=now + timedelta(days=days))


def look(*, watch_id: int, now: datetime) -> Watch:
    """Look at a watched move once: rolled back or told where it is worse, ended in time.

    Raises Watch.DoesNotExist.
    """
    with transaction.atomic():
        record_id = Watch.objects.values_list("record_id", flat=True).get(pk=watch_id)
        record = moves.locked(record_id)
        watch = Watch.objects.select_for_update().get(pk=watch_id)
        if watch.ended_at is not None:
            return watch
        watch.looked_at = now
        if not _stands(record):
            return _end(watch, Watch.Result.OVERTAKEN, "Another move came first.", now=now)
        resolved = policies.resolve(tracked=record.tracked_model)
        shown = policies.evidence(record=record, resolved=resolved, least=Decimal(0), now=now)
        if shown.speaks_against:
            return _worse(watch=watch, record=record, resolved=resolved, shown=shown, now=now)
        watch.sentence = shown.sentence[:500]
        if now < watch.ends_at:
            watch.save()
            return watch
        unknown = shown.verdict == Verdict.NOT_ENOUGH_DATA
        result = Watch.Result.NO_DATA if unknown else Watch.Result.GOOD
        return _end(watch, result, shown.sentence, now=now)


def write_reports(*, now: datetime) -> int:
    """Write the reports that are due, once each; return how many were written.

    A move that was rolled back or followed by another one before the day gets none.
    """
    written = 0
    for days in REPORT_DAYS:
        due = (
            UpgradeRecord.objects.with_versions()
            .filter(
                state=State.COMPLETED.value,
                completed_at__lte=now - timedelta(days=days),
                from_version__isnull=False,
            )
            .exclude(origin=UpgradeRecord.Origin.ROLLBACK)
            .exclude(outcome_reports__after_days=days)
        )
        for record in due:
            if _stands(record):
                _report(record=record, days=days, now=now)
                written += 1
    return written


def _report(*, record: UpgradeRecord, days: int, now: datetime) -> None:
    resolved = policies.resolve(tracked=record.tracked_model)
    real = policies.evidence(record=record, resolved=resolved, least=Decimal(0), now=now)
    promised = record.evidence.get("improvement")
    said = f"{Decimal(str(promised)):+.0%}" if promised is not None else "nothing"
    came = f"{real.improvement:+.0%}" if real.improvement is not None else "not known"
    OutcomeReport.objects.get_or_create(
        record=record,
        after_days=days,
        defaults={
            "promised": record.evidence,
            "real": real.as_dict(),
            "sentence": f"After {days} days: quality was promised {said}, it is {came}. "
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
    *, watch: Watch, record: UpgradeRecord, resolved: Resolved, shown: Evidence, now: datetime
) -> Watch:
    why = f"Worse after the move: {shown.sentence}"
    held = _why_not_back(record=record, resolved=resolved, now=now)
    if not held:
        try:
            rolling_back.roll_back(
                tracked_model_id=record.tracked_model_id,
                record_id=record.pk,
                actor=Actor.scheduler(),
                now=now,
                reason=why,
            )
        except ServiceError as error:
            held = str(error)
        else:
            notices.tell(record=record, kind=Notice.Kind.ROLLED_BACK, sentence=why, now=now)
            return _end(watch, Watch.Result.ROLLED_BACK, why, now=now)
    sentence = f"{record}: {why} {held}"
    notices.tell(record=record, kind=Notice.Kind.WORSE, sentence=sentence, now=now)
    return _end(watch, Watch.Result.WORSE, sentence, now=now)


def _why_not_back(*, record: UpgradeRecord, resolved: Resolved, now: datetime) -> str:
    """Say why it isn't rolled back by itself; empty where it is."""
    if not resolved.policy.rollback_by_itself:
        return "Its policy leaves it to you whether to roll back."
    if record.from_version is not None and not record.from_version.is_listed:
        fallback = resolved.fallback.label if resolved.fallback else "none is named"
        return f"{record.from_version.label} is no longer listed; fallback: {fallback}."
    decision = decide(
        facts=policies.facts(record=record, resolved=resolved, stage=Stage.GO_ON, now=now),
        policy=resolved.policy,
        now=now,
    )
    held = [reason.sentence for reason in decision.reasons if reason.rule in _HELD_BY]
    return " ".join(held)


def _end(watch: Watch, result: Watch.Result, sentence: str, *, now: datetime) -> Watch:
    watch.ended_at, watch.result, watch.sentence = now, result, sentence[:500]
    watch.save()
    return watch
