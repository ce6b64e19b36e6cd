"""A decision is made on what was read, and what was read is what the samples say."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.factories import ModelVersionFactory, UpgradeRecordFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import Policy, UpgradeRecord
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn
from versioning.services.upgrades import recommendation

pytestmark = pytest.mark.django_db

LIST = "/api/model-versions/upgrade-recommendations"


def send(upstream_id: str, quality: float, *, cost: str = "0.001") -> None:
    """Send 500 samples of a version, spread over ten days."""
    now = timezone.now()
    samples = [
        SampleIn(
            provider="acme",
            model="zeta",
            resolved_id=upstream_id,
            quality=quality + 0.1 * (number % 2),
            latency_ms=100.0,
            cost_usd=Decimal(cost),
            time=now - dt.timedelta(days=number % 10, minutes=1),
        )
        for number in range(500)
    ]
    assert ingestion.accept(samples, api_key_id=1, now=now).accepted == len(samples)


@pytest.fixture
def record(db: None) -> UpgradeRecord:
    """A recommendation of a version that is better, with the evidence of now."""
    model = tracked(name="zeta", upstream_id="one", provider__slug="acme")
    newer = ModelVersionFactory(tracked_model=model, label="1.1.0", upstream_id="two")
    send("one", 0.7)
    send("two", 0.8)
    record = UpgradeRecordFactory(tracked_model=model, to_version=newer)
    return recommendation.refresh_evidence(record_id=record.pk, now=timezone.now())


@pytest.mark.parametrize(
    ("verb", "body"),
    [("approve", {}), ("reject", {"reason": "no"}), ("snooze", {"until": "2100-01-01T00:00:00Z"})],
)
def test_samples_that_say_something_else_refuse_a_decision_on_what_was_read(
    api: Api, record: UpgradeRecord, verb: str, body: dict[str, str]
) -> None:
    read = api.get(f"{LIST}/{record.pk}")
    send("two", 0.1)

    refused = api.post(f"{LIST}/{record.pk}/{verb}", body, If_Match=read["ETag"])

    assert_problem(refused, 412, "evidence-changed")
    again = api.get(f"{LIST}/{record.pk}")
    assert read.json()["evidence"]["decision"] == "UPGRADE"
    assert again.json()["evidence"]["decision"] == "BLOCKED"
    assert api.post(f"{LIST}/{record.pk}/{verb}", body, If_Match=again["ETag"]).status_code == 200


def test_more_samples_that_say_the_same_refuse_nothing(api: Api, record: UpgradeRecord) -> None:
    read = api.get(f"{LIST}/{record.pk}")["ETag"]
    send("two", 0.8)

    assert api.post(f"{LIST}/{record.pk}/approve", If_Match=read).status_code == 200


@pytest.mark.parametrize(
    "address", [f"{LIST}/{{}}/approve", "/api/model-versions/acme/zeta/upgrade"]
)
def test_what_compare_shows_now_may_be_decided_on_and_is_kept(
    api: Api, record: UpgradeRecord, address: str
) -> None:
    send("two", 0.8)
    read = api.get("/api/model-versions/acme/zeta/compare")["ETag"]
    assert read != f'"{record.evidence_hash}"'

    moved = api.post(address.format(record.pk), If_Match=read)

    assert moved.status_code == 200
    assert f'"{moved.json()["evidence_hash"]}"' == read


def test_the_gates_are_those_of_the_policy(api: Api, record: UpgradeRecord) -> None:
    send("two", 0.8, cost="0.002")
    compare = "/api/model-versions/acme/zeta/compare"
    assert api.get(compare).json()["decision"] == "BLOCKED"

    Policy.objects.create(tracked_model=record.tracked_model, max_cost_rise=Decimal("0.6"))

    shown = api.get(compare).json()
    assert shown["decision"] == "UPGRADE"
    assert "limit +60 %" in shown["details"]["gates"][-1]["reason"]
    kept = recommendation.refresh_evidence(record_id=record.pk, now=timezone.now())
    assert kept.evidence == shown["details"]
