"""Every operation answers with success, and with something: the contract holds what it says.

``contract`` looks at each answer, so a list with no item, or an operation that only refuses, would
leave its shape unproven.
"""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from providers.models import Provider
from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import UserFactory
from tests.otlp import CHAT, export, span
from tests.versioning.api import contract, walk
from tests.versioning.api.conftest import JSON, Api
from tests.versioning.api.everything import TASK, Everything, everything, nothing_else_under_way
from tests.versioning.api.walk import Described
from versioning.models import (
    ApiKey,
    Canary,
    Comment,
    EvaluationRun,
    EvaluationSuite,
    ModelVersion,
)

pytestmark = pytest.mark.django_db

READS = [each for each in walk.operations() if each.method == "get"]
WRITES = walk.writes()
CASE = {"key": "new", "prompt": "What is 2 + 2?", "expected": "4"}
SAMPLE = {"provider": "acme", "model": "zeta", "request_id": "r1"}
RUN = {"suite": "{suite}", "to_version": "{to_version}", "budget_tokens": 10**6}
BODIES: dict[str, Any] = {
    "switch_automation": {"on": False, "reason": "outage"},
    "check": {},
    "resolve_drift_finding": {},
    "evaluate": RUN,
    "estimate_run": RUN,
    "move_in_emergency": {"reason": "It answers nonsense."},
    "review_emergency": {"note": "It was one."},
    "cancel_run": {},
    "go_on_with_run": {"budget_tokens": 10**6},
    "mark_pair": {"case_key": "{case_key}", "prefers": "candidate"},
    "rule_on_run": {"passes": True},
    "add_evaluation_suite": {"name": "new", "scorers": ["number"]},
    "change_evaluation_suite": {"description": "New."},
    "import_cases": {"cases": [CASE, {"expected": "no prompt"}]},
    "change_case": {"key": "other"},
    "remove_case": {},
    "import_cases_file": b'{"prompt": "What is 2 + 2?", "expected": "4"}\n',
    "add_freeze": {
        "name": "Trade",
        "starts_at": "2027-12-01T00:00:00Z",
        "ends_at": "2028-01-02T00:00:00Z",
    },
    "change_freeze": {"name": "Winter"},
    "remove_freeze": {},
    "auto_upgrade": {"auto_upgrade": False, "min_quality_improvement": 0.1},
    "rollback": {"reason": "worse"},
    "upgrade": {},
    "approve": {},
    "reject": {"reason": "dear", "wake": {"kind": "price", "price_falls_by": "0.2"}},
    "snooze": {"until": "2100-01-01T00:00:00Z"},
    "add_comment": {"text": "The dates are wrong.", "asks_for_changes": True},
    "withdraw_request": {},
    "override_request": {"reason": "They are right by now."},
    "approve_canary_step": {},
    "resume_canary": {},
    "abort_canary": {"reason": "slow"},
    "resolve_notice": {},
    "add_policy": {
        "watch_days": 3,
        "automation": "after_gates",
        "minimum_improvement": "0.1",
        "steps_allowed": ["minor"],
        "required_suites": "{suites}",
        "canary_steps": [{"weight": 5, "hours": 24.5}, {"weight": 50, "approval": True}],
        "windows": [{"days": ["mon"], "from": "09:00", "to": "16:00"}],
    },
    "change_policy": {"watch_days": 3, "canary_asks": "", "windows": None},
    "remove_policy": {},
    "add_provider": {"slug": "new", "kind": "ollama", "base_url": "http://127.0.0.1:9"},
    "change_provider": {"name": "New"},
    "release_key": {"places": "{places}"},
    "test_connection": {},
    "change_schedule": {"crontab": {"hour": "4"}},
    "add_slice_tag": {"name": "region"},
    "change_slice_tag": {"name": "region"},
    "remove_slice_tag": {},
    "track": {"provider": "{provider}", "name": "new", "unlisted": True},
    "change_tracked_model": {"owner": ""},
    "add_lineage_rule": {"kind": "ignore", "pattern": "y-*"},
    "change_lineage_rule": {"reason": "Old."},
    "remove_lineage_rule": {},
    "change_version": {
        "migration_notes": "Mind the dates.",
        "retires_precision": "",
        "other_prices": [{"part": "cache_write", "usd": "3.75"}],
    },
    "try_anew": {},
    "add_calendar": {"name": "grace", "owner": "grace@example.com"},
    "remove_calendar": {},
    "add_recipient": {"name": "grace", "email": "grace@example.com"},
    "change_recipient": {"kinds": ["model.moved"], "quiet_from": "20:00", "quiet_until": "07:00"},
    "remove_recipient": {},
    "test_recipient": {},
    "test_mail": {"to": "ada@example.com"},
    "add_webhook": {"name": "chat-bot", "url": "https://example.com/hooks"},
    "change_webhook": {"kinds": ["model.moved"]},
    "remove_webhook": {},
    "rotate_webhook_secret": {},
    "test_webhook": {},
    "release_version": {"names": ["migration_notes"]},
    "performance_samples": [SAMPLE, {"tokens": 1}],
    "scores": [{"request_id": "r1", "quality": 0.5}],
    "scores_patch": {"scores": [{"request_id": "r1", "quality": 0.5}, {"quality": 9}]},
    "score": {"quality": 0.5},
    "score_patch": {"signals": {"valid_output": True}},
    "traces": export(span(CHAT)),
}


