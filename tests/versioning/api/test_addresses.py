"""Every address answers with and without a slash at its end, whatever a model is called."""

import re
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from tests.factories import ProviderFactory, UpgradeRecordFactory, tracked
from tests.versioning.api import walk
from tests.versioning.api.conftest import Api
from tests.versioning.api.everything import everything
from versioning.api import urls
from versioning.models import Check, LineageRule, ModelVersion, UpgradeRecord

pytestmark = pytest.mark.django_db

NAMES = [
    "zeta",
    "org/zeta",
    "org/team/zeta-2.5:free",
    "a/current",
    "upgrades/history",
    "best",
    "zeta 1+2%",
    "ζῆτα",
]
OF_MODEL = ["current", "history", "upgrades", "compare", "why"]


def both(address: str) -> list[str]:
    path, _, query = address.partition("?")
    return [address, f"{path}/?{query}" if query else f"{path}/"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", OF_MODEL)
def test_a_model_may_be_called_anything(api: Api, name: str, end: str) -> None:
    record = UpgradeRecordFactory(tracked_model=tracked(name=name))
    slug = record.tracked_model.provider.slug

    for address in both(f"/api/model-versions/{slug}/{quote(name)}/{end}"):
        assert api.get(address).status_code == 200, address


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("name", NAMES)
def test_models_of_any_name_move(api: Api, name: str, slash: str) -> None:
    record = UpgradeRecordFactory(tracked_model=tracked(name=name))
    base = f"/api/model-versions/{record.tracked_model.provider.slug}/{quote(name)}"

    looked = api.post(f"{base}/auto-upgrade{slash}", {"auto_upgrade": False})
    moved = api.post(f"{base}/upgrade{slash}")
    back = api.post(f"{base}/rollback{slash}", {"reason": "worse"})

    assert [answer.status_code for answer in (looked, moved, back)] == [200, 200, 200]


def test_slashes_in_a_name_may_be_encoded(api: Api) -> None:
    slug = tracked(name="org/zeta:free").provider.slug

    answer = api.get(f"/api/model-versions/{slug}/org%2Fzeta%3Afree/current")

    assert answer.json()["name"] == "org/zeta:free"


def test_fixed_addresses_answer_with_and_without_a_slash(api: Api) -> None:
    record = UpgradeRecordFactory()
    model = record.tracked_model
    check = Check.objects.create(
        provider=model.provider,
        trigger="schedule",
        started_at=record.recommended_at,
        lease_until=record.recommended_at,
    )
    rule = LineageRule.objects.create(tracked_model=model, kind="ignore", pattern="x-*")
    assert rule.pk
    addresses = [
        "/api/model-versions/upgrade-recommendations",
        f"/api/model-versions/upgrade-recommendations/{record.pk}",
        f"/api/model-versions/upgrade-recommendations/{record.pk}/why",
        "/api/checks",
        f"/api/checks/{check.pk}",
        "/api/provider-kinds",
        "/api/providers",
        f"/api/providers/{model.provider.slug}",
        f"/api/providers/{model.provider.slug}/models",
        "/api/tracked-models",
        f"/api/tracked-models/{model.pk}",
        f"/api/tracked-models/{model.pk}/versions",
        f"/api/tracked-models/{model.pk}/rules",
        f"/api/versions/{record.to_version_id}",
        "/api/unknown-models",
        "/api/docs",
        "/api/redoc",
        "/livez",
        "/readyz",
    ]

    answers = {address: api.get(address).status_code for one in addresses for address in both(one)}

    assert {address: status for address, status in answers.items() if status != 200} == {}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("verb", "body", "state"),
    [
        ("approve", {}, "completed"),
        ("reject", {"reason": "no"}, "rejected"),
        ("snooze", {"until": "2100-01-01T00:00:00Z"}, "snoozed"),
    ],
)
def test_decisions_answer_with_and_without_a_slash(
    api: Api, verb: str, body: dict[str, str], state: str, slash: str
) -> None:
    record = UpgradeRecordFactory()
    base = f"/api/model-versions/upgrade-recommendations/{record.pk}"

    assert api.post(f"{base}/{verb}{slash}", body).json()["state"] == state
    assert UpgradeRecord.objects.get(pk=record.pk).state == state


