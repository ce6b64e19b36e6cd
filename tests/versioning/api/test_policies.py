"""Policies, freezes and the switch over HTTP."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import ModelVersionFactory, ProviderFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import AutomationSwitch, EvaluationSuite, Freeze, Policy

pytestmark = pytest.mark.django_db

EVERYTHING: dict[str, Any] = {
    "automation": "after_gates",
    "steps_allowed": ["revision", "snapshot"],
    "minimum_improvement": "0.1000",
    "max_error_rise": "0.0200",
    "max_latency_rise": "0.2000",
    "max_error_times": "3.0000",
    "max_cost_rise": "99.0000",
    "max_tool_call_error_rise": "0.0100",
    "unsure_limits_pass": True,
    "minimum_age_days": 7,
    "near_retirement_days": 30,
    "required_suites": ["support answers"],
    "unsure_tests": "passes",
    "tests_alone": True,
    "canary_steps": [{"weight": 5, "hours": 24}, {"weight": 50, "approval": True}],
    "canary_asks": "better",
    "approvals_needed": 2,
    "requester_may_approve": False,
    "windows": [{"days": ["mon"], "from": "09:00", "to": "16:00"}],
    "time_zone": "Europe/Prague",
    "max_at_once": 2,
    "max_per_day": 3,
    "watch_days": 7,
    "rollback_by_itself": True,
    "approval_days": 3,
    "buffer_days": 7,
}

TEXTS = ("automation", "unsure_tests", "canary_asks", "time_zone")


class TestPolicies:
    def test_all_of_it_is_set_shown_and_left_to_the_level_above_again(self, api: Api) -> None:
        model = tracked()
        EvaluationSuite.objects.create(name="support answers", scorers=["number"], max_tokens=20)

        made = api.post("/api/policies", {"tracked_model": model.pk, **EVERYTHING})
        shown = api.get(made["Location"]).json()
        nothing = {name: "" if name in TEXTS else None for name in EVERYTHING}
        emptied = api.patch(made["Location"], nothing).json()

        assert made.status_code == 201
        assert shown == made.json()
        assert {name: shown[name] for name in EVERYTHING} == EVERYTHING
        assert shown["name"] == f"policy of {model}"
        assert {name: emptied[name] for name in EVERYTHING} == nothing
        assert Policy.objects.get().history.first().history_change_reason.startswith("api: ")

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"automation": "always"}, "/automation"),
            ({"automation": None}, "/automation"),
            ({"minimum_improvement": "-1"}, "/minimum_improvement"),
            ({"minimum_improvement": "0.00001"}, "/minimum_improvement"),
            ({"minimum_improvement": "10"}, "/minimum_improvement"),
            ({"max_error_rise": "2"}, "/max_error_rise"),
            ({"approvals_needed": 0}, "/approvals_needed"),
            ({"minimum_age_days": 10**9}, "/minimum_age_days"),
            ({"steps_allowed": ["replacement"]}, "/steps_allowed"),
            ({"steps_allowed": ["maybe"]}, "/steps_allowed"),
            ({"canary_steps": [{"weight": 50}, {"weight": 5}]}, "/canary_steps"),
            ({"canary_steps": {"weight": 50}}, "/canary_steps"),
            ({"windows": [{"days": ["mon"], "from": "9", "to": "x"}]}, "/windows"),
            ({"required_suites": ["a\0b"]}, "/required_suites"),
            ({"required_suites": ["\ud800"]}, "/required_suites"),
            ({"time_zone": "Mars/North"}, "/time_zone"),
            ({"provider": "none"}, "/provider"),
            ({"tracked_model": 10**30}, "/tracked_model"),
            ({"tracked_model": 0}, "/tracked_model"),
            ({"id": 5}, "/id"),
        ],
    )
    def test_what_can_not_be_is_422_and_named(
        self, api: Api, change: dict[str, Any], pointer: str
    ) -> None:
        address = api.post("/api/policies", {"watch_days": 3})["Location"]

        for answer in (api.patch(address, change), api.post("/api/policies", change)):
            problem = assert_problem(answer, 422, "invalid")
            assert problem["errors"][0]["pointer"] == pointer
        assert Policy.objects.get().watch_days == 3

    def test_there_is_one_of_each(self, api: Api) -> None:
        model = tracked()
        for scope in (
            {"watch_days": 14},
            {"provider": model.provider.slug},
            {"tracked_model": model.pk},
        ):
            assert api.post("/api/policies", scope).status_code == 201
            assert_problem(api.post("/api/policies", scope), 422, "invalid")

        problem = assert_problem(
            api.post("/api/policies", {"provider": model.provider.slug, "tracked_model": model.pk}),
            422,
            "invalid",
        )
        assert {error["pointer"] for error in problem["errors"]} >= {"/provider", "/tracked_model"}
        assert Policy.objects.count() == 3

    def test_a_fallback_is_a_version_of_the_model(self, api: Api) -> None:
        model = tracked()
        own, strange = ModelVersionFactory(tracked_model=model), ModelVersionFactory()
        address = api.post("/api/policies", {"tracked_model": model.pk})["Location"]

        refused = api.patch(address, {"fallback_version": strange.pk})
        taken = api.patch(address, {"fallback_version": own.pk})

        problem = assert_problem(refused, 422, "invalid")
        assert problem["errors"][0]["pointer"] == "/fallback_version"
        assert taken.json()["fallback_version"] == own.pk

    def test_a_change_on_what_somebody_else_changed_is_412(self, api: Api) -> None:
        made = api.post("/api/policies", {"watch_days": 3})
        address, read = made["Location"], made["ETag"]
        assert api.get(address)["ETag"] == read

        mine = api.patch(address, {"watch_days": 4}, If_Match=read)
        theirs = api.patch(address, {"watch_days": 5}, If_Match=read)
        removed = api.client.delete(
            address, headers={"Authorization": f"Bearer {api.secret}", "If-Match": read}
        )

        assert mine.status_code == 200
        assert mine["ETag"] != read
        assert_problem(theirs, 412, "changed-since")
        assert_problem(removed, 412, "changed-since")
        assert Policy.objects.get().watch_days == 4

    def test_one_that_is_removed_is_gone_with_its_history_kept(self, api: Api) -> None:
        address = api.post("/api/policies", {"watch_days": 3})["Location"]

        assert api.delete(address).status_code == 204
        for answer in (
            api.get(address),
            api.delete(address),
            api.patch(address, {"watch_days": 7}),
        ):
            assert_problem(answer, 404, "not-found")
        assert Policy.history.filter(history_type="-").get().history_change_reason

    def test_they_are_found_by_what_they_are_for(self, api: Api) -> None:
        model = tracked()
        general = api.post("/api/policies", {"watch_days": 14}).json()["id"]
        provider = api.post("/api/policies", {"provider": model.provider.slug}).json()["id"]
        own = api.post("/api/policies", {"tracked_model": model.pk}).json()["id"]

        def ids(query: str) -> list[int]:
            return [row["id"] for row in api.get(f"/api/policies?{query}").json()["results"]]

        assert ids("") == [general, provider, own]
        assert ids(f"provider={model.provider.slug}") == [provider, own]
        assert ids(f"tracked_model={model.pk}") == [own]

    @pytest.mark.parametrize("many", [1, 6])
    def test_a_list_takes_the_same_queries_for_any_number(self, api: Api, many: int) -> None:
        for _ in range(many):
            Policy.objects.create(tracked_model=tracked())
        api.get("/api/policies"), api.get("/api/policies")

        with CaptureQueriesContext(connection) as queries:
            assert len(api.get("/api/policies").json()["results"]) == many

        assert len(queries) == 3  # the key, whether there are teams, the page

    def test_what_holds_for_a_model_says_which_row_sets_it(self, api: Api) -> None:
        model = tracked(name="org/zeta")
        api.post("/api/policies", {"watch_days": 1, "minimum_age_days": 1})
        api.post("/api/policies", {"provider": model.provider.slug, "watch_days": 2})
        own = api.post("/api/policies", {"tracked_model": model.pk, "watch_days": 3}).json()

        body = api.get(f"/api/model-versions/{model.provider.slug}/org/zeta/policy").json()

        found = {row["name"]: row for row in body["settings"]}
        assert found["watch_days"] == {
            "name": "watch_days", "value": 3, "set_by": own["name"], "set_by_id": own["id"]
        }  # fmt: skip
        assert found["minimum_age_days"]["set_by"] == "policy of everything"
        assert (found["approvals_needed"]["value"], found["approvals_needed"]["set_by"]) == (
            1,
            None,
        )
        assert found["max_at_once"]["value"] is None
        assert "Watched for 3 days" in " ".join(body["in_words"])
        assert set(found) == set(EVERYTHING)
        assert body["fallback_version"] is None


class TestFreezes:
    SPAN: dict[str, Any] = {
        "name": "Trade",
        "starts_at": "2026-12-01T00:00:00Z",
        "ends_at": "2027-01-02T00:00:00Z",
    }

    def test_one_is_made_in_the_name_of_who_asks_and_changed(self, api: Api) -> None:
        provider = ProviderFactory(slug="acme")

        made = api.post("/api/freezes", {**self.SPAN, "provider": "acme"})
        changed = api.patch(made["Location"], {"provider": None, "name": "Audit"}).json()

        assert made.status_code == 201
        assert made.json()["provider"] == provider.slug
        assert made.json()["made_by"].startswith("application")
        assert (changed["provider"], changed["name"]) == (None, "Audit")
        assert changed["made_by"] == made.json()["made_by"]
        assert changed["ends_at"] == "2027-01-02T00:00:00Z"

    def test_it_ends_after_its_start(self, api: Api) -> None:
        address = api.post("/api/freezes", self.SPAN)["Location"]

        for answer in (
            api.patch(address, {"ends_at": "2026-11-01T00:00:00Z"}),
            api.post("/api/freezes", {**self.SPAN, "ends_at": self.SPAN["starts_at"]}),
        ):
            assert "ends after" in assert_problem(answer, 422, "invalid")["detail"]
        assert Freeze.objects.count() == 1

    def test_those_that_are_over_can_be_left_out(self, api: Api) -> None:
        old = {**self.SPAN, "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-02-01T00:00:00Z"}
        far = {**self.SPAN, "ends_at": "2999-01-01T00:00:00Z"}
        ids = [api.post("/api/freezes", span).json()["id"] for span in (old, far)]

        def found(query: str) -> list[int]:
            return [row["id"] for row in api.get(f"/api/freezes{query}").json()["results"]]

        assert found("") == ids[::-1]
        assert found("?over=true") == ids[:1]
        assert found("?over=false") == ids[1:]

    def test_one_is_removed(self, api: Api) -> None:
        address = api.post("/api/freezes", self.SPAN)["Location"]

        assert api.delete(address).status_code == 204
        assert not Freeze.objects.exists()


class TestTheSwitch:
    def test_it_is_on_until_somebody_says_why_not(self, api: Api) -> None:
        before = api.get("/api/automation").json()
        refused = api.post("/api/automation", {"on": False})
        off = api.post("/api/automation", {"on": False, "reason": "outage"}).json()
        shown = api.get("/api/automation").json()
        on = api.post("/api/automation", {"on": True}).json()

        assert before == {"on": True, "reason": "", "changed_by": "", "changed_at": None}
        assert assert_problem(refused, 422, "invalid")["errors"][0]["pointer"] == "/reason"
        assert (off["on"], off["reason"]) == (False, "outage")
        assert off["changed_by"].startswith("application")
        assert shown == off
        assert on["on"] is True
        assert AutomationSwitch.objects.get().history.count() == 2


def test_a_policy_names_suites_that_exist(api: Api) -> None:
    asked = {"tracked_model": tracked().pk, "required_suites": ["no such"]}
    answer = api.post("/api/policies", asked)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"].startswith("/required_suites")
    assert "no such" in error["detail"]
