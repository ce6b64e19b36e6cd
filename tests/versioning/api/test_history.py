"""What served when, how it did, and which is better."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, ModelVersionFactory, UpgradeRecordFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import TrackedModel, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.upgrades import decisions

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def model(db: None) -> TrackedModel:
    """1.0.0 served for a day, the next version for a day, then 1.0.0 again."""
    model = tracked(name="org/zeta")
    record = UpgradeRecordFactory(tracked_model=model)
    decisions.approve(record_id=record.pk, actor=Actor.command(), now=NOW + DAY)
    decisions.roll_back(
        tracked_model_id=model.pk, actor=Actor.command(), now=NOW + 2 * DAY, reason="worse"
    )
    return model


@pytest.fixture
def base(model: TrackedModel) -> str:
    return f"/api/model-versions/{model.provider.slug}/org/zeta"


def report(api: Api, model: TrackedModel, upstream_id: str, quality: float, n: int) -> None:
    """Report samples of one version over the last 40 days; its quality varies a little."""
    now = dt.datetime.now(dt.UTC)
    samples: list[Any] = [
        {
            "provider": model.provider.slug,
            "model": model.name,
            "resolved_id": upstream_id,
            "task": "summarise",
            "quality": quality + (0.02 if number % 2 else -0.02),
            "latency_ms": 100,
            "time": (now - 40 * DAY * number / n).isoformat(),
            "cost_usd": "0.001",
        }
        for number in range(n)
    ]
    answer = api.post("/api/performance-samples", samples).json()
    assert answer["accepted"] == n, answer


def test_history_shows_versions_with_periods_and_moves(api: Api, base: str) -> None:
    new, old = api.get(f"{base}/history").json()["results"]

    assert old["version"]["label"] == "1.0.0"
    assert [(p["since"], p["until"]) for p in old["served"]] == [
        ("2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z"),
        ("2026-03-03T12:00:00Z", None),
    ]
    assert [(p["since"], p["until"]) for p in new["served"]] == [
        ("2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z")
    ]
    assert [move["state"] for move in new["upgrades"]] == ["rolled_back"]
    assert new["upgrades"][0]["steps"][-1]["after"] == "rolled_back"


@pytest.mark.parametrize(
    ("moment", "label"),
    [
        ("2026-02-01T00:00:00Z", None),
        ("2026-03-01T12:00:00Z", "1.0.0"),
        ("2026-03-02T12:00:00Z", "new"),
        ("2026-03-02T14:00:00%2B02:00", "new"),
        ("2026-03-03T12:00:00Z", "1.0.0"),
    ],
)
def test_history_says_what_served_at_a_moment(
    api: Api, base: str, moment: str, label: str | None
) -> None:
    results = api.get(f"{base}/history?as_of={moment}").json()["results"]

    found = [item["version"]["label"] for item in results]
    assert [each if each == "1.0.0" else "new" for each in found] == ([label] if label else [])


def test_history_shows_the_performance_of_each_version(
    api: Api, base: str, model: TrackedModel
) -> None:
    report(api, model, "zeta-1", 0.75, 10)

    old = api.get(f"{base}/history").json()["results"][-1]

    assert old["performance"]["total"]["samples"] == 10
    assert old["performance"]["total"]["quality"] == pytest.approx(0.75)
    assert old["performance"]["tasks"]["summarise"]["cost_usd"] == "0.001000000"


def test_history_takes_the_same_queries_for_any_number(
    api: Api, base: str, model: TrackedModel
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert api.get(f"{base}/history").status_code == 200
        return len(queries)

    count(), count()
    few = count()
    for _ in range(6):
        version = ModelVersionFactory(tracked_model=model)
        UpgradeRecordFactory(tracked_model=model, to_version=version, state="rejected")

    assert count() == few


def test_every_move_is_listed_newest_first(api: Api, base: str) -> None:
    moves = api.get(f"{base}/upgrades").json()["results"]
    reversed_ = api.get(f"{base}/upgrades?state=rolled_back").json()["results"]

    assert [move["origin"] for move in moves] == ["rollback", "detection", "tracking"]
    assert moves[0]["reverses_id"] == moves[1]["id"]
    assert [move["id"] for move in reversed_] == [moves[1]["id"]]


def test_two_versions_are_compared_by_any_of_their_names(
    api: Api, base: str, model: TrackedModel
) -> None:
    new = UpgradeRecord.objects.get(origin="detection").to_version
    report(api, model, "zeta-1", 0.75, 600)
    report(api, model, new.upstream_id, 0.85, 600)

    answer = api.get(f"{base}/compare?from=1.0.0&to={new.pk}&task=summarise")
    body = answer.json()

    assert body["verdict"] == "better"
    assert float(body["improvement"]) == pytest.approx(0.1 / 0.75, abs=1e-4)
    assert answer["ETag"] == f'"{body["evidence_hash"]}"'
    again = api.get(f"{base}/compare?from=1.0.0&to={new.upstream_id}&task=summarise").json()
    assert again["evidence_hash"] == body["evidence_hash"]


def test_without_samples_a_comparison_asks_for_more(api: Api, base: str) -> None:
    new = UpgradeRecord.objects.get(origin="detection").to_version

    body = api.get(f"{base}/compare?to={new.label}").json()

    assert (body["verdict"], body["improvement"]) == ("not_enough_data", None)
    assert body["sentence"]


def test_a_comparison_needs_something_to_compare(api: Api, base: str) -> None:
    assert_problem(api.get(f"{base}/compare"), 409, "nothing-recommended")
    problem = assert_problem(api.get(f"{base}/compare?to=9.9"), 422, "invalid")
    assert problem["errors"][0]["pointer"] == "?to"


def test_a_version_is_not_compared_with_itself(api: Api, base: str) -> None:
    """Its samples would count on both sides, and no number of them would settle anything."""
    problem = assert_problem(api.get(f"{base}/compare?from=1.0.0&to=1.0.0"), 422, "invalid")
    assert problem["errors"][0]["code"] == "same-version"


def test_the_best_model_of_a_task_comes_with_the_whole_table(api: Api, model: TrackedModel) -> None:
    other = tracked(name="yotta", upstream_id="yotta-1")
    report(api, model, "zeta-1", 0.6, 300)
    report(api, other, "yotta-1", 0.9, 300)

    body = api.get("/api/model-versions/best?task=summarise").json()

    assert (body["best"]["model"], body["tied"]) == ("yotta", False)
    assert [(place["model"], place["rank"]) for place in body["table"]] == [
        ("yotta", 1),
        ("org/zeta", 2),
    ]


def test_of_a_task_that_nobody_does_nothing_is_best(api: Api) -> None:
    assert_problem(api.get("/api/model-versions/best?task=none"), 404, "not-found")
    assert_problem(api.get("/api/model-versions/best"), 400, "bad-query")
