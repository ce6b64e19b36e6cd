"""What happens at the same moment, each as one call: every kind of transaction there is."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from providers.base import ListedModel, Listing
from tests.outbox import each_step_is_told_once
from tests.transactions.world import DAY, WORKER, Bustle, Busy
from versioning.domain.evaluation.outcome import Outcome
from versioning.domain.scoring import Score
from versioning.domain.transitions import State
from versioning.models import (
    LineageRule,
    ModelVersion,
    Notice,
    Policy,
    TrackedModel,
    UpgradeRecord,
)
from versioning.services import editing, notices, outbox, providers, seals, tracking, versions
from versioning.services.actors import Actor
from versioning.services.checks import detection, recording
from versioning.services.evaluation import control, running
from versioning.services.evaluation.questions import Questions
from versioning.services.evaluation.trials import Answered, Spent
from versioning.services.samples import (
    attachment,
    ingestion,
    late_scores,
    retention,
    rollup_rebuild,
    rollups,
    sessions,
    traces,
)
from versioning.services.samples.incoming import SampleIn, ScoreIn
from versioning.services.samples.trace_format import Span
from versioning.services.upgrades import (
    canary,
    decisions,
    policies,
    retirement,
    rollout,
    watching,
    way_back,
)
from versioning.services.upgrades.way_back import WayBack

Do = Callable[[Bustle, Busy], object]
ADA = Actor.command()


@dataclass(frozen=True)
class Act:
    """One kind of transaction; ``state`` is what the model's other upgrade is in for it."""

    name: str
    do: Do
    state: str = ""


ACTS: dict[str, Act] = {}


def act(state: str = "") -> Callable[[Do], Do]:
    def keep(do: Do) -> Do:
        name = do.__name__.replace("_", " ")
        ACTS[name] = Act(name, do, state)
        return do

    return keep


@act()
def record_a_check(bustle: Bustle, busy: Busy) -> None:
    """New prices of every version, a date, and a successor of each."""
    models = [
        ListedModel(
            id=version.upstream_id,
            input_price=Decimal(7),
            retires_on=(bustle.now + 40 * DAY).date(),
        )
        for version in ModelVersion.objects.filter(tracked_model__provider=bustle.provider)
    ]
    begun = detection.begin_checks(
        provider_slugs=[bustle.provider.slug], trigger="command", now=bustle.now
    )
    asked = recording.Attempt(result=Listing(tuple(models)), took=dt.timedelta(0))
    for check in begun:
        assert recording.record(check=check, asked=asked, now=bustle.now).state != "failed"


@act(state="rejected")
def approve(bustle: Bustle, busy: Busy) -> None:
    decisions.approve(
        record_id=busy.waiting.pk, actor=ADA, now=bustle.now, reason="go", evidence_hash=None
    )


@act()
def reject(bustle: Bustle, busy: Busy) -> None:
    decisions.reject(
        record_id=busy.waiting.pk, actor=ADA, now=bustle.now, reason="no", evidence_hash=None
    )


@act()
def snooze(bustle: Bustle, busy: Busy) -> None:
    decisions.snooze(
        record_id=busy.waiting.pk,
        actor=ADA,
        now=bustle.now,
        until=bustle.now + DAY,
        reason="",
        evidence_hash=None,
    )


@act(state="rejected")
def ask_for_an_upgrade(bustle: Bustle, busy: Busy) -> None:
    decisions.request_upgrade(
        tracked=busy.tracked,
        to_version=str(busy.old.pk),
        actor=ADA,
        now=bustle.now,
        reason="go",
        evidence_hash=None,
    )


@act()
def roll_back(bustle: Bustle, busy: Busy) -> None:
    decisions.roll_back(tracked_model_id=busy.tracked.pk, actor=ADA, now=bustle.now, reason="worse")


@act(state="approved")
def begin_a_canary(bustle: Bustle, busy: Busy) -> None:
    rollout._take_first_step(
        record_id=busy.under_way.pk,
        only_from=State.APPROVED,
        resolved=policies.resolve(tracked=busy.tracked),
        back=WayBack(
            outcome=way_back.WayBackState.OPEN,
            version=busy.current,
            sentence="It is open.",
            asked_at=bustle.now,
        ),
        why="go",
        now=bustle.now,
    )


@act(state="canary")
def look_at_the_canary(bustle: Bustle, busy: Busy) -> None:
    canary.evaluate(record_id=busy.under_way.pk, now=bustle.now)


