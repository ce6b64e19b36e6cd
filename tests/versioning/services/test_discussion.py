"""People talk where it is decided: nothing is lost, and a request for changes holds it back."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from tests.factories import NOW, ApiKeyFactory, UserFactory
from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import address, decide, text
from versioning.models import Comment, Event, Policy, Seal, UpgradeRecord
from versioning.models.groups import sync_groups
from versioning.services import seals
from versioning.services.upgrades import explaining, python_api

pytestmark = pytest.mark.django_db


@pytest.fixture
def record() -> UpgradeRecord:
    return recommend(evidence={"decision": "UPGRADE", "verdict": "better"})


def person(name: str, group: str) -> Client:
    sync_groups()
    user = UserFactory(username=name, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def test_a_request_for_changes_is_named_where_people_ask_why_it_waits(
    bo: Client, record: UpgradeRecord
) -> None:
    ask = {"text": "Try it on the long letters first.", "ask": ""}
    bo.post(reverse("admin:versioning_upgraderecord_say", args=[record.pk]), ask)
    said = "bo asks for changes: Try it on the long letters first."

    explained = explaining.explain(tracked_model=record.tracked_model, at=NOW)
    (row,) = [row for row in explained.rows if row.rule == "changes"]
    assert (row.ok, row.sentence) == (False, said)
    held = bo.get(reverse("admin:versioning_upgraderecord_held"))
    assert said in text(held)

    request = Comment.objects.get()
    bo.post(reverse("admin:versioning_upgraderecord_withdraw", args=[record.pk, request.pk]))
    explained = explaining.explain(tracked_model=record.tracked_model, at=NOW)
    assert next(row for row in explained.rows if row.rule == "changes").ok


@pytest.fixture
def ada() -> Client:
    return person("ada", "reviewer")


@pytest.fixture
def bo() -> Client:
    return person("bo", "reviewer")


@pytest.fixture
def boss() -> Client:
    return person("boss", "operator")


def say(client: Client, record: UpgradeRecord, words: str, *, ask: bool = False) -> str:
    """Say something on the upgrade's page; return the page that comes then."""
    sent = {"text": words, ("ask" if ask else "comment"): ""}
    return text(client.post(address(record, "say"), sent, follow=True))


def end(client: Client, request: Comment, how: str, **data: str) -> str:
    where = reverse(f"admin:versioning_upgraderecord_{how}", args=[request.record_id, request.pk])
    return text(client.post(where, data, follow=True))


def state(record: UpgradeRecord) -> str:
    record.refresh_from_db()
    return str(record.state)


def over_the_api(method: str, end: str, record: UpgradeRecord, **body: Any) -> Any:
    api = Client(headers={"authorization": f"Bearer {ApiKeyFactory().secret}"})
    where = f"/api/model-versions/upgrade-recommendations/{record.pk}/{end}"
    return api.generic(method, where, json.dumps(body), "application/json")


def test_a_comment_stands_in_the_history_with_who_and_when(
    ada: Client, record: UpgradeRecord
) -> None:
    page = say(ada, record, "The fair is on <Monday>.")

    assert "The fair is on &lt;Monday&gt;." in page
    assert "by ada" in page
    (event,) = Event.objects.filter(kind="upgrade.commented")
    assert event.sentence.endswith("ada says: The fair is on <Monday>.")
    assert event.payload["comment_id"] == Comment.objects.get().pk


def test_an_open_request_holds_the_approval_back_until_its_asker_withdraws_it(
    ada: Client, bo: Client, record: UpgradeRecord
) -> None:
    assert "bo asks for changes:" in say(bo, record, "Test German first.", ask=True)
    request = Comment.objects.get()

    assert "Test German first." in text(decide(ada, record, "approve"))
    assert state(record) == "recommended"
    assert "Only bo can withdraw it" in end(ada, request, "withdraw")
    end(bo, request, "withdraw")
    decide(ada, record, "approve")

    assert state(record) == "completed"
    kinds = list(Event.objects.filter(kind__contains="changes").values_list("kind", flat=True))
    assert kinds == ["upgrade.changes_asked", "upgrade.changes_withdrawn"]


def test_somebody_who_sets_things_up_overrides_it_with_a_reason(
    bo: Client, boss: Client, record: UpgradeRecord
) -> None:
    say(bo, record, "Test German first.", ask=True)
    request = Comment.objects.get()

    assert (
        bo.post(
            reverse("admin:versioning_upgraderecord_override", args=[record.pk, request.pk]),
            {"reason": "x"},
        ).status_code
        == 403
    )
    assert "Say why" in end(boss, request, "override", reason=" ")
    assert "Nobody writes German." in end(boss, request, "override", reason="Nobody writes German.")
    decide(boss, record, "approve")

    assert state(record) == "completed"
    assert Comment.objects.get(kind="overridden").answers == request


def test_nothing_goes_by_itself_over_an_open_request(bo: Client, record: UpgradeRecord) -> None:
    say(bo, record, "Wait.", ask=True)
    Policy.objects.create(automation="after_gates")

    gone = python_api.upgrade_by_policy(now=NOW)
    over = over_the_api("POST", "approve", record)

    assert gone == []
    assert (over.status_code, over.json()["code"]) == (409, "changes-asked")
    assert state(record) == "recommended"


def test_the_same_doors_are_in_the_api(record: UpgradeRecord) -> None:
    made = over_the_api("POST", "comments", record, text="Wait.", asks_for_changes=True)
    assert made.status_code == 201
    request = made.json()["id"]
    ended = over_the_api("POST", f"comments/{request}/override", record, reason="No.")
    assert ended.json()["answers_id"] == request
    again = over_the_api("POST", f"comments/{request}/override", record, reason="No.")
    assert again.status_code == 409

    said = over_the_api("GET", "comments", record).json()["results"]
    assert [each["kind"] for each in said] == ["changes", "overridden"]
    assert said[0]["answered_by_id"] == said[1]["id"]


def test_what_is_refused_keeps_what_was_typed(bo: Client, record: UpgradeRecord) -> None:
    decide(bo, record, "reject")

    page = say(bo, record, "One more thing.", ask=True)

    assert "It is rejected already" in page
    assert "One more thing.</textarea>" in page
    assert not Comment.objects.exists()


def test_a_viewer_reads_and_says_nothing(record: UpgradeRecord, bo: Client) -> None:
    say(bo, record, "Wait.")
    viewer = person("vi", "viewer")

    page = text(viewer.get(address(record, "change")))

    assert "Wait." in page
    assert "Say something" not in page
    assert viewer.post(address(record, "say"), {"text": "x"}).status_code == 403


def test_what_was_said_is_sealed(bo: Client, record: UpgradeRecord) -> None:
    say(bo, record, "Wait.")
    assert Seal.objects.filter(table=Comment._meta.db_table).exists()
    seals.chain()
    assert seals.verify().fault == ""

    Comment.objects.update(text="Go.")

    assert "text" in seals.verify().fault
