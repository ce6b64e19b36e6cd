"""What staff set up in the sample world, and what then goes on by itself, through the services."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model

from providers.models import Provider
from sample_world import story
from versioning.models import (
    EvaluationRun,
    EvaluationSuite,
    Freeze,
    Policy,
    SliceTag,
    TrackedModel,
)
from versioning.services import editing, notices, outbox, tracking
from versioning.services.actors import Actor
from versioning.services.evaluation import planning, running, suites
from versioning.services.evidence import drift
from versioning.services.samples import (
    late_scores,
    rollups,
    trace_format,
    trace_names,
    traces,
)
from versioning.services.samples.incoming import ScoreIn, SignalsIn
from versioning.services.upgrades import (
    recommendation,
    renewal,
    retirement,
    rollout,
    selection,
)

REMINDED_ON = (39, story.LAST_DAY)
LATE_REQUEST = "demo-scored-later"


def on_day(day: int, *, now: datetime) -> None:
    """Set what staff set that day: tags, pins, suites, policies."""
    if day == 0:
        editing.add(SliceTag(name="language"), actor=_ada())
        for (provider, model), reason in story.PINS.items():
            tracking.change(
                tracked_model_id=_tracked(provider, model).pk,
                changes={"pinned": True, "pin_reason": reason},
                actor=_ada(),
            )
    if day == story.BUSY_DAY:
        for suite in story.SUITES:
            _add_suite(suite)
    for policy in story.POLICIES:
        if policy.day == day:
            _add_policy(policy)
    if day == story.TESTED_DAY:
        _test_the_worked_example(now=now)
    if day in REMINDED_ON:
        retirement.write_reminders(now=now)


def carry_on(day: int, *, now: datetime) -> None:
    """Do what the scheduler does: canaries, tests, watches, reports."""
    if day <= story.BUSY_DAY:
        return
    rollups.fold(now=now)
    rollout.carry_on(now=now)
    if EvaluationRun.objects.open().exists():
        running.carry_out_open_runs(clock=lambda: now)
        rollout.carry_on(now=now)


def tell_of_today(*, now: datetime, api_key_id: int) -> None:
    """Do what only shows today: a freeze to come, a late score, traces, drift, mails, a new run."""
    name, begins, ends = story.FREEZE
    freeze = Freeze(
        name=name,
        starts_at=now + timedelta(days=begins),
        ends_at=now + timedelta(days=ends),
        made_by=_ada().name,
    )
    editing.add(freeze, actor=_ada())
    late_scores.attach(
        [ScoreIn(request_id=LATE_REQUEST, signals=SignalsIn(user_feedback=1))],
        api_key_id=api_key_id,
        now=now,
    )
    body = json.dumps(_two_spans(now)).encode()
    traces.accept(
        trace_format.read_json(body, wanted=trace_names.is_read), api_key_id=api_key_id, now=now
    )
    rollups.fold(now=now)
    rollups.fold_days(now=now)
    drift.find_drift(now=now)
    renewal.renew_all(now=now)
    outbox.deliver_due(now=now)
    subject, sentence = story.FAULT
    notices.raise_fault(subject=subject, sentence=sentence, now=now - timedelta(days=1))
    _begin_a_slow_run(now=now)


def _add_policy(policy: story.DemoPolicy) -> None:
    provider = Provider.objects.get(slug=policy.provider)
    whose = (
        {"tracked_model": _tracked(policy.provider, policy.model)}
        if policy.model
        else {"provider": provider}
    )
    editing.add(Policy(**whose, **policy.values), actor=_ada())


def _add_suite(suite: story.DemoSuite) -> None:
    added = editing.add(
        EvaluationSuite(
            name=suite.name,
            scorers=[suite.scorer],
            parameters={"temperature": 0},
            max_tokens=40,
            budget_tokens=20_000,
            requests_per_minute=suite.requests_per_minute,
        ),
        actor=_ada(),
    )
    lines = [
        json.dumps({"key": f"case-{number:02}", "prompt": prompt, "expected": expected})
        for number, (prompt, expected) in enumerate(suite.cases.items(), start=1)
    ]
    read = suites.read_file(suite=added, content="\n".join(lines).encode(), form="jsonl")
    suites.import_cases(suite=added, read=read)


def _test_the_worked_example(*, now: datetime) -> None:
    _begin_run(story.SUITES[1].name, now=now)
    running.carry_out_open_runs(clock=lambda: now)
    recommendation.refresh_tested(since=now, now=now)


def _begin_a_slow_run(*, now: datetime) -> None:
    """Leave a run to the worker, which takes minutes: the suite asks few requests a minute."""
    _begin_run(story.SUITES[2].name, now=now)


def _begin_run(suite: str, *, now: datetime) -> None:
    tracked = _tracked("openrouter", "qwen-2.5-7b-instruct")
    before, after = selection.pair_to_compare(tracked=tracked)
    plan = planning.plan(
        suite=suites.suite_named(suite), from_version=before, to_version=after, now=now
    )
    planning.begin(plan=plan, actor=_ada(), now=now)


def _two_spans(now: datetime) -> dict[str, object]:
    """Return an export with a request as the convention has it, and one of another dialect."""
    ends = int((now - timedelta(minutes=3)).timestamp()) * 10**9

    def span(number: int, attributes: Mapping[str, str | int]) -> dict[str, object]:
        return {
            "traceId": f"{number:032x}",
            "spanId": f"{number:016x}",
            "name": "chat",
            "startTimeUnixNano": str(ends - 900_000_000),
            "endTimeUnixNano": str(ends),
            "attributes": [
                {
                    "key": key,
                    "value": {"intValue": str(value)}
                    if isinstance(value, int)
                    else {"stringValue": value},
                }
                for key, value in attributes.items()
            ],
        }

    request: Mapping[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-2024-08-06",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.input_tokens": 410,
        "gen_ai.usage.output_tokens": 80,
        "hotswap.model": "gpt-4o",
        "hotswap.task": "traced",
    }
    other = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o-2024-08-06"}
    spans = [span(1, request), span(2, other)]
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}


def _tracked(provider: str, name: str) -> TrackedModel:
    return TrackedModel.objects.named(provider=provider, name=name).get()


def _ada() -> Actor:
    return Actor.of_user(get_user_model().objects.get(username="ada"))
