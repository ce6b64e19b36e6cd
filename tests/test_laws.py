"""The seven things that always hold, through the public doors: HTTP, the admin, services."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from sample_world.simulator import Simulator
from tests.factories import (
    NOW,
    ApiKeyFactory,
    ProviderFactory,
    UpgradeRecordFactory,
    UserFactory,
    tracked,
)
from versioning.models import TrackedModel, UpgradeRecord, UpgradeStep
from versioning.services import serving, tracking
from versioning.services.actors import Actor
from versioning.services.checks import detection
from versioning.services.errors import AlreadyMoved, ServiceError
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn
from versioning.services.upgrades import decisions, moves, python_api, recommendation

pytestmark = pytest.mark.django_db

RECOMMENDATIONS = "/api/model-versions/upgrade-recommendations"
CLIENTS = 32
DAY = timedelta(days=1)


@pytest.fixture
def api() -> Client:
    """An application whose key may do everything."""
    return Client(headers={"authorization": f"Bearer {ApiKeyFactory().secret}"})


@pytest.fixture
def admin() -> Client:
    """A superuser at the admin: whoever else comes may do less."""
    client = Client()
    client.force_login(UserFactory(username="root", is_staff=True, is_superuser=True))
    return client


def decide(admin: Client, record: UpgradeRecord, name: str, **data: str) -> None:
    """Make a decision on its confirmation page."""
    url = reverse(f"admin:versioning_upgraderecord_{name}", args=[record.pk])
    form = {"confirmed": name, f"evidence-{record.pk}": record.evidence_hash, **data}
    assert admin.post(url, form).status_code == 302


def approve(api: Client, record: UpgradeRecord) -> None:
    answer = api.post(f"{RECOMMENDATIONS}/{record.pk}/approve", {}, content_type="application/json")
    assert answer.status_code == 200, answer.content


def current(api: Client, model: TrackedModel) -> str:
    answer = api.get(f"/api/model-versions/{model.provider.slug}/{model.name}/current")
    return str(answer.json()["version"]["label"])


def target_of_latest_completion(model: TrackedModel) -> str:
    latest = model.upgrades.completions().exclude(state="rolled_back")
    return str(latest.order_by("-completion_number").first().to_version.label)


class TestLaw1:
    """A tracked model's current version is the target of its latest completed record (a rollback
    included)."""

    def test_through_tracking_approving_and_rolling_back(self, api: Client, admin: Client) -> None:
        model = tracked()
        seen = [current(api, model)]
        for approve_it in (
            lambda record: approve(api, record),
            lambda record: decide(admin, record, "approve", reason="As good as tested."),
        ):
            model.refresh_from_db()
            record = UpgradeRecordFactory(tracked_model=model)
            approve_it(record)
            seen.append(current(api, model))
            assert seen[-1] == record.to_version.label == target_of_latest_completion(model)

        for expected in (seen[1], seen[0]):
            answer = api.post(
                f"/api/model-versions/{model.provider.slug}/{model.name}/rollback",
                {"reason": "Answers got shorter."},
                content_type="application/json",
            )
            assert answer.status_code == 200, answer.content
            assert current(api, model) == expected == target_of_latest_completion(model)

    def test_a_rollback_restores_the_earlier_version_exactly(self, staff: Actor) -> None:
        model = tracked()
        before = serving.current(provider=model.provider.slug, name=model.name, now=NOW).version
        record = UpgradeRecordFactory(tracked_model=model)
        decisions.approve(record_id=record.pk, actor=staff, now=NOW)

        back = decisions.roll_back(tracked_model_id=model.pk, actor=staff, now=NOW, reason="Worse.")

        after = serving.current(provider=model.provider.slug, name=model.name, now=NOW).version
        assert after == before
        assert (back.reverses, back.to_version) == (record, record.from_version)
        assert back.reasons == ["Worse."]

    def test_a_rollback_says_when_the_earlier_version_is_no_longer_listed(
        self, staff: Actor
    ) -> None:
        model = tracked(upstream_id="zeta-old")
        record = UpgradeRecordFactory(tracked_model=model)
        decisions.approve(record_id=record.pk, actor=staff, now=NOW)
        model.versions.filter(upstream_id="zeta-old").update(gone_at=NOW)

        back = decisions.roll_back(tracked_model_id=model.pk, actor=staff, now=NOW, reason="Worse.")

        assert "zeta-old is no longer listed" in " ".join(back.reasons)

    def test_a_crash_between_state_and_pointer_leaves_neither(
        self, staff: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = UpgradeRecordFactory()

        def crash(**_: object) -> None:
            raise ConnectionError("the worker died")

        monkeypatch.setattr(moves.baselines, "take_baseline", crash)
        with pytest.raises(ConnectionError):
            decisions.approve(record_id=record.pk, actor=staff, now=NOW)

        record.refresh_from_db()
        assert (record.state, record.steps.count()) == ("recommended", 0)
        assert target_of_latest_completion(record.tracked_model) == "1.0.0"
        assert record.tracked_model.current_version.label == "1.0.0"


class TestLaw2:
    """One request to move, one move: two people, a person and the scheduler, a client that
    retries: exactly one takes effect, the others are told."""

    @pytest.mark.django_db(transaction=True)
    def test_of_32_clients_at_the_same_moment_one_moves_and_31_are_told(self) -> None:
        record = UpgradeRecordFactory()
        key = ApiKeyFactory()
        start = threading.Barrier(CLIENTS)
        answers: list[tuple[int, str]] = []

        def ask() -> None:
            client = Client(headers={"authorization": f"Bearer {key.secret}"})
            start.wait()
            try:
                answer = client.post(
                    f"{RECOMMENDATIONS}/{record.pk}/approve", {}, content_type="application/json"
                )
                answers.append((answer.status_code, answer.json().get("detail", "")))
            finally:
                connection.close()

        threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert Counter(status for status, _ in answers) == {200: 1, 409: CLIENTS - 1}
        assert all("already" in detail for status, detail in answers if status == 409)
        record.refresh_from_db()
        assert record.state == "completed"
        assert record.steps.filter(after="completed").count() == 1

    def test_a_second_person_is_told_who_was_first(self, api: Client, staff: Actor) -> None:
        record = UpgradeRecordFactory()
        decisions.approve(record_id=record.pk, actor=staff, now=NOW)

        answer = api.post(
            f"{RECOMMENDATIONS}/{record.pk}/reject",
            {"reason": "Too early."},
            content_type="application/json",
        )

        assert answer.status_code == 409
        assert "completed already by ada" in answer.json()["detail"]

    def test_a_person_and_the_scheduler(self, staff: Actor) -> None:
        record = UpgradeRecordFactory()
        decisions.reject(record_id=record.pk, actor=staff, now=NOW, reason="Too early.")

        with pytest.raises(AlreadyMoved):
            decisions.approve(record_id=record.pk, actor=Actor.scheduler(), now=NOW)

        record.refresh_from_db()
        assert record.state == "rejected"

    def test_a_client_that_retries_rolls_back_once(self, staff: Actor) -> None:
        record = UpgradeRecordFactory()
        decisions.approve(record_id=record.pk, actor=staff, now=NOW)
        wish = {
            "tracked_model_id": record.tracked_model_id,
            "record_id": record.pk,
            "actor": staff,
            "now": NOW,
            "reason": "Worse.",
        }
        decisions.roll_back(**wish)

        with pytest.raises(ServiceError):
            decisions.roll_back(**wish)

        assert UpgradeRecord.objects.filter(origin="rollback").count() == 1


class TestLaw3:
    """At most one record of a tracked model is under way (approved, testing or canary) at a time.
    The database says so, not only the code."""

    @pytest.mark.parametrize("first", ["approved", "testing", "canary"])
    @pytest.mark.parametrize("second", ["approved", "testing", "canary"])
    def test_the_database_refuses_a_second_one(self, first: str, second: str) -> None:
        model = tracked()
        UpgradeRecordFactory(tracked_model=model, state=first)

        with pytest.raises(IntegrityError), transaction.atomic():
            UpgradeRecordFactory(tracked_model=model, state=second)

    def test_the_second_is_told(self, api: Client) -> None:
        model = tracked()
        UpgradeRecordFactory(tracked_model=model, state="canary")
        record = UpgradeRecordFactory(tracked_model=model)

        answer = api.post(
            f"{RECOMMENDATIONS}/{record.pk}/approve", {}, content_type="application/json"
        )

        assert (answer.status_code, answer.json()["code"]) == (409, "another-upgrade-under-way")
        record.refresh_from_db()
        assert record.state == "recommended"


class TestLaw4:
    """Nothing moves by itself when it is pinned, in a freeze, too young, short of evidence, or
    when its policy doesn't say so."""

    def by_itself(self, record: UpgradeRecord) -> str:
        """Ask for auto_upgrade; return what it waits for."""
        model = record.tracked_model
        result = python_api.auto_upgrade(
            provider=model.provider.slug, model=model.name, min_quality_improvement=0, now=NOW
        )
        record.refresh_from_db()
        assert not result.upgraded
        assert record.state == "recommended"
        return result.waits_for

    def test_pinned(self) -> None:
        record = UpgradeRecordFactory(tracked_model=tracked(pinned=True, pin_reason="Audit"))
        assert "pinned" in self.by_itself(record)

    def test_short_of_evidence(self) -> None:
        assert self.by_itself(UpgradeRecordFactory())

    def test_a_replacement_across_lines(self) -> None:
        record = UpgradeRecordFactory(step=UpgradeRecord.Step.REPLACEMENT)
        assert "replacement" in self.by_itself(record)


