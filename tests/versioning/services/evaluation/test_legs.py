"""A finished run shows where its pair is decided on: admin, API, command and policy."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import ApiKeyFactory, ProviderFactory, tracked
from tests.versioning.admin.pages import text
from tests.versioning.api.conftest import Api
from versioning import tasks
from versioning.models import EvaluationSuite, ModelVersion, Policy, UpgradeRecord
from versioning.services import auto_upgrade
from versioning.services.upgrades import recommendation

pytestmark = pytest.mark.django_db
Waiting = Callable[..., UpgradeRecord]


@pytest.fixture
def waiting(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Waiting:
    """Make a recommendation without live samples, and a suite that both versions can be put to."""

    def make(*, before: float, after: float) -> UpgradeRecord:
        monkeypatch.setenv("SIMULATED_KEY", KEY)
        simulator.world.add("openai", "zeta-1", quality={"*": before})
        simulator.world.add("openai", "zeta-2", quality={"*": after})
        provider = ProviderFactory(
            slug="sim", base_url=simulator.base_url("openai"), api_key_env="SIMULATED_KEY"
        )
        model = tracked(name="zeta", upstream_id="zeta-1", provider=provider)
        call_command("check_providers")
        record = UpgradeRecord.objects.recommended().get(tracked_model=model)
        ModelVersion.objects.update(input_price=1, output_price=3)
        suite = EvaluationSuite.objects.create(
            name="sums", scorers=["number"], max_tokens=20, budget_usd=Decimal(1)
        )
        rows = "".join(f"{n} + 4,{n + 4}\n" for n in range(20))
        cases = tmp_path / "cases.csv"
        cases.write_text(f"prompt,expected\n{rows}")
        call_command("import_cases", suite.name, str(cases))
        return record

    return make


def evaluate(record: UpgradeRecord) -> UpgradeRecord:
    call_command("evaluate", "sums", "sim", "zeta")
    record.refresh_from_db()
    return record


def test_every_door_names_the_run_and_says_what_is_missing(
    waiting: Waiting, admin_client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    record = evaluate(waiting(before=0.2, after=1.0))
    api = Api(ApiKeyFactory(scopes=["read"]).secret)
    shown = api.get(f"/api/model-versions/upgrade-recommendations/{record.pk}").json()
    compared = api.get("/api/model-versions/sim/zeta/compare").json()
    assert shown["evidence"]["rests_on"] == compared["details"]["rests_on"] == ["tests"]
    assert shown["evidence"]["missing"] == ["live samples"]
    assert shown["evidence"]["verdict"] == compared["verdict"] == "better"
    assert shown["evidence"]["decision"] == "NOT ENOUGH EVIDENCE"
    assert shown["evidence"]["tests"][0]["suite"] == "sums"
    page = text(
        admin_client.get(reverse("admin:versioning_upgraderecord_change", args=[record.pk]))
    )
    assert "Rests on tests; no live samples." in page
    capsys.readouterr()
    call_command("recommendations", "--json")
    (told,) = json.loads(capsys.readouterr().out)
    assert "sums" in told["why"]
    assert (told["rests_on"], told["missing"]) == (["tests"], ["live samples"])
    call_command("recommendations")
    assert "It rests on tests; missing: live samples." in capsys.readouterr().out


def test_nothing_goes_by_itself_on_tests_alone_unless_the_policy_says_so(waiting: Waiting) -> None:
    record = evaluate(waiting(before=0.2, after=1.0))
    policy = Policy.objects.create(automation="after_gates", minimum_improvement=Decimal("0.1"))
    refused = auto_upgrade(provider="sim", model="zeta")
    assert not refused.upgraded
    assert "tests alone" in refused.waits_for
    policy.tests_alone = True
    policy.save()
    assert auto_upgrade(provider="sim", model="zeta").upgraded
    record.refresh_from_db()
    assert record.state == "completed"


def test_a_failed_test_blocks_at_once(waiting: Waiting) -> None:
    record = evaluate(waiting(before=1.0, after=0.0))
    assert record.evidence["decision"] == "BLOCKED"
    assert record.evidence["reasons"][0] == "sums: the test failed"


def test_the_worker_shows_it_as_soon_as_the_run_ends(waiting: Waiting) -> None:
    record = waiting(before=0.2, after=1.0)
    api = Api(ApiKeyFactory(scopes=["read", "decide", "setup"]).secret)
    begun = api.post(
        "/api/evaluation-runs",
        {"suite": "sums", "to_version": record.to_version_id},
    )
    assert begun.status_code in (201, 202), begun.json()
    tasks.run_evaluations()
    record.refresh_from_db()
    assert record.evidence["verdict"] == "better"


def test_evidence_without_a_run_says_that_tests_are_missing(waiting: Waiting) -> None:
    record = waiting(before=0.2, after=1.0)
    recommendation.refresh_evidence(record_id=record.pk, now=timezone.now())
    record.refresh_from_db()
    assert record.evidence["missing"] == ["live samples", "tests"]
