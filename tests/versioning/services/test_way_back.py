"""Before a first step the provider is asked for the way back; a rollback goes where one answers."""

import datetime as dt

import pytest
from django.test import Client

from providers.models import Provider
from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import (
    NOW,
    ApiKeyFactory,
    ModelVersionFactory,
    ProviderFactory,
    UpgradeRecordFactory,
    tracked,
)
from tests.versioning.services.test_course import BAD, DAY, GOOD, general, measured, state, sweep
from versioning.models import Canary, Freeze, ModelVersion, Notice, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.upgrades import decisions, python_api

pytestmark = pytest.mark.django_db

CANARY = [{"weight": 20, "hours": 1}]


@pytest.fixture
def provider(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    for model_id in ("zeta-old", "zeta-now", "zeta-next"):
        simulator.world.add("openai", model_id)
    return ProviderFactory(
        base_url=simulator.base_url("openai"), api_key_env="SIMULATED_KEY", kind="openai"
    )


@pytest.fixture
def record(provider: Provider) -> UpgradeRecord:
    model = tracked(provider=provider, upstream_id="zeta-now")
    newer = ModelVersionFactory(tracked_model=model, label="1.1.0", upstream_id="zeta-next")
    return UpgradeRecordFactory(tracked_model=model, to_version=newer)


@pytest.fixture
def fallback(record: UpgradeRecord) -> ModelVersion:
    return ModelVersionFactory(
        tracked_model=record.tracked_model, label="0.9.0", upstream_id="zeta-old"
    )


def approve(record: UpgradeRecord, actor: Actor, *, at: dt.datetime = NOW) -> UpgradeRecord:
    return decisions.approve(record_id=record.pk, actor=actor, now=at)


def current(record: UpgradeRecord) -> str:
    record.tracked_model.refresh_from_db()
    assert record.tracked_model.current_version is not None
    return record.tracked_model.current_version.upstream_id


class TestBeforeTheFirstStep:
    def test_open_begins_the_canary_and_the_step_keeps_what_was_said(
        self, record: UpgradeRecord, staff: Actor
    ) -> None:
        general(canary_steps=CANARY)
        approve(record, staff)
        assert not Canary.objects.exists()

        sweep(at=NOW)

        step = record.steps.get(after="canary")
        assert step.evidence["way_back"]["outcome"] == "open"
        assert step.evidence["way_back"]["asked_at"] == NOW.isoformat()
        assert "lists zeta-now" in step.reason

    def test_gone_moves_nothing_and_the_approval_falls(
        self, record: UpgradeRecord, staff: Actor, simulator: Simulator
    ) -> None:
        general(canary_steps=CANARY)
        simulator.world.remove("openai", "zeta-now")
        approve(record, staff)

        sweep(at=NOW)

        assert state(record) == "recommended"
        assert not record.approvals.standing().exists()
        assert "does not list zeta-now any more" in Notice.objects.open().get().sentence
        simulator.world.add("openai", "zeta-now")
        assert approve(record, staff, at=NOW + DAY).state == "approved"
        sweep(at=NOW + DAY)
        assert state(record) == "canary"
        assert not Notice.objects.open().exists()

    def test_retired_too_soon_by_what_the_provider_says_now(
        self, record: UpgradeRecord, staff: Actor
    ) -> None:
        general(canary_steps=CANARY)
        approve(record, staff)
        assert record.from_version is not None
        record.from_version.retires_on = (NOW + 2 * DAY).date()
        record.from_version.save()

        sweep(at=NOW)

        assert state(record) == "recommended"

    def test_a_fallback_that_answers_opens_it(
        self,
        record: UpgradeRecord,
        staff: Actor,
        simulator: Simulator,
        fallback: ModelVersion,
    ) -> None:
        general(tracked_model=record.tracked_model, canary_steps=CANARY, fallback_version=fallback)
        simulator.world.remove("openai", "zeta-now")
        approve(record, staff)

        sweep(at=NOW)

        assert state(record) == "canary"
        assert record.steps.get(after="canary").evidence["way_back"]["version"] == "zeta-old"

    def test_a_freeze_holds_a_first_step_that_could_not_be_made_at_once(
        self, record: UpgradeRecord, staff: Actor, simulator: Simulator
    ) -> None:
        general(canary_steps=CANARY)
        Freeze.objects.create(
            name="trade", starts_at=NOW - DAY, ends_at=NOW + 2 * DAY, made_by="ada"
        )
        approve(record, staff)
        simulator.fail("openai", "http_500")
        sweep(at=NOW)
        simulator.heal("openai")

        sweep(at=NOW + DAY)
        assert state(record) == "approved"
        sweep(at=NOW + 3 * DAY)
        assert state(record) == "canary"

    def test_a_freeze_does_not_hold_a_persons_own_move(
        self, record: UpgradeRecord, staff: Actor
    ) -> None:
        general(canary_steps=CANARY)
        Freeze.objects.create(name="trade", starts_at=NOW - DAY, ends_at=NOW + DAY, made_by="ada")
        approve(record, staff)

        sweep(at=NOW)

        assert state(record) == "canary"

    @pytest.mark.parametrize("fault", ["http_500", "not_json", "empty"])
    def test_no_answer_waits_and_asks_again(
        self, record: UpgradeRecord, staff: Actor, simulator: Simulator, fault: str
    ) -> None:
        general(canary_steps=CANARY)
        approve(record, staff)
        simulator.fail("openai", fault)
        sweep(at=NOW)
        assert state(record) == "approved"
        client = Client(headers={"authorization": f"Bearer {ApiKeyFactory().secret}"})
        model = record.tracked_model
        path = f"/api/model-versions/{model.provider.slug}/{model.name}/explain"
        told = client.get(path).json()
        assert "Nobody knows whether zeta-now still answers" in told["notices"][0]
        assert [rule["rule"] for rule in told["rules"] if not rule["ok"]][0] == "way_back"

        simulator.heal("openai")
        sweep(at=NOW + DAY)

        assert state(record) == "canary"

    def test_a_refused_key_moves_nothing(
        self, record: UpgradeRecord, staff: Actor, simulator: Simulator
    ) -> None:
        general(canary_steps=CANARY)
        simulator.fail("openai", "unauthorized")
        approve(record, staff)

        sweep(at=NOW)

        assert state(record) == "recommended"

    def test_what_goes_by_itself_is_not_approved_without_it(
        self, record: UpgradeRecord, simulator: Simulator
    ) -> None:
        general(automation="after_gates", canary_steps=CANARY)
        simulator.world.remove("openai", "zeta-now")

        for hour in range(3):
            sweep(at=NOW + hour * DAY / 24)

        assert (state(record), record.steps.count()) == ("recommended", 0)
        assert Notice.objects.count() == 1
        simulator.world.add("openai", "zeta-now")
        sweep(at=NOW + DAY)
        assert state(record) == "canary"

    def test_a_persons_move_at_once_settles_the_notice(
        self, record: UpgradeRecord, staff: Actor, simulator: Simulator
    ) -> None:
        general(automation="after_gates", minimum_improvement=0)
        measured(record, GOOD)
        simulator.world.remove("openai", "zeta-now")
        sweep(at=NOW)
        assert (state(record), Notice.objects.open().count()) == ("recommended", 1)

        approve(record, staff)

        assert (state(record), Notice.objects.open().count()) == ("completed", 0)

    def test_another_move_in_between_supersedes_it(
        self, record: UpgradeRecord, staff: Actor, fallback: ModelVersion
    ) -> None:
        general(canary_steps=CANARY)
        approve(record, staff)
        model = record.tracked_model
        type(model).objects.filter(pk=model.pk).update(current_version=fallback)

        sweep(at=NOW)

        assert state(record) == "superseded"


class TestRollingBack:
    """The earlier version is gone when it is wanted back."""

    def worse(self, record: UpgradeRecord, staff: Actor, simulator: Simulator) -> None:
        approve(record, staff)
        measured(record, BAD)
        simulator.world.remove("openai", "zeta-now")

    def test_in_the_watch_period_it_goes_to_the_fallback(
        self, record: UpgradeRecord, staff: Actor, simulator: Simulator, fallback: ModelVersion
    ) -> None:
        general(
            tracked_model=record.tracked_model, rollback_by_itself=True, fallback_version=fallback
        )
        self.worse(record, staff, simulator)

        sweep(at=NOW + DAY)

        assert (state(record), current(record)) == ("rolled_back", "zeta-old")
        back = UpgradeRecord.objects.get(origin="rollback")
        assert back.reverses == record
        assert "goes to the fallback of its policy" in back.steps.get().reason
        assert "1.0.0 is gone" in back.steps.get().reason

    def test_without_a_fallback_a_person_is_told(
        self, record: UpgradeRecord, staff: Actor, simulator: Simulator
    ) -> None:
        general(rollback_by_itself=True)
        self.worse(record, staff, simulator)

        sweep(at=NOW + DAY)

        assert (state(record), current(record)) == ("completed", "zeta-next")
        assert "No fallback" in Notice.objects.open().get(kind="worse").sentence

    def test_a_provider_that_is_down_keeps_nothing_from_going_back(
        self, record: UpgradeRecord, staff: Actor, simulator: Simulator
    ) -> None:
        general(rollback_by_itself=True)
        approve(record, staff)
        measured(record, BAD)
        simulator.fail("openai", "http_500")

        sweep(at=NOW + DAY)

        assert (state(record), current(record)) == ("rolled_back", "zeta-now")

    @pytest.mark.parametrize(("by_itself", "goes_to"), [(True, "zeta-old"), (False, "zeta-now")])
    def test_after_an_aborted_canary_a_dead_version_is_left(
        self,
        record: UpgradeRecord,
        staff: Actor,
        simulator: Simulator,
        fallback: ModelVersion,
        by_itself: bool,
        goes_to: str,
    ) -> None:
        general(
            tracked_model=record.tracked_model,
            canary_steps=CANARY,
            rollback_by_itself=by_itself,
            fallback_version=fallback,
        )
        approve(record, staff)
        sweep(at=NOW)
        measured(record, BAD, share=0.2)
        simulator.world.remove("openai", "zeta-now")

        sweep(at=NOW + DAY)

        assert (state(record), current(record)) == ("aborted", goes_to)
        assert Notice.objects.open().filter(kind="way_back").exists() is not by_itself


def test_auto_upgrade_says_that_the_way_back_is_asked_first(record: UpgradeRecord) -> None:
    general(canary_steps=CANARY)
    model = record.tracked_model

    asked = python_api.auto_upgrade(provider=model.provider.slug, model=model.name, now=NOW)

    assert not asked.upgraded
    assert "first the provider is asked for a way back" in asked.waits_for
