"""One provider with models that are busy in every way at once."""

import datetime as dt
import json
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.utils import timezone

from providers.models import Provider
from tests.factories import ModelVersionFactory, ProviderFactory, TrackedModelFactory
from versioning.models import (
    Canary,
    EvaluationRun,
    EvaluationSuite,
    LineageRule,
    ModelVersion,
    Notice,
    Policy,
    TrackedModel,
    Trial,
    UpgradeRecord,
    Watch,
)
from versioning.services.actors import Actor
from versioning.services.evaluation import planning, suites
from versioning.services.samples import ingestion, late_scores
from versioning.services.samples.incoming import SampleIn, ScoreIn
from versioning.services.upgrades import moves

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
STEPS = [{"weight": 20, "hours": 1}, {"weight": 50, "hours": 1, "approval": True}]
WORKER = "worker"


@dataclass
class Busy:
    """A tracked model with a move under watch, one under way, and a recommendation."""

    tracked: TrackedModel
    old: ModelVersion
    current: ModelVersion
    trial: ModelVersion
    """What is under way leads to this one."""
    wanted: ModelVersion
    """What waits leads to this one."""
    done: UpgradeRecord
    under_way: UpgradeRecord
    waiting: UpgradeRecord
    rule: LineageRule
    policy: Policy
    run: EvaluationRun | None = None

    @property
    def versions(self) -> tuple[ModelVersion, ...]:
        return self.old, self.current, self.trial, self.wanted


@dataclass
class Bustle:
    """The provider; ``busy(state)`` is its model with another upgrade in that state."""

    now: dt.datetime = field(default_factory=timezone.now)
    made: dict[str, Busy] = field(default_factory=dict)

    @cached_property
    def provider(self) -> Provider:
        return ProviderFactory()

    def busy(self, state: str) -> Busy:
        if state not in self.made:
            self.made[state] = _busy(self.provider, state=state, now=self.now)
        return self.made[state]


def _busy(provider: Provider, *, state: str, now: dt.datetime) -> Busy:
    tracked = TrackedModelFactory(provider=provider, name=f"zeta-{state}", owner="ada@example.com")
    old, current, trial, wanted = (
        ModelVersionFactory(
            tracked_model=tracked,
            upstream_id=f"{state}-{n}",
            revision=f"{state}-{n}-r",
            input_price=Decimal(1),
            output_price=Decimal(2),
            first_seen_at=now - 9 * DAY,
            last_seen_at=now,
            retires_on=(now + 50 * DAY).date() if n == 2 else None,
        )
        for n in range(1, 5)
    )
    moves.begin(tracked=tracked, version=old, actor=Actor.command(), now=now - 8 * DAY)
    policy = Policy.objects.create(
        tracked_model=tracked,
        canary_steps=STEPS if state in ("canary", "approved") else [],
        rollback_by_itself=True,
        watch_days=7,
    )
    tracked.refresh_from_db()
    done = _record(tracked, old, current, state="completed", now=now - 8 * DAY, number=2)
    TrackedModel.objects.filter(pk=tracked.pk).update(current_version=current)
    Watch.objects.create(record=done, began_at=now - 8 * DAY, ends_at=now - DAY)
    under_way = _record(tracked, current, trial, state=state, now=now - DAY)
    waiting = _record(tracked, current, wanted, state="recommended", now=now - 2 * HOUR)
    Notice.objects.create(record=waiting, kind="worse", sentence="Worse.", raised_at=now)
    rule = LineageRule.objects.create(tracked_model=tracked, kind="ignore", pattern="x-*")
    made = Busy(tracked, old, current, trial, wanted, done, under_way, waiting, rule, policy)
    if state == "canary":
        Canary.objects.create(
            record=under_way, salt="s", steps=STEPS, began_at=now - DAY, step_began_at=now - DAY
        )
    if state == "testing":
        made.run = _run(made, now=now)
    _samples(made, now=now)
    return made


def _record(
    tracked: TrackedModel,
    before: ModelVersion,
    after: ModelVersion,
    *,
    state: str,
    now: dt.datetime,
    number: int | None = None,
) -> UpgradeRecord:
    return UpgradeRecord.objects.create(
        tracked_model=tracked,
        from_version=before,
        to_version=after,
        state=state,
        origin="detection",
        step="minor",
        recommended_at=now,
        changed_at=now,
        completed_at=now if number else None,
        completion_number=number,
    )


def _run(busy: Busy, *, now: dt.datetime) -> EvaluationRun:
    suite = EvaluationSuite.objects.create(
        name=f"sums of {busy.tracked.pk}", scorers=["number"], max_tokens=20
    )
    rows = [{"prompt": f"What is {n} + 4?", "expected": str(n + 4)} for n in range(3)]
    content = "\n".join(json.dumps(row) for row in rows).encode()
    read = suites.read_file(suite=suite, content=content, form="jsonl")
    suites.import_cases(suite=suite, read=read)
    Policy.objects.filter(pk=busy.policy.pk).update(required_suites=[suite.name])
    plan = planning.plan(
        suite=suite,
        from_version=busy.current,
        to_version=busy.trial,
        budget_tokens=10**6,
        now=now,
    )
    run = planning.begin(plan=plan, actor=Actor.command(), now=now, record=busy.under_way)
    EvaluationRun.objects.filter(pk=run.pk).update(
        state="running", worker=WORKER, leased_until=now - HOUR, started_at=now - HOUR
    )
    Trial.objects.filter(run=run).update(asked_at=now - HOUR, held_tokens=5)
    return EvaluationRun.objects.with_names().get(pk=run.pk)


def _samples(busy: Busy, *, now: dt.datetime) -> None:
    items = [
        SampleIn(
            provider=busy.tracked.provider.slug,
            model=busy.tracked.name,
            resolved_id=version.upstream_id,
            quality=0.5,
            request_id=f"{version.pk}-{n}",
            session=f"{busy.tracked.pk}-{n}",
            time=now - 2 * HOUR,
        )
        for version in busy.versions
        for n in range(4)
    ]
    unknown = [
        SampleIn(
            provider=busy.tracked.provider.slug,
            model=f"unknown-{busy.tracked.pk}",
            quality=0.5,
            request_id=f"unknown-{busy.tracked.pk}-{n}",
        )
        for n in range(4)
    ]
    answer = ingestion.accept([*items, *unknown], api_key_id=None, now=now)
    assert not answer.rejected
    early = [ScoreIn(request_id=f"early-{busy.tracked.pk}-{n}", quality=0.5) for n in range(3)]
    late_scores.attach(early, api_key_id=None, now=now)
