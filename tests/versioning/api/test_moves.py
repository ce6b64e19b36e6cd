"""Upgrade, upgrade by itself, roll back; and requests that are sent twice."""

import datetime as dt
from typing import Any

import pytest
import time_machine

from tests.factories import NOW, ModelVersionFactory, UpgradeRecordFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import CatalogueEntry, IdempotentRequest, TrackedModel, UpgradeRecord

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(db: None) -> TrackedModel:
    return tracked(name="org/zeta:free")


@pytest.fixture
def base(model: TrackedModel) -> str:
    return f"/api/model-versions/{model.provider.slug}/org/zeta:free"


def label(model: TrackedModel) -> str:
    model.refresh_from_db()
    assert model.current_version is not None
    return model.current_version.label


def test_an_upgrade_goes_to_what_is_recommended(api: Api, base: str, model: TrackedModel) -> None:
    record = UpgradeRecordFactory(tracked_model=model)

    body = api.post(f"{base}/upgrade", {"reason": "now"}).json()

    assert (body["id"], body["state"]) == (record.pk, "completed")
    assert label(model) == record.to_version.label


def test_without_a_recommendation_there_is_nothing_to_upgrade_to(api: Api, base: str) -> None:
    assert_problem(api.post(f"{base}/upgrade"), 409, "nothing-recommended")


@pytest.mark.parametrize("field", ["label", "pk", "upstream_id"])
def test_an_upgrade_may_name_its_version(
    api: Api, base: str, model: TrackedModel, field: str
) -> None:
    version = ModelVersionFactory(tracked_model=model)
    name = "upstream_id" if field == "upstream_id" else "to_version"

    body = api.post(f"{base}/upgrade", {name: str(getattr(version, field))}).json()

    assert (body["origin"], body["step"]) == ("api", "requested")
    assert label(model) == version.label


def test_an_upgrade_may_name_what_is_listed_and_no_version_yet(
    api: Api, base: str, model: TrackedModel
) -> None:
    CatalogueEntry.objects.create(
        provider=model.provider,
        upstream_id="zeta-9",
        facts={"context_tokens": 8000},
        first_seen_at=NOW,
        last_seen_at=NOW,
    )

    body = api.post(f"{base}/upgrade", {"upstream_id": "zeta-9"}).json()

    assert body["to_version"]["upstream_id"] == "zeta-9"
    assert label(model) == body["to_version"]["label"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"to_version": "9.9.9"}, "/to_version"),
        ({"upstream_id": "nothing"}, "/upstream_id"),
        ({"to_version": "1.0.0", "upstream_id": "zeta-1"}, "/upstream_id"),
    ],
)
def test_a_version_that_can_not_be_found_is_422(
    api: Api, base: str, body: dict[str, str], pointer: str
) -> None:
    problem = assert_problem(api.post(f"{base}/upgrade", body), 422, "invalid")

    assert problem["errors"][0]["pointer"] == pointer


def test_to_the_current_version_there_is_no_upgrade(api: Api, base: str) -> None:
    assert_problem(api.post(f"{base}/upgrade", {"to_version": "1.0.0"}), 422, "invalid")


def test_an_upgrade_on_evidence_that_has_changed_is_412(
    api: Api, base: str, model: TrackedModel
) -> None:
    UpgradeRecordFactory(tracked_model=model, evidence_hash="b" * 64)

    assert_problem(api.post(f"{base}/upgrade", If_Match='"a"'), 412, "evidence-changed")
    assert label(model) == "1.0.0"


def test_a_rollback_names_what_it_reverses(api: Api, base: str, model: TrackedModel) -> None:
    record = UpgradeRecordFactory(tracked_model=model)
    api.post(f"{base}/upgrade")

    body = api.post(f"{base}/rollback", {"reason": "worse"}).json()

    assert (body["origin"], body["reverses_id"]) == ("rollback", record.pk)
    assert label(model) == "1.0.0"


def test_a_rollback_says_when_the_earlier_version_is_gone(
    api: Api, base: str, model: TrackedModel
) -> None:
    UpgradeRecordFactory(tracked_model=model)
    api.post(f"{base}/upgrade")
    model.versions.filter(label="1.0.0").update(gone_at=NOW)

    body = api.post(f"{base}/rollback", {"reason": "worse"}).json()

    assert "no longer listed" in " ".join(body["reasons"])