@pytest.mark.parametrize("slash", ["", "/"])
def test_samples_and_scores_arrive_with_and_without_a_slash(api: Api, slash: str) -> None:
    model = tracked()
    sample = {
        "provider": model.provider.slug,
        "model": model.name,
        "task": "t",
        "request_id": f"r{slash}1",
    }

    taken = api.post(f"/api/performance-samples{slash}", sample)
    scored = api.post(
        f"/api/performance-samples/scores{slash}", {"request_id": f"r{slash}1", "quality": 0.5}
    )
    again = api.post(f"/api/performance-samples/r{slash}1/scores{slash}", {"quality": 0.6})

    assert taken.json()["accepted"] == 1
    assert [scored.status_code, again.status_code] == [200, 200]
    assert [scored.json()["accepted"], again.json()["accepted"]] == [1, 1]


def test_a_provider_may_be_called_as_a_fixed_address(api: Api) -> None:
    provider = ProviderFactory(slug="upgrade-recommendations")
    tracked(name="zeta", provider=provider)

    answer = api.get("/api/model-versions/upgrade-recommendations/zeta/current")

    assert answer.json()["provider"] == "upgrade-recommendations"


def test_every_address_of_the_api_has_one_with_its_version() -> None:
    """The same view answers, so that both mean the same whatever changes."""
    plain = {
        str(each.pattern): each.callback.__qualname__
        for each in urls.urlpatterns
        if str(each.pattern).startswith("api/") and not str(each.pattern).startswith("api/v1/")
    }
    assert len(plain) > 150
    found = {str(each.pattern): each.callback for each in urls.urlpatterns}
    for route in plain:
        twin = "api/v1/" + route.removeprefix("api/")
        assert found[twin] is found[route], route
    assert all(path.startswith(("/api/v1/", "/v1/")) for path in walk.description()["paths"])


def test_both_answer_the_same_and_go_on_where_they_were_asked(api: Api) -> None:
    world = everything(timezone.now())
    ModelVersion.objects.update(deprecated_on=date(2026, 1, 1), retires_on=date(2099, 1, 1))
    for operation in walk.operations():
        if operation.method == "get" and operation.path.startswith("/api/v1/"):
            versioned = world.address(operation) + ("?task=summarise" * ("best" in operation.path))
            told, plain = api.get(versioned), api.get(versioned.replace("/api/v1/", "/api/"))
            assert told.status_code == plain.status_code == 200, versioned
            assert told.content.replace(b"/api/v1/", b"/api/") == plain.content, versioned
            assert headers(told, "/api/v1/", "/api/") == headers(plain), versioned
            assert not re.search(r"/api/(?!v1/)", str(headers(told))), versioned
    current = world.of("/api/model-versions/{provider}")
    for address in ("current", "current?key=anna"):
        answer = api.get("/api/v1/model-versions/{provider}/{model}/".format(**current) + address)
        assert answer["Link"].startswith("</api/v1/model-versions/"), address

    made = api.post("/api/v1/freezes", FREEZE)
    assert made["Location"].startswith("/api/v1/freezes/")
    assert api.post("/api/freezes", FREEZE)["Location"].startswith("/api/freezes/")
    assert api.get("/api/v1/samples").status_code == 200
    assert api.get("/api/v1/nothing").json()["code"] == "not-found"
    page = api.get("/api/v1/versions/0").json()
    assert page["instance"] == "/api/v1/versions/0"


def headers(answer: Any, *replaced: str) -> dict[str, str]:
    """Return the headers that two answers to one question share: how many were asked is none."""
    return {
        name: value.replace(*replaced) if replaced else value
        for name, value in answer.items()
        if name not in ("X-Request-ID", "Content-Length", "RateLimit")
    }


FREEZE = {"name": "Trade", "starts_at": "2027-12-01T00:00:00Z", "ends_at": "2028-01-02T00:00:00Z"}