class TestLaw5:
    """A provider that fails, times out or lists nothing never retires, removes or recommends
    anything. A version counts as gone only after several good listings without it."""

    @pytest.fixture
    def model(self, simulator: Simulator) -> TrackedModel:
        simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250101", context=8000)
        simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250301", context=8000)
        simulator.catalogue.add("openrouter", "zed/omega-2-7b-instruct")
        provider = ProviderFactory(
            slug="router", kind="openrouter", base_url=simulator.base_url("openrouter")
        )
        detection.run_check(provider_id=provider.pk, trigger="command", now=NOW)
        return tracking.start_tracking(
            provider_id=provider.pk,
            name="zeta",
            upstream_id="zed/zeta-4-mini-20250301",
            actor=Actor.command(),
            now=NOW,
        )

    def check(self, model: TrackedModel, *, days: int) -> str:
        provider = model.provider_id
        found = detection.run_check(provider_id=provider, trigger="command", now=NOW + days * DAY)
        return str(found.state)

    @pytest.mark.parametrize("fault", ["http_500", "unauthorized", "not_json", "empty"])
    def test_a_failure_changes_nothing(
        self, model: TrackedModel, simulator: Simulator, fault: str
    ) -> None:
        simulator.fail("openrouter", fault)
        states = [self.check(model, days=day) for day in range(1, 6)]

        assert states == ["failed"] * 5
        assert not model.versions.gone().exists()
        assert not model.versions.exclude(retires_on=None).exists()
        assert not recommendation.open_recommendations().exists()

    def test_gone_only_after_several_good_listings(
        self, model: TrackedModel, simulator: Simulator
    ) -> None:
        simulator.catalogue.remove("openrouter", "zed/zeta-4-mini-20250301")

        assert self.check(model, days=1) != "failed"
        assert not model.versions.gone().exists()
        for day in range(2, 6):
            self.check(model, days=day)
        assert model.versions.gone().count() == 1


