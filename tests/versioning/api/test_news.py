"""Notices and drift over HTTP: read, and resolved by people."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, UpgradeRecordFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import DriftFinding, Notice, ServedDrift
from versioning.services import notices
from versioning.services.samples import ingestion, rollups
from versioning.services.samples.incoming import SampleIn

pytestmark = pytest.mark.django_db


def notice(kind: str = "worse") -> Notice:
    return Notice.objects.create(
        kind=kind, record=UpgradeRecordFactory(), sentence="It is worse.", raised_at=NOW
    )


def finding(measure: str = "quality") -> DriftFinding:
    return DriftFinding.objects.create(
        version=tracked().current_version,
        measure=measure,
        began_on=dt.date(2026, 11, 1),
        sentence="Quality fell.",
        found_at=NOW,
    )


def test_a_notice_says_which_upgrade_it_is_about(api: Api) -> None:
    made = notice()

    shown = api.get(f"/api/notices/{made.pk}").json()

    assert shown["sentence"] == "It is worse."
    assert (shown["record_id"], shown["model"]) == (made.record_id, made.record.tracked_model.name)
    assert shown["resolved_at"] is None
    assert_problem(api.get("/api/notices/0"), 404, "not-found")


def test_a_notice_is_resolved_once_and_by_somebody(api: Api) -> None:
    address = f"/api/notices/{notice().pk}/resolve"

    first, second = api.post(address), api.post(address)

    assert first.status_code == 200
    assert first.json()["resolved_at"]
    assert first.json()["resolved_by"].startswith("application")
    problem = assert_problem(second, 409, "already-resolved")
    assert first.json()["resolved_by"] in problem["detail"]
    assert_problem(api.post("/api/notices/0/resolve"), 404, "not-found")


def test_one_that_is_resolved_may_be_raised_anew(api: Api) -> None:
    made = notice()
    api.post(f"/api/notices/{made.pk}/resolve")

    notices.raise_for(record=made.record, kind=Notice.Kind.WORSE, sentence="Again.", now=NOW)

    open_ones = api.get("/api/notices?open=true").json()["results"]
    assert [row["sentence"] for row in open_ones] == ["Again."]


def test_a_fault_says_what_it_is_about_and_how_often_it_happened(api: Api) -> None:
    for minutes, sentence in enumerate(("It ended.", "It ended again.", "And again \0.")):
        later = NOW + dt.timedelta(minutes=minutes)
        notices.raise_fault(subject="worker process", sentence=sentence, now=later)
    notices.raise_fault(subject="beat process", sentence="It ended.", now=NOW)

    beat, worker = api.get("/api/notices?kind=fault&open=true").json()["results"]

    about = {name: worker[name] for name in ("subject", "provider", "model", "record_id", "times")}
    assert about == {
        "subject": "worker process", "provider": None, "model": None, "record_id": None, "times": 3,
    }  # fmt: skip
    assert (worker["sentence"], beat["times"]) == ("And again ?.", 1)
    assert worker["raised_at"] < worker["last_at"]
    assert api.post(f"/api/notices/{worker['id']}/resolve").status_code == 200
    notices.raise_fault(subject="worker process", sentence="Anew.", now=NOW)
    assert api.get("/api/notices").json()["results"][0]["times"] == 1


def test_a_fault_that_is_over_is_closed(api: Api) -> None:
    notices.raise_fault(subject="carry_on", sentence="It failed.", now=NOW)

    notices.resolve_fault(subject="carry_on", by="scheduler", now=NOW)

    assert api.get("/api/notices?open=true").json()["results"] == []


def test_notices_are_found_by_standing_kind_and_upgrade(api: Api) -> None:
    worse, paused = notice(), notice("canary_paused")
    api.post(f"/api/notices/{worse.pk}/resolve")

    def ids(query: str) -> list[int]:
        return [row["id"] for row in api.get(f"/api/notices{query}").json()["results"]]

    assert ids("") == [paused.pk, worse.pk]
    assert ids("?open=true") == [paused.pk]
    assert ids("?open=false") == [worse.pk]
    assert ids("?kind=worse") == [worse.pk]
    assert ids(f"?record_id={paused.record_id}") == [paused.pk]
    assert_problem(api.get("/api/notices?kind=strange"), 400, "bad-query")


@pytest.mark.parametrize("address", ["/api/notices", "/api/drift-findings", "/api/served-drift"])
@pytest.mark.parametrize("many", [1, 5])
def test_a_list_takes_the_same_queries_for_any_number(api: Api, address: str, many: int) -> None:
    for _ in range(many):
        notice()
        found = finding()
        ServedDrift.objects.create(
            version=found.version, served="other", samples=1, since=NOW, last_seen_at=NOW
        )
    api.get(address), api.get(address)

    with CaptureQueriesContext(connection) as queries:
        assert len(api.get(address).json()["results"]) == many

    assert len(queries) == 3  # the key, whether there are teams, the page


def test_a_drift_is_listed_until_it_is_resolved(api: Api) -> None:
    quality, latency = finding(), finding("latency")

    resolved = api.post(f"/api/drift-findings/{quality.pk}/resolve")
    again = api.post(f"/api/drift-findings/{quality.pk}/resolve")

    assert resolved.json()["resolved_at"]
    assert again.json() == resolved.json()
    (open_one,) = api.get("/api/drift-findings?open=true").json()["results"]
    assert (open_one["id"], open_one["measure"]) == (latency.pk, "latency")
    assert open_one["version"]["id"] == latency.version_id
    assert len(api.get("/api/drift-findings?measure=quality").json()["results"]) == 1
    assert_problem(api.post("/api/drift-findings/0/resolve"), 404, "not-found")


@pytest.mark.parametrize("what", ["notices", "drift-findings"])
def test_who_may_only_read_resolves_nothing(with_scopes: Callable[..., Api], what: str) -> None:
    number = notice().pk if what == "notices" else finding().pk

    answer = with_scopes("read").post(f"/api/{what}/{number}/resolve")

    assert_problem(answer, 403, "permission-denied")


def test_another_id_that_answers_is_shown_with_its_share_since_when(api: Api) -> None:
    """Before it began the version's own id answered: those requests don't count."""
    writer = tracked(name="writer", upstream_id="writer-1", provider__slug="acme")
    earlier, began = NOW - dt.timedelta(days=2), NOW - dt.timedelta(hours=3)
    for served_id, at, times in (
        ("writer-1", earlier, 7),
        ("writer-1-turbo", began, 1),
        ("writer-1-turbo", NOW, 2),
        ("writer-1", NOW, 5),
    ):
        sample = SampleIn(provider="acme", model="writer", task="sum", served_id=served_id, time=at)
        ingestion.accept([sample] * times, api_key_id=1, now=NOW)
    rollups.fold(now=NOW)

    (row,) = api.get("/api/served-drift").json()["results"]

    assert (row["served"], row["samples"], row["share"]) == ("writer-1-turbo", 3, 3 / 8)
    assert row["since"].startswith(f"{began:%Y-%m-%dT%H}")
    assert row["version"]["id"] == writer.current_version_id


def test_a_share_that_is_folded_into_days_counts_from_its_day(api: Api) -> None:
    tracked(name="writer", upstream_id="writer-1", provider__slug="acme")
    sample = SampleIn(provider="acme", model="writer", task="sum", served_id="other", time=NOW)
    ingestion.accept([sample], api_key_id=1, now=NOW)
    rollups.fold(now=NOW)
    rollups.fold_days(now=NOW + dt.timedelta(days=12))

    (row,) = api.get("/api/served-drift").json()["results"]

    assert row["share"] == 1
