"""Ask the providers over HTTP, and see what came of it."""

import pytest
from django.db.models import F
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks as RunOnCommit

from providers.models import Provider
from sample_world.simulator import Simulator
from tests.factories import NOW, ProviderFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning import tasks
from versioning.models import Check
from versioning.services.checks import detection

pytestmark = pytest.mark.django_db

OLD, NEW = "zed/zeta-4-mini-20250101", "zed/zeta-4-mini-20250301"


@pytest.fixture
def router(simulator: Simulator) -> Provider:
    simulator.catalogue.add("openrouter", OLD, context=8000)
    base_url = simulator.base_url("openrouter")
    return ProviderFactory(slug="router", kind="openrouter", base_url=base_url)


def test_a_check_that_was_asked_for_finds_a_new_version(
    api: Api,
    simulator: Simulator,
    router: Provider,
    django_capture_on_commit_callbacks: RunOnCommit,
) -> None:
    tracked(name="zeta", upstream_id=OLD, provider=router)
    with django_capture_on_commit_callbacks(execute=True):
        api.post("/api/checks", {"provider": "router"})
    simulator.catalogue.add("openrouter", NEW, context=32_000)

    with django_capture_on_commit_callbacks(execute=True):
        asked = api.post("/api/checks")
    check = api.get(asked["Location"]).json()

    assert asked.status_code == 202
    assert asked.json()["checks"][0]["state"] == "running"
    assert (check["state"], check["added"], check["recommended"]) == ("changed", 1, 1)
    assert NEW in {finding["upstream_id"] for finding in check["findings"]}
    (waiting,) = api.get("/api/model-versions/upgrade-recommendations").json()["results"]
    assert waiting["to_version"]["upstream_id"] == NEW


def test_a_check_whose_message_was_lost_is_found_by_the_schedule(
    api: Api,
    router: Provider,
    django_capture_on_commit_callbacks: RunOnCommit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_broker(**_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(tasks.run_begun_checks, "delay", no_broker)
    with django_capture_on_commit_callbacks(execute=True):
        asked = api.post("/api/checks")
    assert asked.status_code == 202
    ago = detection.MESSAGE_TAKES
    Check.objects.update(started_at=F("started_at") - ago, lease_until=F("lease_until") - ago)
    tasks.check_due_providers()
    assert api.get(asked["Location"]).json()["state"] == "changed"


def test_a_provider_that_is_being_asked_is_answered_with_that_check(
    api: Api, router: Provider
) -> None:
    first = api.post("/api/checks", {"provider": "router"}).json()["checks"]
    again = api.post("/api/checks", {"provider": "router"}).json()["checks"]

    assert [check["id"] for check in again] == [first[0]["id"]]


def test_a_provider_that_fails_is_a_failed_check(
    api: Api, django_capture_on_commit_callbacks: RunOnCommit
) -> None:
    ProviderFactory(slug="dead")

    with django_capture_on_commit_callbacks(execute=True):
        asked = api.post("/api/checks", {"provider": "dead"})
    check = api.get(asked["Location"]).json()

    assert (check["state"], check["error_kind"]) == ("failed", "unavailable")
    assert check["error"]


def test_an_unknown_provider_is_422(api: Api) -> None:
    problem = assert_problem(api.post("/api/checks", {"provider": "none"}), 422, "invalid")

    assert problem["errors"][0]["pointer"] == "/provider"


def test_checks_are_filtered_and_paged(api: Api) -> None:
    provider = ProviderFactory(slug="acme")
    for state in ("failed", "changed", "failed"):
        Check.objects.create(
            provider=provider, trigger="api", state=state, started_at=NOW, lease_until=NOW
        )

    page = api.get("/api/checks?limit=2").json()
    rest = api.get(page["next"]).json()
    failed = api.get("/api/checks?state=failed&provider=acme").json()["results"]

    ids = [check["id"] for check in page["results"] + rest["results"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3
    assert rest["next"] is None
    assert {check["state"] for check in failed} == {"failed"}


def test_the_next_page_is_also_a_link(api: Api) -> None:
    ProviderFactory(), ProviderFactory()

    answer = api.get("/api/providers?limit=1")

    assert answer["Link"] == f'<{answer.json()["next"]}>; rel="next"'


def test_rows_that_come_and_go_do_not_shift_the_pages(api: Api) -> None:
    first, _second, third = ProviderFactory(), ProviderFactory(), ProviderFactory()
    page = api.get("/api/providers?limit=2").json()
    first.delete()

    rest = api.get(page["next"]).json()["results"]

    assert [item["id"] for item in rest] == [third.pk]