@pytest.fixture
def world(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Everything:
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    simulator.world.add("openai", "zeta-1")
    made = everything(timezone.now())
    provider = Provider.objects.get(slug=made.of("/api/providers")["slug"])
    provider.base_url, provider.api_key_env = simulator.base_url("openai"), "SIMULATED_KEY"
    provider.release_key()
    provider.save()
    return made


def let_it_succeed(operation_id: str, world: Everything) -> None:
    """Bring the rows into a state that the operation asks for."""
    run = EvaluationRun.objects.filter(pk=world.of("/api/evaluation-runs")["id"])
    match operation_id:
        case "review_emergency":
            ApiKey.objects.update(person=UserFactory())
        case "upgrade" | "approve" | "rollback":
            nothing_else_under_way()
        case "add_policy":
            EvaluationSuite.objects.create(name="sums", scorers=["number"])
        case "go_on_with_run":
            run.update(state="cancelled")
        case "rule_on_run":
            run.update(state="done", verdict="not_enough_data")
        case "approve_canary_step":
            Canary.objects.update(position=1)
        case "resume_canary":
            Canary.objects.update(paused_at=timezone.now())
        case "withdraw_request" | "override_request":
            key = ApiKey.objects.get()
            Comment.objects.update(kind="changes", actor_kind="api", actor_name=key.name)
        case "release_version":
            ModelVersion.objects.update(staff_fields=["migration_notes"])


def body_of(operation: Described, world: Everything) -> Any:
    """Return a body that is taken; what stands in braces is filled in."""
    run = EvaluationRun.objects.get(pk=world.of("/api/evaluation-runs")["id"])
    provider = Provider.objects.get(slug=world.of("/api/providers")["slug"])
    known = {
        "{suite}": run.frozen.suite.name,
        "{suites}": [run.frozen.suite.name],
        "{to_version}": run.to_version_id,
        "{case_key}": run.marks.get().case_key,
        "{places}": sorted({pair.split(" ")[1] for pair in provider.key_pairs()}),
        "{provider}": provider.slug,
    }
    body = BODIES[operation.schema["operationId"]]
    if not isinstance(body, dict):
        return body
    return {
        name: known.get(value, value) if isinstance(value, str) else value
        for name, value in body.items()
    }


def ask(api: Api, operation: Described, world: Everything) -> Any:
    address = world.address(operation)
    if operation.method == "get":
        needs = {"task": TASK} if "task" in operation.parameters("query") else {}
        return api.get(f"{address}?{urlencode(needs)}")
    let_it_succeed(operation.schema["operationId"], world)
    kind = operation.media_types[0] if operation.media_types else JSON
    body = body_of(operation, world)
    return api._send(operation.method.upper(), address, body, {"Content-Type": kind})


def assert_success(answer: Any, operation: Described) -> None:
    assert 200 <= answer.status_code < 300, (str(operation), answer.content)
    assert (operation.schema["operationId"], str(answer.status_code)) in contract.seen


def test_every_read_answers_as_described_and_with_something(api: Api, world: Everything) -> None:
    assert len(READS) > 45
    for operation in READS:
        answer = ask(api, operation, world)
        assert_success(answer, operation)
        if answer["Content-Type"] == JSON:
            assert answer.json().get("results", ["no list"]), str(operation)


@pytest.mark.parametrize("operation", WRITES, ids=str)
def test_every_write_answers_as_described(
    api: Api, world: Everything, operation: Described
) -> None:
    assert_success(ask(api, operation, world), operation)