def test_there_may_be_nothing_to_go_back_to(api: Api, base: str) -> None:
    answer = api.post(f"{base}/rollback", {"reason": "worse"})

    assert_problem(answer, 409, "nothing-to-roll-back")


def test_by_itself_it_says_what_it_waits_for(api: Api, base: str, model: TrackedModel) -> None:
    record = UpgradeRecordFactory(tracked_model=model)

    body = api.post(f"{base}/auto-upgrade", {"auto_upgrade": True}).json()

    assert (body["upgraded"], body["version"], body["record_id"]) == (False, "1.0.0", record.pk)
    assert body["waits_for"]


@pytest.mark.parametrize("least", ["-0.1", "11", "much", "NaN"])
def test_an_improvement_must_be_a_fraction(api: Api, base: str, least: str) -> None:
    answer = api.post(
        f"{base}/auto-upgrade", {"auto_upgrade": True, "min_quality_improvement": least}
    )

    problem = assert_problem(answer, 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/min_quality_improvement"


def test_what_would_happen_is_explained(api: Api, base: str, model: TrackedModel) -> None:
    nothing = api.get(f"{base}/explain").json()
    record = UpgradeRecordFactory(tracked_model=model)
    something = api.get(f"{base}/explain").json()

    assert (nothing["record_id"], nothing["rules"]) == (None, [])
    assert something["record_id"] == record.pk
    assert not something["allowed"]
    assert {"rule", "ok", "sentence", "set_by"} == set(something["rules"][0])


class TestRepeats:
    """Idempotency-Key: the stored answer comes back, and nothing is done twice."""

    def send(self, api: Api, base: str, body: Any = None, key: str = "one") -> Any:
        return api.post(f"{base}/upgrade", body, Idempotency_Key=key)

    def test_a_repeat_gets_the_stored_answer(
        self, api: Api, base: str, model: TrackedModel
    ) -> None:
        UpgradeRecordFactory(tracked_model=model)

        first, again = self.send(api, base), self.send(api, base)

        assert first.status_code == again.status_code == 200
        assert first.content == again.content
        assert first["ETag"] == again["ETag"]
        assert "Idempotent-Replayed" not in first
        assert again["Idempotent-Replayed"] == "true"
        assert UpgradeRecord.objects.completions().count() == 2

    def test_another_body_under_the_same_key_is_422(
        self, api: Api, base: str, model: TrackedModel
    ) -> None:
        UpgradeRecordFactory(tracked_model=model)
        self.send(api, base)

        answer = self.send(api, base, {"reason": "other"})

        assert_problem(answer, 422, "idempotency-key-reused")

    def test_another_caller_may_use_the_same_key(
        self, api: Api, with_scopes: Any, base: str, model: TrackedModel
    ) -> None:
        UpgradeRecordFactory(tracked_model=model)
        self.send(api, base)

        answer = self.send(with_scopes("decide"), base)

        assert_problem(answer, 409, "nothing-recommended")

    def test_while_the_first_is_worked_on_the_next_is_409(
        self, api: Api, base: str, model: TrackedModel
    ) -> None:
        UpgradeRecordFactory(tracked_model=model)
        self.send(api, base)
        IdempotentRequest.objects.update(status=None, answer=None)

        assert_problem(self.send(api, base), 409, "request-in-flight")

    @pytest.mark.parametrize("minutes", [2, -2])
    def test_after_a_crash_the_next_one_takes_over(
        self, api: Api, base: str, model: TrackedModel, minutes: int
    ) -> None:
        """Also where the clock of the machine that crashed was two minutes ahead."""
        UpgradeRecordFactory(tracked_model=model)
        self.send(api, base)
        IdempotentRequest.objects.update(status=None, answer=None)

        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)):
            answer = self.send(api, base)

        assert_problem(answer, 409, "nothing-recommended")

    def test_a_request_that_failed_may_be_sent_again(
        self, api: Api, base: str, model: TrackedModel
    ) -> None:
        assert self.send(api, base).status_code == 409
        UpgradeRecordFactory(tracked_model=model)

        assert self.send(api, base).status_code == 200

    @pytest.mark.parametrize("key", ["", "x" * 201, "é"])
    def test_a_key_that_can_not_be_used_is_400(self, api: Api, base: str, key: str) -> None:
        assert_problem(self.send(api, base, key=key), 400, "bad-header")