HISTORY = ("upgraderecord", "modelversion", "performancesample", "check")


class TestLaw6:
    """History is kept: no record, version with samples, or decision can be deleted or rewritten
    through the admin or the API."""

    @pytest.fixture
    def model(self, staff: Actor) -> TrackedModel:
        """A model that has moved, with a sample and a check."""
        record = UpgradeRecordFactory()
        decisions.approve(record_id=record.pk, actor=staff, now=NOW)
        model = record.tracked_model
        sample = SampleIn(provider=model.provider.slug, model=model.name, time=NOW, quality=0.5)
        ingestion.accept([sample], api_key_id=None, now=NOW)
        detection.run_check(provider_id=model.provider_id, trigger="command", now=NOW)
        return model

    @pytest.mark.parametrize("name", HISTORY)
    def test_the_admin_deletes_nothing(self, model: TrackedModel, admin: Client, name: str) -> None:
        table = apps.get_model("versioning", name)
        before = table.objects.count()
        assert before

        for row in table.objects.all():
            url = reverse(f"admin:versioning_{name}_delete", args=[row.pk])
            assert admin.post(url, {"post": "yes"}).status_code == 403
        listing = reverse(f"admin:versioning_{name}_changelist")
        chosen = list(table.objects.values_list("pk", flat=True))
        admin.post(
            listing, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
        )

        assert table.objects.count() == before

    def test_the_admin_rewrites_no_record(self, model: TrackedModel, admin: Client) -> None:
        record = model.upgrades.get(state="completed", from_version__isnull=False)
        before = UpgradeRecord.objects.filter(pk=record.pk).values().get()

        url = reverse("admin:versioning_upgraderecord_change", args=[record.pk])
        answer = admin.post(url, {"state": "rejected", "reasons": "[]", "completion_number": "9"})

        assert answer.status_code == 403
        assert UpgradeRecord.objects.filter(pk=record.pk).values().get() == before

    @pytest.mark.parametrize("method", ["delete", "put", "patch"])
    def test_the_api_deletes_and_rewrites_no_record(
        self, model: TrackedModel, api: Client, method: str
    ) -> None:
        record = model.upgrades.get(state="completed", from_version__isnull=False)
        steps = list(UpgradeStep.objects.values())
        paths = [
            f"{RECOMMENDATIONS}/{record.pk}",
            f"/api/model-versions/{model.provider.slug}/{model.name}/history",
            f"/api/model-versions/{model.provider.slug}/{model.name}/upgrades",
            "/api/performance-samples",
            "/api/checks",
        ]

        send: Callable[..., object] = getattr(api, method)
        statuses = {send(path, {}, content_type="application/json").status_code for path in paths}

        assert statuses == {405}
        assert list(UpgradeStep.objects.values()) == steps

    def test_no_api_address_deletes_a_version_or_model(
        self, model: TrackedModel, api: Client
    ) -> None:
        for path in (
            f"/api/versions/{model.versions.first().pk}",
            f"/api/tracked-models/{model.pk}",
        ):
            assert api.delete(path).status_code == 405

    def test_the_database_keeps_what_history_stands_on(self, model: TrackedModel) -> None:
        with pytest.raises(ProtectedError):
            model.delete()
        with pytest.raises(ProtectedError):
            model.versions.first().delete()


