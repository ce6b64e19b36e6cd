"""What waits for a decision, and the decisions."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, UpgradeRecordFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import UpgradeRecord, WakeRule

pytestmark = pytest.mark.django_db

LIST = "/api/model-versions/upgrade-recommendations"
HASH = "a" * 64


@pytest.fixture
def record(db: None) -> UpgradeRecord:
    return UpgradeRecordFactory(evidence_hash=HASH, evidence={"sentence": "13 % better."})


def test_urgent_ones_come_first_then_the_newest(api: Api) -> None:
    old = UpgradeRecordFactory()
    new = UpgradeRecordFactory(recommended_at=NOW + dt.timedelta(days=1))
    late = UpgradeRecordFactory(urgent_on=dt.date(2026, 9, 1))
    soon = UpgradeRecordFactory(urgent_on=dt.date(2026, 4, 1))

    whole = [item["id"] for item in api.get(LIST).json()["results"]]
    pages, address = [], f"{LIST}?limit=1"
    while address:
        answer = api.get(address)
        pages += [item["id"] for item in answer.json()["results"]]
        address = answer.json()["next"]

    assert whole == pages == [soon.pk, late.pk, new.pk, old.pk]


def test_each_one_has_what_a_decision_needs(api: Api, record: UpgradeRecord) -> None:
    record.to_version.found_improvements = ["Twice the context"]
    record.to_version.added_breaking_changes = ["No more top_k"]
    record.to_version.save()

    (shown,) = api.get(LIST).json()["results"]

    assert shown["improvements"] == ["Twice the context"]
    assert shown["breaking_changes"] == ["No more top_k"]
    assert shown["evidence"]["sentence"] == "13 % better."
    assert shown["evidence_hash"] == HASH
    assert shown["from_version"]["label"] == "1.0.0"


FIVE = {"has_upgrade", "recommended", "current_version", "latest_version", "improvements"}


def test_what_was_always_asked_for_stands_at_the_top(api: Api, record: UpgradeRecord) -> None:
    record.to_version.found_improvements = ["Twice the context"]
    record.to_version.save()
    tracked_model = record.tracked_model
    address = f"/api/model-versions/{tracked_model.provider.slug}/{tracked_model.name}/upgrades"

    for decision, recommended in (("NOT ENOUGH EVIDENCE", False), ("UPGRADE", True)):
        record.evidence = {"decision": decision}
        record.save()
        waits = {
            "has_upgrade": True,
            "recommended": recommended,
            "current_version": record.from_version.label if record.from_version else "",
            "latest_version": record.to_version.label,
            "improvements": ["Twice the context"],
        }
        of_model, of_all = api.get(address).json(), api.get(LIST).json()
        for found in (
            of_model,
            of_all,
            of_all["results"][0],
            api.get(f"{LIST}/{record.pk}").json(),
        ):
            assert {name: found[name] for name in FIVE} == waits

    for state in ("rejected", "superseded"):
        UpgradeRecord.objects.filter(pk=record.pk).update(state=state)
        nothing = api.get(address).json()
        assert (nothing["has_upgrade"], nothing["recommended"]) == (False, False)
        assert nothing["current_version"] == nothing["latest_version"] == "1.0.0"
        assert nothing["improvements"] == []
        assert api.get(LIST).json()["has_upgrade"] is False


def test_a_maybe_is_no_upgrade(api: Api, record: UpgradeRecord) -> None:
    UpgradeRecord.objects.filter(pk=record.pk).update(step=UpgradeRecord.Step.MAYBE)
    shown = api.get(f"{LIST}?step=maybe").json()
    assert shown["has_upgrade"] is False
    assert shown["results"][0]["has_upgrade"] is False


def test_they_are_filtered(api: Api) -> None:
    mine = UpgradeRecordFactory(tracked_model=tracked(name="org/zeta"))
    UpgradeRecordFactory(step=UpgradeRecord.Step.MAJOR)
    UpgradeRecordFactory(state="snoozed", snoozed_until=NOW)

    def ids(query: str) -> list[int]:
        return [item["id"] for item in api.get(f"{LIST}?{query}").json()["results"]]

    assert ids("model=org/zeta") == [mine.pk]
    assert ids(f"provider={mine.tracked_model.provider.slug}") == [mine.pk]
    assert len(ids("step=major")) == 1
    assert len(ids("state=snoozed")) == 1
    assert api.get(f"{LIST}?state=completed").status_code == 400


@pytest.mark.parametrize("many", [1, 8])
def test_the_list_takes_the_same_queries_for_any_number(api: Api, many: int) -> None:
    for _ in range(many):
        UpgradeRecordFactory()
    api.get(LIST), api.get(LIST)

    with CaptureQueriesContext(connection) as queries:
        assert len(api.get(LIST).json()["results"]) == many

    assert len(queries) == 3  # the key, whether there are teams, the page


def test_an_approval_moves_the_model_and_is_signed(api: Api, record: UpgradeRecord) -> None:
    body = api.post(f"{LIST}/{record.pk}/approve", {"reason": "looks good"}).json()

    assert body["state"] == "completed"
    approved = body["steps"][0]
    assert (approved["actor_kind"], approved["reason"]) == ("api", "looks good")
    record.tracked_model.refresh_from_db()
    assert record.tracked_model.current_version == record.to_version


@pytest.mark.parametrize(
    ("verb", "body"),
    [("approve", {}), ("reject", {"reason": "no"}), ("snooze", {"until": "2100-01-01T00:00:00Z"})],
)
def test_what_is_decided_already_is_409_and_says_by_whom(
    api: Api, record: UpgradeRecord, verb: str, body: dict[str, str]
) -> None:
    api.post(f"{LIST}/{record.pk}/approve")

    problem = assert_problem(api.post(f"{LIST}/{record.pk}/{verb}", body), 409, "already-moved")

    assert "completed already by application" in problem["detail"]


@pytest.mark.parametrize(
    ("verb", "body"),
    [("approve", {}), ("reject", {"reason": "no"}), ("snooze", {"until": "2100-01-01T00:00:00Z"})],
)
def test_a_decision_on_evidence_that_has_changed_is_412(
    api: Api, record: UpgradeRecord, verb: str, body: dict[str, str]
) -> None:
    address = f"{LIST}/{record.pk}/{verb}"
    etag = api.get(f"{LIST}/{record.pk}")["ETag"]
    UpgradeRecord.objects.update(evidence_hash="b" * 64)

    refused = api.post(address, body, If_Match=etag)
    record.refresh_from_db()

    assert_problem(refused, 412, "evidence-changed")
    assert record.state == "recommended"
    again = api.get(f"{LIST}/{record.pk}")["ETag"]
    assert api.post(address, body, If_Match=again).status_code == 200


def test_a_list_of_etags_is_400(api: Api, record: UpgradeRecord) -> None:
    answer = api.post(f"{LIST}/{record.pk}/approve", If_Match='"a", "b"')

    assert_problem(answer, 400, "bad-header")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}])
def test_a_rejection_needs_a_reason(api: Api, record: UpgradeRecord, body: dict[str, str]) -> None:
    problem = assert_problem(api.post(f"{LIST}/{record.pk}/reject", body), 422, "invalid")

    assert problem["errors"][0]["pointer"] == "/reason"


def test_a_rejection_may_say_when_to_ask_again(api: Api, record: UpgradeRecord) -> None:
    answer = api.post(
        f"{LIST}/{record.pk}/reject",
        {"reason": "too dear", "wake": {"kind": "price", "price_falls_by": "0.2"}},
    )

    assert answer.json()["state"] == "rejected"
    assert WakeRule.objects.filter(record=record).count() == 1


def test_a_wake_up_rule_with_a_part_missing_is_422(api: Api, record: UpgradeRecord) -> None:
    answer = api.post(f"{LIST}/{record.pk}/reject", {"reason": "no", "wake": {"kind": "until"}})

    problem = assert_problem(answer, 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/wake"
    record.refresh_from_db()
    assert record.state == "recommended"


@pytest.mark.parametrize("until", ["2020-01-01T00:00:00Z", "soon", "", None])
def test_a_snooze_needs_a_moment_still_to_come(
    api: Api, record: UpgradeRecord, until: str | None
) -> None:
    assert_problem(api.post(f"{LIST}/{record.pk}/snooze", {"until": until}), 422, "invalid")


@pytest.mark.parametrize("address", ["99999", "99999/why"])
def test_a_record_that_does_not_exist_is_404(api: Api, address: str) -> None:
    assert_problem(api.get(f"{LIST}/{address}"), 404, "not-found")


@pytest.mark.parametrize("verb", ["approve", "canary/approve", "canary/resume"])
def test_a_decision_on_no_record_is_404(api: Api, verb: str) -> None:
    assert_problem(api.post(f"{LIST}/99999/{verb}"), 404, "not-found")


def test_maybes_come_apart_with_their_doubt(api: Api, record: UpgradeRecord) -> None:
    maybe = UpgradeRecordFactory(
        step=UpgradeRecord.Step.MAYBE, confidence=0.25, doubt="It may be its own snapshot."
    )

    def shown(query: str) -> list[tuple[int, str]]:
        return [(row["id"], row["doubt"]) for row in api.get(f"{LIST}?{query}").json()["results"]]

    assert shown("") == [(record.pk, "")]
    assert shown("step=maybe") == [(maybe.pk, "It may be its own snapshot.")]
