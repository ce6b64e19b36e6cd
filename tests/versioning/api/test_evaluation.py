"""Evaluation over the API: cases in, a run begun, watched, cancelled and gone on with."""

from decimal import Decimal
from typing import Any

import pytest

from tests.factories import NOW
from versioning.models import EvaluationSuite, ModelVersion
from versioning.services.evaluation import running

pytestmark = pytest.mark.django_db
CASES = [{"prompt": f"What is {n} + 4?", "expected": str(n + 4)} for n in range(12)]


@pytest.fixture
def suite(db: None) -> EvaluationSuite:
    return EvaluationSuite.objects.create(
        name="sums", scorers=["number"], max_tokens=20, budget_usd=Decimal(1)
    )


def test_a_suite_is_filled_run_and_read(
    api: Any, suite: EvaluationSuite, candidate: ModelVersion
) -> None:
    address = f"/api/evaluation-suites/{suite.pk}/cases"
    stored = api.post(address, {"cases": [*CASES, {"expected": "x"}]}).json()
    assert stored["new"] == 12
    assert stored["rejected"] == [{"row": 13, "why": "Row 13 has neither messages nor a prompt."}]
    assert api.get("/api/evaluation-suites/").json()["results"][0]["cases"] == 12

    begun = api.post("/api/evaluation-runs", {"suite": "sums", "to_version": candidate.pk})
    assert begun.status_code == 202
    run = begun.json()
    assert (run["state"], run["done"], run["total"]) == ("waiting", 0, 24)
    stopped = api.post(f"/api/evaluation-runs/{run['id']}/cancel").json()
    assert stopped["state"] == "cancelled"
    assert api.post(f"/api/evaluation-runs/{run['id']}/cancel").status_code == 409
    assert api.post(f"/api/evaluation-runs/{run['id']}/go-on").json()["state"] == "waiting"

    running.carry_out_open_runs(clock=lambda: NOW)
    done = api.get(f"/api/evaluation-runs/{run['id']}").json()
    assert (done["state"], done["done"]) == ("done", 24)
    assert done["result"]["cases"] == 12
    assert len(api.get("/api/evaluation-runs?state=done&suite=sums").json()["results"]) == 1


def test_an_estimate_says_what_it_takes_and_starts_nothing(
    api: Any, suite: EvaluationSuite, candidate: ModelVersion
) -> None:
    api.post(f"/api/evaluation-suites/{suite.pk}/cases", {"cases": CASES})
    ModelVersion.objects.filter(pk=candidate.pk).update(parameters=["seed"])
    told = {"model": "zeta", "parameters": ["tools", "seed"], "input_tokens": 40}
    api.post("/api/performance-samples", [told, {**told, "parameters": ["seed"]}])

    asked = {"suite": "sums", "to_version": candidate.pk, "budget_usd": "0.00000001"}
    found = api.post("/api/evaluation-runs/estimate", asked).json()

    assert (found["requests"], len(found["problems"])) == (24, 1)
    assert float(found["cost_usd"]) > 0
    refused = [fit for fit in found["recorded_fits"] if fit["fit"] == "must_change"]
    assert [(fit["what"], fit["share"]) for fit in refused] == [("tools", 0.5)]
    assert api.get("/api/evaluation-runs").json()["results"] == []


def test_what_can_not_start_says_why(
    api: Any, suite: EvaluationSuite, candidate: ModelVersion
) -> None:
    wanted = {"suite": "sums", "to_version": candidate.pk}
    assert "no cases yet" in api.post("/api/evaluation-runs", wanted).json()["detail"]
    assert api.post("/api/evaluation-runs", {**wanted, "suite": "x"}).status_code == 404
    assert api.post("/api/evaluation-runs", {**wanted, "to_version": 0}).status_code == 404
    assert api.get("/api/evaluation-runs/0").status_code == 404


def test_starting_a_run_needs_the_scope_decide(with_scopes: Any, suite: EvaluationSuite) -> None:
    reader = with_scopes("read")
    assert reader.get("/api/evaluation-suites").status_code == 200
    assert (
        reader.post("/api/evaluation-runs", {"suite": "sums", "to_version": 1}).status_code == 403
    )