class TestLaw7:
    """No key, token or prompt text is ever stored in clear, logged, or returned."""

    SECRET = "sk-law-seven-0123456789abcdef"

    def everything_stored(self) -> str:
        """Return every row of every table as text."""
        return "\n".join(
            repr(list(table.objects.values_list()))
            for table in apps.get_models()
            if table._meta.managed
        )

    @pytest.mark.parametrize("fault", [None, "unauthorized", "http_500", "redirect", "html"])
    def test_a_providers_key_goes_to_the_provider_only(
        self,
        simulator: Simulator,
        api: Client,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        fault: str | None,
    ) -> None:
        monkeypatch.setenv("LAW_SEVEN_KEY", self.SECRET)
        caplog.set_level("DEBUG")
        simulator.catalogue.add("openai", "zeta-4")
        provider = ProviderFactory(
            slug="lawful",
            kind="openai",
            base_url=simulator.base_url("openai"),
            api_key_env="LAW_SEVEN_KEY",
        )
        if fault:
            simulator.fail("openai", fault)

        detection.run_check(provider_id=provider.pk, trigger="command", now=NOW)

        answers = [api.get(path).content for path in ("/api/providers/lawful", "/api/checks")]
        assert all(self.SECRET.encode() not in answer for answer in answers)
        assert self.SECRET not in caplog.text
        assert self.SECRET not in self.everything_stored()

    def test_an_api_key_is_kept_as_a_hash(
        self, api: Client, admin: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        key = ApiKeyFactory(name="shop")
        client = Client(headers={"authorization": f"Bearer {key.secret}"})

        assert client.get("/api/checks").status_code == 200

        page = admin.get(reverse("admin:versioning_apikey_change", args=[key.pk])).content
        assert key.secret.encode() not in page
        assert key.hashed.encode() not in page
        assert key.secret not in caplog.text
        assert key.secret not in self.everything_stored()

    @pytest.mark.parametrize("field", ["prompt", "messages", "output"])
    def test_a_sample_with_a_prompt_is_refused_and_not_kept(
        self, api: Client, caplog: pytest.LogCaptureFixture, field: str
    ) -> None:
        caplog.set_level("DEBUG")
        text = "what my doctor told me"
        item = {"provider": "acme", "model": "writer", "quality": 0.5, field: text}

        answer = api.post("/api/performance-samples", [item], content_type="application/json")

        assert answer.json().get("accepted", 0) == 0
        assert text not in answer.content.decode()
        assert text not in caplog.text
        assert text not in self.everything_stored()
