"""Providers, tracked models, versions and rules over HTTP."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.models import Provider
from tests.factories import NOW, ModelVersionFactory, ProviderFactory, TrackedModelFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import CatalogueEntry, LineageRule, TrackedModel, UpgradeRecord
from versioning.services.samples import attachment

pytestmark = pytest.mark.django_db

ACME = {"slug": "acme", "kind": "openai", "base_url": "http://127.0.0.1:9/v1"}


def listed(provider: Provider, *ids: str) -> None:
    for id in ids:
        CatalogueEntry.objects.create(
            provider=provider, upstream_id=id, facts={}, first_seen_at=NOW, last_seen_at=NOW
        )


def test_a_provider_is_added_shown_and_changed(api: Api) -> None:
    added = api.post("/api/providers", {**ACME, "api_key_env": "ACME_KEY"})
    changed = api.patch("/api/providers/acme", {"enabled": False, "name": "Acme Inc."})
    shown = api.get(added["Location"]).json()

    assert added.status_code == 201
    assert changed.json() == shown
    assert (shown["enabled"], shown["name"]) == (False, "Acme Inc.")
    assert shown["api_key_env"] == "ACME_KEY"
    assert Provider.objects.get().history.first().history_change_reason.startswith("api: ")


def test_a_provider_can_not_be_added_twice(api: Api) -> None:
    api.post("/api/providers", ACME)

    problem = assert_problem(api.post("/api/providers", ACME), 422, "invalid")

    assert problem["errors"][0]["pointer"] == "/slug"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"base_url": "not an address"}, "/base_url"),
        ({"timeout_seconds": 0}, "/timeout_seconds"),
        ({"slug": "other"}, "/slug"),
        ({"api_key_env": "sk-a-real-key"}, "/api_key_env"),
    ],
)
def test_a_change_that_can_not_be_is_422(api: Api, change: dict[str, Any], pointer: str) -> None:
    api.post("/api/providers", ACME)

    problem = assert_problem(api.patch("/api/providers/acme", change), 422, "invalid")

    assert problem["errors"][0]["pointer"] == pointer


def test_a_connection_that_fails_is_told_and_changes_nothing(api: Api) -> None:
    api.post("/api/providers", ACME)

    body = api.post("/api/providers/acme/test").json()

    assert body["ok"] is False
    assert body["sentence"]
    assert not CatalogueEntry.objects.exists()


def test_a_catalogue_is_searched_page_by_page(api: Api) -> None:
    provider = ProviderFactory(slug="acme")
    listed(provider, "zeta-1", "org/ZETA-2", "yotta", "zeta-3")

    ids, address = [], "/api/providers/acme/models?search=zeta&limit=2"
    while address:
        body = api.get(address).json()
        ids += [item["upstream_id"] for item in body["results"]]
        address = body["next"]

    assert ids == sorted(ids)
    assert set(ids) == {"zeta-1", "org/ZETA-2", "zeta-3"}


def test_a_model_is_tracked_under_a_name_of_its_own(api: Api) -> None:
    listed(ProviderFactory(slug="acme"), "org/zeta:free")

    made = api.post(
        "/api/tracked-models",
        {"provider": "acme", "name": "team/zeta", "upstream_id": "org/zeta:free"},
    )

    assert made.status_code == 201
    assert made.json()["current_version"]["label"] == "1.0.0"
    assert api.get(made["Location"]).json() == made.json()
    current = api.get("/api/model-versions/acme/team/zeta/current").json()
    assert current["version"]["upstream_id"] == "org/zeta:free"


def test_a_name_can_not_be_tracked_twice(api: Api) -> None:
    slug = tracked(name="zeta").provider.slug

    answer = api.post("/api/tracked-models", {"provider": slug, "name": "zeta"})

    assert_problem(answer, 422, "invalid")


def test_a_model_of_no_provider_is_422(api: Api) -> None:
    answer = api.post("/api/tracked-models", {"provider": "none", "name": "zeta"})

    problem = assert_problem(answer, 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/provider"


def test_a_pin_needs_a_reason_and_goes_with_it(api: Api) -> None:
    address = f"/api/tracked-models/{tracked().pk}"

    refused = api.patch(address, {"pinned": True})
    pinned = api.patch(address, {"pinned": True, "pin_reason": "audit"}).json()
    free = api.patch(address, {"pinned": False}).json()

    assert assert_problem(refused, 422, "invalid")["errors"][0]["pointer"] == "/pin_reason"
    assert (pinned["pinned"], pinned["pin_reason"]) == (True, "audit")
    assert (free["pinned"], free["pin_reason"]) == (False, "")


@pytest.mark.parametrize("field", ["current_version", "provider", "name", "moves"])
def test_what_only_a_move_changes_can_not_be_set(api: Api, field: str) -> None:
    answer = api.patch(f"/api/tracked-models/{tracked().pk}", {field: 1})

    assert_problem(answer, 422, "invalid")


def test_tracked_models_are_filtered(api: Api) -> None:
    zeta = tracked(name="org/zeta")
    tracked(name="yotta")
    TrackedModelFactory(name="old", active=False)

    def names(query: str) -> list[str]:
        return [m["name"] for m in api.get(f"/api/tracked-models?{query}").json()["results"]]

    assert names("search=ZETA") == ["org/zeta"]
    assert names("active=false") == ["old"]
    assert names(f"provider={zeta.provider.slug}") == ["org/zeta"]
    assert names("pinned=true") == []
    assert len(names("")) == 3


@pytest.mark.parametrize("many", [1, 7])
def test_the_list_takes_the_same_queries_for_any_number(api: Api, many: int) -> None:
    for _ in range(many):
        tracked()
    api.get("/api/tracked-models"), api.get("/api/tracked-models")

    with CaptureQueriesContext(connection) as queries:
        assert len(api.get("/api/tracked-models").json()["results"]) == many

    assert len(queries) == 3  # the key, whether there are teams, the page


class TestVersions:
    def test_what_staff_say_is_kept_apart_from_what_checks_find(self, api: Api) -> None:
        version = tracked().current_version
        assert version is not None
        address = f"/api/versions/{version.pk}"

        changed = api.patch(
            address, {"input_price": "0.25", "added_improvements": ["Follows schemas"]}
        ).json()

        assert changed["input_price"] == "0.250000"
        assert changed["improvements"] == ["Follows schemas"]
        assert changed["staff_fields"] == ["input_price"]

    def test_facts_are_given_back_to_the_checks(self, api: Api) -> None:
        version = tracked().current_version
        assert version is not None
        address = f"/api/versions/{version.pk}"
        api.patch(address, {"input_price": "0.25"})

        assert (
            api.post(f"{address}/release", {"names": ["input_price"]}).json()["staff_fields"] == []
        )
        assert_problem(api.post(f"{address}/release", {"names": ["label"]}), 422, "invalid")

    def test_a_price_below_nothing_is_422(self, api: Api) -> None:
        version = tracked().current_version
        assert version is not None

        answer = api.patch(f"/api/versions/{version.pk}", {"input_price": "-1"})

        assert assert_problem(answer, 422, "invalid")["errors"][0]["pointer"] == "/input_price"

    def test_a_retirement_before_the_deprecation_is_422(self, api: Api) -> None:
        version = tracked().current_version
        assert version is not None

        answer = api.patch(
            f"/api/versions/{version.pk}",
            {"deprecated_on": "2027-01-01", "retires_on": "2026-01-01"},
        )

        assert_problem(answer, 422, "invalid")

    def test_the_newest_come_first(self, api: Api) -> None:
        model = tracked()
        gone = ModelVersionFactory(tracked_model=model, gone_at=NOW)
        new = ModelVersionFactory(tracked_model=model)

        def ids(query: str) -> list[int]:
            body = api.get(f"/api/tracked-models/{model.pk}/versions{query}").json()
            return [version["id"] for version in body["results"]]

        assert ids("")[:2] == [new.pk, gone.pk]
        assert ids("?listed=false") == [gone.pk]


class TestRules:
    @pytest.fixture
    def model(self, api: Api) -> TrackedModel:
        provider = ProviderFactory()
        listed(provider, "zeta-4-mini-20250101", "zeta-4-mini-20250301")
        body = {"provider": provider.slug, "name": "zeta", "upstream_id": "zeta-4-mini-20250101"}
        return TrackedModel.objects.get(pk=api.post("/api/tracked-models", body).json()["id"])

    def test_an_ignored_version_is_recommended_once_the_rule_is_gone(
        self, api: Api, model: TrackedModel
    ) -> None:
        address = f"/api/tracked-models/{model.pk}/rules"

        rule = api.post(address, {"kind": "ignore", "pattern": "*-20250301", "reason": "bad"})
        assert rule.status_code == 201
        assert rule.json()["made_by"].startswith("application")
        assert not UpgradeRecord.objects.waiting().exists()

        assert api.delete(f"{address}/{rule.json()['id']}").status_code == 204
        assert UpgradeRecord.objects.waiting().get().to_version.upstream_id.endswith("0301")
        assert not LineageRule.objects.exists()

    def test_a_rule_that_is_changed_is_followed_at_once(
        self, api: Api, model: TrackedModel
    ) -> None:
        address = f"/api/tracked-models/{model.pk}/rules"
        rule = api.post(address, {"kind": "ignore", "pattern": "*-20250301"}).json()
        assert not UpgradeRecord.objects.waiting().exists()

        changed = api.patch(f"{address}/{rule['id']}", {"pattern": "*-audio"})

        assert changed.json() == {**rule, "pattern": "*-audio"}
        assert UpgradeRecord.objects.waiting().get().to_version.upstream_id.endswith("0301")
        assert_problem(api.patch(f"{address}/0", {"pattern": "x"}), 404, "not-found")

    def test_a_rule_that_becomes_a_second_successor_is_422(
        self, api: Api, model: TrackedModel
    ) -> None:
        address = f"/api/tracked-models/{model.pk}/rules"
        api.post(address, {"kind": "successor", "pattern": "a"})
        rule = api.post(address, {"kind": "ignore", "pattern": "b"}).json()

        answer = api.patch(f"{address}/{rule['id']}", {"kind": "successor"})

        assert_problem(answer, 422, "invalid")
        assert LineageRule.objects.get(pk=rule["id"]).kind == "ignore"

    def test_a_rule_of_another_model_is_404(self, api: Api, model: TrackedModel) -> None:
        rule = LineageRule.objects.create(tracked_model=model, kind="ignore", pattern="x")

        answer = api.delete(f"/api/tracked-models/{tracked().pk}/rules/{rule.pk}")

        assert_problem(answer, 404, "not-found")

    def test_a_second_successor_is_422(self, api: Api, model: TrackedModel) -> None:
        address = f"/api/tracked-models/{model.pk}/rules"
        api.post(address, {"kind": "successor", "pattern": "a"})

        assert_problem(api.post(address, {"kind": "successor", "pattern": "b"}), 422, "invalid")


def test_a_model_seen_in_samples_is_listed_until_it_is_tracked(api: Api) -> None:
    provider = ProviderFactory(slug="acme")
    listed(provider, "zeta-9")
    sample = {
        "provider": "acme",
        "model": "zeta-9",
        "task": "t",
        "time": dt.datetime.now(dt.UTC).isoformat(),
    }
    assert api.post("/api/performance-samples", [sample, sample]).json()["accepted"] == 2

    (seen,) = api.get("/api/unknown-models").json()["results"]
    made = api.post("/api/tracked-models", {"provider": "acme", "name": seen["name"]})
    attachment.attach(now=NOW)

    assert (seen["provider"], seen["name"], seen["samples"]) == ("acme", "zeta-9", 2)
    assert made.status_code == 201
    assert api.get("/api/unknown-models").json()["results"] == []


class TestSliceTags:
    def test_one_is_declared_renamed_and_removed(self, api: Api) -> None:
        made = api.post("/api/slice-tags", {"name": "language"})
        address = made["Location"]

        renamed = api.patch(address, {"name": "market"}, If_Match=made["ETag"]).json()

        assert api.get("/api/slice-tags").json()["results"] == [renamed]
        assert renamed["name"] == api.get(address).json()["name"] == "market"
        assert_problem(
            api.patch(address, {"name": "x"}, If_Match=made["ETag"]), 412, "changed-since"
        )
        assert api.delete(address).status_code == 204
        assert api.get("/api/slice-tags").json()["results"] == []

    def test_a_name_is_there_once(self, api: Api) -> None:
        api.post("/api/slice-tags", {"name": "language"})

        answer = api.post("/api/slice-tags", {"name": "language"})

        assert assert_problem(answer, 422, "invalid")["errors"][0]["pointer"] == "/name"


def test_facts_that_a_listing_lacks_are_set_and_held(api: Api) -> None:
    version = tracked().current_version
    assert version is not None
    facts = {
        "replacement": "zeta-2",
        "replacement_source": "their blog",
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "parameters": ["temperature"],
        "capabilities": ["tools"],
    }

    changed = api.patch(f"/api/versions/{version.pk}", facts).json()

    assert {name: changed[name] for name in facts} == facts
    assert set(facts) <= set(changed["staff_fields"])


def test_a_provider_may_speak_another_protocol_from_now_on(api: Api) -> None:
    address = api.post("/api/providers", ACME)["Location"]

    assert api.patch(address, {"kind": "ollama"}).json()["kind"] == "ollama"
    problem = assert_problem(api.patch(address, {"kind": "telex"}), 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/kind"


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_database_keeps_is_422_however_deep_it_is(api: Api, text: str) -> None:
    version = tracked().current_version
    assert version is not None
    parameter_map = {"default": {"stop": [{"x": text}]}}

    for answer, pointer in (
        (
            api.patch(f"/api/versions/{version.pk}", {"parameter_map": parameter_map}),
            "/parameter_map",
        ),
        (api.post("/api/providers", {**ACME, "options": {text: "x"}}), "/options"),
    ):
        assert assert_problem(answer, 422, "invalid")["errors"][0]["pointer"] == pointer


class TestTrackingWhatIsListed:
    @pytest.fixture
    def slug(self) -> str:
        provider = ProviderFactory(slug="acme")
        for id in ("zed/zeta-4", "zed/zeta-4-mini", "other/zeta-4-mini"):
            CatalogueEntry.objects.create(
                provider=provider, upstream_id=id, first_seen_at=NOW, last_seen_at=NOW
            )
        return provider.slug

    @pytest.mark.parametrize(
        ("asked", "pointer", "said"),
        [
            ({"name": "zeta-5"}, "/name", "acme lists no zeta-5. Did you mean zed/zeta-4"),
            ({"name": "z", "upstream_id": "zed/zeta-9"}, "/upstream_id", "acme lists no"),
            ({"name": "zeta-4-mini"}, "/name", "could be any of other/zeta-4-mini, zed/zeta"),
        ],
    )
    def test_it_says_what_the_command_says(
        self, api: Api, slug: str, asked: dict[str, str], pointer: str, said: str
    ) -> None:
        problem = assert_problem(
            api.post("/api/tracked-models", {"provider": slug, **asked}), 422, "invalid"
        )
        assert said in problem["detail"]
        assert problem["errors"][0]["pointer"] == pointer
        assert not TrackedModel.objects.exists()

    @pytest.mark.parametrize(
        ("asked", "listed"),
        [({"name": "zeta-4"}, True), ({"name": "my-deployment", "unlisted": True}, False)],
    )
    def test_listed_is_what_a_listing_had(
        self, api: Api, slug: str, asked: dict[str, object], listed: bool
    ) -> None:
        made = api.post("/api/tracked-models", {"provider": slug, **asked}).json()
        (version,) = api.get(f"/api/tracked-models/{made['id']}/versions").json()["results"]
        assert version["is_listed"] is listed
        current = api.get(f"/api/model-versions/{slug}/{asked['name']}/current").json()
        assert current["version"]["is_listed"] is listed