@act(state="canary")
def approve_a_canary_step(bustle: Bustle, busy: Busy) -> None:
    canary.approve_step(record_id=busy.under_way.pk, actor=ADA, now=bustle.now)


@act(state="canary")
def abort_the_canary(bustle: Bustle, busy: Busy) -> None:
    canary.abort(record_id=busy.under_way.pk, actor=ADA, now=bustle.now, reason="bad")


@act()
def end_the_watch(bustle: Bustle, busy: Busy) -> None:
    watching.evaluate(watch_id=busy.done.watch.pk, now=bustle.now)


@act()
def write_reports(bustle: Bustle, busy: Busy) -> None:
    watching.write_reports(now=bustle.now)


@act(state="testing")
def judge_the_tests(bustle: Bustle, busy: Busy) -> None:
    rollout.advance_tested(record_id=busy.under_way.pk, now=bustle.now)


@act(state="testing")
def cancel_a_run(bustle: Bustle, busy: Busy) -> None:
    assert busy.run is not None
    control.cancel(run_id=busy.run.pk, actor=ADA, now=bustle.now)


@act(state="testing")
def rule_on_a_run(bustle: Bustle, busy: Busy) -> None:
    assert busy.run is not None
    busy.run.state, busy.run.verdict = "done", "not_enough_data"
    busy.run.save()
    control.rule(run_id=busy.run.pk, passes=True, actor=ADA, now=bustle.now)


@act(state="testing")
def end_a_run(bustle: Bustle, busy: Busy) -> None:
    assert busy.run is not None
    running._end(run=busy.run, worker=WORKER, state="done", problem="", now=bustle.now)


@act(state="testing")
def write_down_an_answer(bustle: Bustle, busy: Busy) -> None:
    assert busy.run is not None
    phase = running._Phase(
        run=busy.run, worker=WORKER, clock=lambda: bustle.now, questions=Questions.of(busy.run)
    )
    phase._write_down(
        busy.run.trials.first(),
        Answered(outcome=Outcome.EMPTY, answer=None),
        took=Spent(usd=Decimal(0), tokens=3),
        said=Score(value=1.0, reason=""),
    )


@act(state="testing")
def take_a_run_over(bustle: Bustle, busy: Busy) -> None:
    assert busy.run is not None
    running._take(run_id=busy.run.pk, worker="another", now=bustle.now)


@act()
def take_in_samples(bustle: Bustle, busy: Busy) -> None:
    items = [
        SampleIn(
            provider=bustle.provider.slug,
            model=busy.tracked.name,
            resolved_id=version.upstream_id,
            request_id=f"early-{busy.tracked.pk}-{n}" if n < 3 else "",
        )
        for version in busy.versions
        for n in range(6)
    ]
    ingestion.accept(items, api_key_id=None, now=bustle.now)


@act()
def take_in_traces(bustle: Bustle, busy: Busy) -> None:
    told = {"gen_ai.request.model": busy.versions[0].upstream_id}
    family = [
        Span(
            attributes=told,
            resource={},
            scope="",
            trace_id="a" * 32,
            span_id=f"{n:016x}",
            parent_id=f"{n - 1:016x}",
            start_ns=int(bustle.now.timestamp() * 10**9),
            end_ns=0,
            failed=False,
            exception="",
        )
        for n in range(1, 4)
    ]
    traces.accept(family, api_key_id=None, now=bustle.now)


@act()
def fold(bustle: Bustle, busy: Busy) -> None:
    rollups.fold(now=bustle.now)


@act()
def fold_days(bustle: Bustle, busy: Busy) -> None:
    rollups.fold(now=bustle.now)
    rollups.fold_days(now=bustle.now + 20 * DAY)


@act()
def make_rollups_anew(bustle: Bustle, busy: Busy) -> None:
    rollup_rebuild.rebuild()


@act()
def score_late(bustle: Bustle, busy: Busy) -> None:
    known = [f"{version.pk}-{n}" for version in reversed(busy.versions) for n in range(4)]
    unknown = [f"unknown-{busy.tracked.pk}-{n}" for n in range(4)]
    early = [f"early-{busy.tracked.pk}-{n}" for n in (2, 1, 0, 5)]
    items = [ScoreIn(request_id=each, quality=0.9) for each in (*known, *unknown, *early)]
    late_scores.attach(items, api_key_id=None, now=bustle.now)


@act()
def sweep_waiting_scores(bustle: Bustle, busy: Busy) -> None:
    late_scores.sweep_pending()


