"""Events over HTTP: followed by their ids, for whoever may read."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import ApiKeyFactory, UpgradeRecordFactory, UserFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import Delivery, Event, UpgradeRecord

pytestmark = pytest.mark.django_db


@pytest.fixture
def moved(api: Api) -> UpgradeRecord:
    record: UpgradeRecord = UpgradeRecordFactory(tracked_model=tracked(name="org/zeta:free"))
    there = f"/api/model-versions/upgrade-recommendations/{record.pk}/approve"
    assert api.post(there, {"reason": "go"}).status_code == 200
    return record


def test_an_approval_is_followed(api: Api, moved: UpgradeRecord) -> None:
    tracked()
    first = api.get("/api/events?model=org/zeta:free&limit=2").json()
    slug = moved.tracked_model.provider.slug
    begun, decided = first["results"]
    assert [begun["kind"], decided["kind"]] == ["model.moved", "upgrade.decided"]
    rest = api.get(f"/api/events?provider={slug}&after={decided['id']}").json()
    (event,) = rest["results"]
    assert rest["next"] is None
    assert event["kind"] == "model.moved"
    assert event["version"] == 1
    assert event["record_id"] == moved.pk
    assert event["actor_kind"] == "api"
    assert event["payload"]["to"]["upstream_id"] == moved.to_version.upstream_id
    assert event["payload"]["reason"] == "Approved; no tests set."
    assert decided["payload"]["reason"] == "go"


def test_filters(api: Api, moved: UpgradeRecord) -> None:
    of_record = api.get(f"/api/events?record_id={moved.pk}").json()["results"]
    assert {each["kind"] for each in of_record} == {"upgrade.decided", "model.moved"}
    of_kind = api.get("/api/events?kind=upgrade.decided").json()["results"]
    assert [each["id"] for each in of_kind] == [
        Event.objects.get(kind="upgrade.decided").pk,
    ]
    assert_problem(api.get("/api/events?kind=nothing"), 400, "bad-query")


def test_the_cursor_goes_on_where_the_page_ended(api: Api, moved: UpgradeRecord) -> None:
    first = api.get("/api/events?limit=1").json()
    second = api.get(first["next"]).json()
    assert second["results"][0]["id"] > first["results"][0]["id"]


def test_reading_needs_the_scope(moved: UpgradeRecord) -> None:
    assert Api(ApiKeyFactory(scopes=["ingest"]).secret).get("/api/events").status_code == 403
    assert Api(ApiKeyFactory(scopes=["read"]).secret).get("/api/events").status_code == 200
    client, user = Client(), UserFactory(is_staff=True)
    assert isinstance(user, User)
    client.force_login(user)
    assert client.get("/api/events").status_code == 403


def test_the_number_of_queries_does_not_grow(api: Api) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.get("/api/events").status_code == 200
        return len(captured)

    tracked()
    queries()
    few = queries()
    for _ in range(8):
        tracked()
    assert queries() <= few


def test_nobody_writes_them(api: Api, moved: UpgradeRecord) -> None:
    send: Callable[..., object]
    for send in (api.post, api.delete):
        assert send("/api/events").status_code == 405  # type: ignore[attr-defined]


class TestDeliveries:
    @pytest.fixture
    def dead(self, moved: UpgradeRecord) -> Delivery:
        event = Event.objects.latest("pk")
        return Delivery.objects.create(
            event=event,
            tracked_model=event.tracked_model,
            channel="mail",
            to="ada@example.com",
            state="dead",
            attempts=20,
            due_at=event.at,
            last_error="The mail server did not take it.",
            ended_at=event.at,
        )

    def test_what_was_given_up_is_seen_and_tried_anew_once(self, api: Api, dead: Delivery) -> None:
        (shown,) = api.get("/api/deliveries?state=dead").json()["results"]
        assert (shown["id"], shown["to"], shown["attempts"]) == (dead.pk, "ada@example.com", 20)
        again = f"/api/deliveries/{dead.pk}/try-anew"
        answer = api.post(again).json()
        assert (answer["state"], answer["attempts"], answer["ended_at"]) == ("pending", 0, None)
        assert "had it tried again" in answer["last_error"]
        assert_problem(api.post(again), 409, "still-waits")
        assert_problem(api.post("/api/deliveries/0/try-anew"), 404, "not-found")

    def test_each_try_is_told(self, api: Api, dead: Delivery) -> None:
        died = dead.log.create(began_at=dead.due_at)
        refused = dead.log.create(
            began_at=dead.due_at, duration_ms=12, status=503, error="It is busy."
        )
        tries = api.get(f"/api/deliveries/{dead.pk}/attempts").json()["results"]
        assert [(each["duration_ms"], each["status"], each["error"]) for each in tries] == [
            (refused.duration_ms, 503, "It is busy."),
            (died.duration_ms, None, ""),
        ]
        assert_problem(api.get("/api/deliveries/0/attempts"), 404, "not-found")

    def test_only_who_sets_up_may(self, dead: Delivery) -> None:
        key = Api(ApiKeyFactory(scopes=["read", "decide"]).secret)
        assert key.get("/api/deliveries").status_code == 200
        assert key.post(f"/api/deliveries/{dead.pk}/try-anew").status_code == 403
