"""Many clients at the same moment, each with a connection of its own."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from tests.factories import NOW, ApiKeyFactory, ModelVersionFactory, UpgradeRecordFactory, tracked
from tests.versioning.api.conftest import Api
from versioning.api import operations
from versioning.models import Notice, Policy, UpgradeRecord

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 32
RECOMMENDATIONS = "/api/model-versions/upgrade-recommendations"


def at_once(ask: Callable[[int], Any]) -> list[Any]:
    """Return the answers of all clients, which start together."""
    together = Barrier(CLIENTS)

    def run(number: int) -> Any:
        try:
            together.wait(timeout=30)
            return ask(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(run, range(CLIENTS)))


@pytest.fixture(autouse=True)
def nobody_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 32 the last may wait longer for the lock than a client should: here all see the end."""
    monkeypatch.setattr(operations, "PATIENCE", timedelta(minutes=1))


@pytest.fixture
def secrets() -> list[str]:
    return [ApiKeyFactory(name=f"client {n}").secret for n in range(CLIENTS)]


def test_of_32_clients_who_approve_one_takes_effect(secrets: list[str]) -> None:
    """Law 2: one request to move, one move; the others are told."""
    record = UpgradeRecordFactory()

    answers = at_once(
        lambda n: Api(secrets[n]).post(f"{RECOMMENDATIONS}/{record.pk}/approve", {"reason": "go"})
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 31}
    told = {answer.json()["detail"] for answer in answers if answer.status_code == 409}
    winner = next(answer for answer in answers if answer.status_code == 200).json()
    who = winner["steps"][-1]["actor_name"]
    assert told == {
        f"This upgrade is completed already by {who}, so it can't become approved. "
        "Nothing was changed."
    }
    assert record.steps.filter(after="completed").count() == 1
    record.tracked_model.refresh_from_db()
    assert record.tracked_model.current_version == record.to_version
    assert record.tracked_model.moves == 2


def test_of_32_clients_who_ask_for_an_upgrade_one_takes_effect(secrets: list[str]) -> None:
    record = UpgradeRecordFactory(tracked_model=tracked(name="org/zeta:free"))
    provider = record.tracked_model.provider.slug

    answers = at_once(
        lambda n: Api(secrets[n]).post(f"/api/model-versions/{provider}/org/zeta:free/upgrade")
    )

    assert_losers_know(answers, who_was_first(answers))
    assert UpgradeRecord.objects.completions().count() == 2


@pytest.mark.parametrize("by", ["to_version", "upstream_id"])
def test_of_32_clients_who_name_a_version_one_takes_effect(secrets: list[str], by: str) -> None:
    version = UpgradeRecordFactory(tracked_model=tracked(name="zeta")).to_version
    named = {by: version.label if by == "to_version" else version.upstream_id}
    provider = version.tracked_model.provider.slug

    answers = at_once(
        lambda n: Api(secrets[n]).post(f"/api/model-versions/{provider}/zeta/upgrade", named)
    )

    assert_losers_know(answers, who_was_first(answers))


def test_of_32_clients_who_begin_different_upgrades_one_does(secrets: list[str]) -> None:
    """Law 3: what is under way already is named, with who began it."""
    model = tracked(name="zeta")
    Policy.objects.create(canary_steps=[{"weight": 5, "hours": 1}])
    labels = [ModelVersionFactory(tracked_model=model).label for _ in range(CLIENTS)]

    answers = at_once(
        lambda n: Api(secrets[n]).post(
            f"/api/model-versions/{model.provider.slug}/zeta/upgrade", {"to_version": labels[n]}
        )
    )

    assert_losers_know(answers, who_was_first(answers))


def who_was_first(answers: list[Any]) -> str:
    winner = next(answer for answer in answers if answer.status_code == 200).json()
    who: str = winner["steps"][-1]["actor_name"]
    return who


def assert_losers_know(answers: list[Any], who: str) -> None:
    """One has taken effect; each of the others is told who was first."""
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 31}
    for answer in answers:
        assert answer.status_code == 200 or who in answer.json()["detail"]


def test_of_32_clients_who_roll_back_one_takes_effect(secrets: list[str]) -> None:
    record = UpgradeRecordFactory(tracked_model=tracked(name="zeta"))
    address = f"/api/model-versions/{record.tracked_model.provider.slug}/zeta"
    Api(secrets[0]).post(f"{address}/upgrade")

    answers = at_once(
        lambda n: Api(secrets[n]).post(
            f"{address}/rollback", {"reason": "worse", "record_id": record.pk}
        )
    )

    assert_losers_know(answers, who_was_first(answers))
    record.tracked_model.refresh_from_db()
    assert record.tracked_model.current_version == record.from_version


def test_a_request_that_is_repeated_at_once_is_done_once(secrets: list[str]) -> None:
    """The same Idempotency-Key: the stored answer, or 409 while the first is in flight."""
    body = {"slug": "acme", "kind": "openai", "base_url": "http://127.0.0.1:9/v1"}

    answers = at_once(lambda _: Api(secrets[0]).post("/api/providers", body, Idempotency_Key="one"))

    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    made = [answer.json() for answer in answers if answer.status_code == 201]
    assert made
    assert all(each == made[0] for each in made)
    assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1 + statuses[409]


def test_of_32_clients_who_add_the_general_policy_one_does(secrets: list[str]) -> None:
    answers = at_once(lambda n: Api(secrets[n]).post("/api/policies", {"watch_days": n}))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 31}
    made = next(answer for answer in answers if answer.status_code == 201).json()
    assert Policy.objects.get().watch_days == made["watch_days"]


def test_of_32_clients_who_change_what_they_read_one_does(secrets: list[str]) -> None:
    made = Api(secrets[0]).post("/api/policies", {"watch_days": 14})

    answers = at_once(
        lambda n: Api(secrets[n]).patch(
            made["Location"], {"watch_days": n + 15}, If_Match=made["ETag"]
        )
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 31}
    changed = next(answer for answer in answers if answer.status_code == 200).json()
    assert Policy.objects.get().watch_days == changed["watch_days"]


def test_of_32_clients_who_resolve_a_notice_one_does(secrets: list[str]) -> None:
    notice = Notice.objects.create(
        kind="worse", record=UpgradeRecordFactory(), sentence="Worse.", raised_at=NOW
    )

    answers = at_once(lambda n: Api(secrets[n]).post(f"/api/notices/{notice.pk}/resolve"))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 31}
    winner = next(answer for answer in answers if answer.status_code == 200).json()
    notice.refresh_from_db()
    assert notice.resolved_by == winner["resolved_by"]