@act()
def track_an_unknown_model(bustle: Bustle, busy: Busy) -> None:
    tracking.start_tracking(
        provider_id=bustle.provider.pk,
        name=f"unknown-{busy.tracked.pk}",
        actor=ADA,
        now=bustle.now,
    )
    attachment.attach(now=bustle.now)


@act()
def count_mixed_sessions_out(bustle: Bustle, busy: Busy) -> None:
    sessions.count_out(
        from_version_id=busy.current.pk, to_version_id=busy.trial.pk, since=bustle.now - DAY
    )


@act()
def drop_old_samples(bustle: Bustle, busy: Busy) -> None:
    retention.drop_old_samples(now=bustle.now + 400 * DAY)


@act()
def edit_the_policy(bustle: Bustle, busy: Busy) -> None:
    rows = Policy.objects.filter(pk=busy.policy.pk)
    editing.change(rows, changes={"watch_days": 5}, actor=ADA)


@act()
def edit_the_model(bustle: Bustle, busy: Busy) -> None:
    tracking.change(
        tracked_model_id=busy.tracked.pk, changes={"owner": "grace@example.com"}, actor=ADA
    )


@act()
def edit_the_provider(bustle: Bustle, busy: Busy) -> None:
    providers.change(slug=bustle.provider.slug, changes={"name": "Other"}, actor=ADA)


@act()
def edit_a_version(bustle: Bustle, busy: Busy) -> None:
    ModelVersion.objects.filter(pk=busy.wanted.pk).update(previous_version=busy.current)
    found = ModelVersion.objects.get(pk=busy.current.pk)
    found.context_tokens = 7
    versions.save_changed(version=found, changed=["context_tokens"], actor=ADA)


@act()
def give_a_field_back(bustle: Bustle, busy: Busy) -> None:
    ModelVersion.objects.filter(pk=busy.trial.pk).update(staff_fields=["input_price"])
    versions.release_fields(version_id=busy.trial.pk, fields=["input_price"], actor=ADA)


@act()
def add_a_rule(bustle: Bustle, busy: Busy) -> None:
    tracking.add_rule(
        tracked_model_id=busy.tracked.pk, kind="ignore", pattern="y-*", actor=ADA, now=bustle.now
    )


@act()
def change_a_rule(bustle: Bustle, busy: Busy) -> None:
    tracking.change_rule(
        tracked_model_id=busy.tracked.pk,
        rule_id=busy.rule.pk,
        changes={"pattern": "z-*"},
        actor=ADA,
        now=bustle.now,
    )


@act()
def remove_a_rule(bustle: Bustle, busy: Busy) -> None:
    tracking.remove_rule(
        tracked_model_id=busy.tracked.pk, rule_id=busy.rule.pk, actor=ADA, now=bustle.now
    )


@act()
def write_and_send_reminders(bustle: Bustle, busy: Busy) -> None:
    retirement.write_reminders(now=bustle.now)
    outbox.deliver_due(now=bustle.now)


@act()
def resolve_a_notice(bustle: Bustle, busy: Busy) -> None:
    notice = Notice.objects.filter(record=busy.waiting, kind="worse").get()
    notices.resolve_one(notice_id=notice.pk, actor=ADA, now=bustle.now)


@act()
def wake_the_snoozed(bustle: Bustle, busy: Busy) -> None:
    UpgradeRecord.objects.waiting().filter(pk=busy.waiting.pk).update(
        state="snoozed", snoozed_until=bustle.now
    )
    rollout.wake_snoozed(now=bustle.now + 2 * DAY)


@act()
def chain_the_history(bustle: Bustle, busy: Busy) -> None:
    seals.chain()


def laws_hold(busy: Busy) -> None:
    """Laws 1 and 3, that nothing is left half done, and that the history is as it was written."""
    records = TrackedModel.objects.get(pk=busy.tracked.pk).upgrades
    latest = records.completions().exclude(state="rolled_back").order_by("-completion_number")
    current = TrackedModel.objects.get(pk=busy.tracked.pk).current_version
    assert latest.first().to_version == current
    assert records.under_way().count() <= 1
    for record in records.all():
        last = record.steps.order_by("-at", "-pk").first()
        assert last is None or last.after == record.state
        each_step_is_told_once(record=record)
    assert LineageRule.objects.filter(tracked_model=busy.tracked, pattern="x-*").count() <= 1
    assert not seals.verify().fault
