"""The course of an upgrade: approvals, canary, watch period, and what holds it."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from providers.models import Provider
from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import (
    NOW,
    ApiKeyFactory,
    ProviderFactory,
    UpgradeRecordFactory,
    UserFactory,
    tracked,
)
from versioning.domain.memory import Wake, WakeKind
from versioning.domain.transitions import ALLOWED, State
from versioning.models import (
    Canary,
    CatalogueEntry,
    EvaluationCase,
    EvaluationRun,
    EvaluationSuite,
    Freeze,
    LineageRule,
    ModelVersion,
    Notice,
    Policy,
    UpgradeRecord,
    Watch,
)
from versioning.services import serving
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, AnotherUnderWay, Invalid, NotAllowed
from versioning.services.evaluation import control
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn
from versioning.services.upgrades import (
    approvals,
    canary,
    decisions,
    explaining,
    memory,
    policies,
    python_api,
    recommendation,
    rollout,
)

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
STEPS = [{"weight": 20, "hours": 1}, {"weight": 50, "hours": 1}]
GOOD, BAD = (0.9, 0.92, 0.88), (0.2, 0.22, 0.18)


def general(**fields: object) -> Policy:
    return Policy.objects.create(**fields)


def samples(
    version: ModelVersion,
    qualities: Iterable[float],
    *,
    at: dt.datetime,
    number: int,
    lasts: dt.timedelta = 10 * DAY,
) -> None:
    """Report so many requests that the version served in a time that ends a day after a moment."""
    cycle = list(qualities)
    model = version.tracked_model
    items = [
        SampleIn(
            provider=model.provider.slug,
            model=model.name,
            resolved_id=version.upstream_id,
            quality=cycle[n % len(cycle)],
            latency_ms=100.0 + n % 7,
            cost_usd=Decimal("0.001"),
            time=at + DAY - lasts + n * int(lasts / HOUR) // number * HOUR,
        )
        for n in range(number)
    ]
    assert ingestion.accept(items, api_key_id=None, now=at + DAY).accepted == number


def measured(
    record: UpgradeRecord, new: Iterable[float], *, at: dt.datetime = NOW, share: float = 0.5
) -> None:
    """Report ten days of both versions side by side, the earlier one at a quality of 0.7.

    ``share`` is that of the new one: in a canary, the step's weight.
    """
    assert record.from_version is not None
    samples(record.from_version, (0.7, 0.72, 0.68), at=at, number=round(2400 * (1 - share)))
    samples(record.to_version, new, at=at, number=round(2400 * share))


def hours(version: ModelVersion, scores: Iterable[float], *, number: int) -> None:
    """Report requests of the two hours after the canary began."""
    samples(version, scores, at=NOW + 2 * HOUR - DAY, number=number, lasts=2 * HOUR)


def approve(record: UpgradeRecord, actor: Actor, *, at: dt.datetime = NOW) -> UpgradeRecord:
    return decisions.approve(record_id=record.pk, actor=actor, now=at)


def state(record: UpgradeRecord) -> str:
    record.refresh_from_db()
    return str(record.state)


def sweep(*, at: dt.datetime) -> None:
    python_api.upgrade_by_policy(now=at)
    rollout.carry_on(now=at)


def served(record: UpgradeRecord, key: str = "") -> str:
    model = record.tracked_model
    answer = serving.current(provider=model.provider.slug, name=model.name, now=NOW, key=key)
    return answer.version.label


@pytest.fixture
def provider(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A simulated provider, which is asked for the way back."""
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    simulator.world.add("openai", "zeta-1")
    return ProviderFactory(
        base_url=simulator.base_url("openai"), api_key_env="SIMULATED_KEY", kind="openai"
    )


@pytest.fixture
def record(provider: Provider) -> UpgradeRecord:
    return UpgradeRecordFactory(tracked_model=tracked(provider=provider))


class TestPolicy:
    """A model's own policy over its provider's over the general one over what is built in."""

    def test_what_is_left_empty_comes_from_above(self, record: UpgradeRecord) -> None:
        model = record.tracked_model
        general(approvals_needed=3, watch_days=1, minimum_age_days=9)
        general(provider=model.provider, watch_days=2, minimum_age_days=8)
        own = general(tracked_model=model, minimum_age_days=0)

        found = policies.resolve(tracked=model)

        assert found.policy.approvals_needed == 3
        assert found.policy.watch_days == 2
        assert found.policy.minimum_age_days == 0
        assert found.policy.approval_days == 3
        assert found.set_by["minimum_age_days"] == own
        assert "approval_days" not in found.set_by

    def test_another_providers_policy_does_not_count(self, record: UpgradeRecord) -> None:
        general(provider=tracked().provider, approvals_needed=5)

        assert policies.resolve(tracked=record.tracked_model).policy.approvals_needed == 1


class TestByItself:
    """What a policy lets go by itself goes, and each rule that stops it is named."""

    @pytest.fixture
    def ready(self, record: UpgradeRecord) -> UpgradeRecord:
        """A recommendation whose evidence is good, and a policy that lets it go."""
        general(automation="after_gates")
        measured(record, GOOD)
        return record

    def explain(self, record: UpgradeRecord) -> dict[str, bool]:
        found = explaining.explain(tracked_model=record.tracked_model, at=NOW)
        return {row.rule: row.ok for row in found.rows}

    def test_it_goes_when_nothing_stops_it(self, ready: UpgradeRecord) -> None:
        assert set(self.explain(ready).values()) == {True}

        sweep(at=NOW)

        assert state(ready) == "completed"
        assert ready.steps.get(after="completed").actor_kind == "scheduler"

    @pytest.mark.parametrize(
        ("policy", "stops"),
        [
            ({"automation": "never"}, "automation"),
            ({"automation": "on_request"}, "automation"),
            ({"automation": "near_retirement"}, "automation"),
            ({"steps_allowed": ["snapshot"]}, "step"),
            ({"minimum_age_days": 3}, "age"),
            ({"minimum_improvement": "0.5"}, "evidence"),
            ({"max_latency_rise": "0", "minimum_improvement": "9"}, "evidence"),
            ({"approvals_needed": 2}, "approvals"),
            ({"windows": [{"days": ["mon"], "from": "09:00", "to": "10:00"}]}, "window"),
        ],
    )
    def test_a_policy_stops_it(
        self, ready: UpgradeRecord, policy: dict[str, object], stops: str
    ) -> None:
        general(tracked_model=ready.tracked_model, **policy)

        assert self.explain(ready)[stops] is False
        sweep(at=NOW)
        assert state(ready) == "recommended"

    def test_a_pin_a_freeze_and_the_switch_stop_it(self, ready: UpgradeRecord) -> None:
        model = ready.tracked_model
        model.pinned, model.pin_reason = True, "Audit"
        model.save()
        Freeze.objects.create(name="Christmas", starts_at=NOW - DAY, ends_at=NOW + DAY)
        policies.switch_automation(on=False, reason="Outage", actor=Actor.command(), now=NOW)

        ready.refresh_from_db()
        found = explaining.explain(tracked_model=ready.tracked_model, at=NOW)

        said = {row.rule: row.sentence for row in found.rows if not row.ok}
        assert set(said) == {"pinned", "freeze", "switch"}
        assert "Audit" in said["pinned"]
        assert "Christmas" in said["freeze"]
        assert "Outage" in said["switch"]
        sweep(at=NOW)
        assert state(ready) == "recommended"

    def test_only_so_many_a_day(self, ready: UpgradeRecord) -> None:
        Policy.objects.update(max_per_day=1)
        provider = ready.tracked_model.provider
        other = UpgradeRecordFactory(tracked_model=tracked(provider=provider))
        measured(other, GOOD)

        sweep(at=NOW)
        assert sorted([state(ready), state(other)]) == ["completed", "recommended"]

        sweep(at=NOW + 2 * HOUR)
        assert "recommended" in (state(ready), state(other))
        sweep(at=NOW + DAY + HOUR)
        assert (state(ready), state(other)) == ("completed", "completed")

    def test_no_way_back_stops_it_unless_a_fallback_is_named(
        self, ready: UpgradeRecord, simulator: Simulator
    ) -> None:
        before = ready.from_version
        assert before is not None
        before.retires_on = (NOW + 3 * DAY).date()
        before.save()
        sweep(at=NOW)
        assert state(ready) == "recommended"
        assert self.explain(ready)["way_back"] is False

        other = UpgradeRecordFactory(tracked_model=ready.tracked_model, state="superseded")
        simulator.world.add("openai", other.to_version.upstream_id)
        general(tracked_model=ready.tracked_model, fallback_version=other.to_version)
        sweep(at=NOW)

        assert state(ready) == "completed"

    def test_without_evidence_a_client_is_told(self, record: UpgradeRecord) -> None:
        model = record.tracked_model

        result = python_api.auto_upgrade(provider=model.provider.slug, model=model.name, now=NOW)

        assert not result.upgraded
        assert "At least 10% better is asked for." in result.waits_for

    def test_the_command_says_which_rule_stops_it(
        self, ready: UpgradeRecord, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Policy.objects.update(automation="never")
        model = ready.tracked_model

        call_command("explain", model.provider.slug, model.name)

        said = capsys.readouterr().out
        assert "stops  automation" in said
        assert "policy of everything" in said


class TestApprovals:
    """As many people as the policy says; the one who asked only where it says so."""

    @pytest.fixture
    def grace(self, db: None) -> Actor:
        return Actor.of_user(UserFactory(username="grace"))

    def test_two_people(self, record: UpgradeRecord, staff: Actor, grace: Actor) -> None:
        general(approvals_needed=2)

        assert approve(record, staff).state == "recommended"
        with pytest.raises(AlreadyMoved, match="somebody else"):
            approve(record, staff)
        assert approve(record, grace).state == "completed"

    def test_a_key_is_not_two_people(self, record: UpgradeRecord) -> None:
        general(approvals_needed=2)
        client = Client(headers={"authorization": f"Bearer {ApiKeyFactory().secret}"})

        answer = client.post(
            f"/api/model-versions/upgrade-recommendations/{record.pk}/approve",
            {},
            content_type="application/json",
        )

        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")

    def test_the_one_who_asked_waits_for_somebody_else(
        self, record: UpgradeRecord, staff: Actor, grace: Actor
    ) -> None:
        general(requester_may_approve=False)
        UpgradeRecord.objects.filter(pk=record.pk).update(state="superseded")
        asked = decisions.request_upgrade(
            tracked=record.tracked_model,
            to_version=str(record.to_version_id),
            actor=staff,
            now=NOW,
        )
        assert asked.state == "recommended"

        with pytest.raises(NotAllowed):
            approve(asked, staff)
        assert approve(asked, grace).state == "completed"

    def test_an_approval_falls_when_the_evidence_says_something_else(
        self, record: UpgradeRecord, staff: Actor, grace: Actor
    ) -> None:
        general(approvals_needed=2)
        approve(record, staff)
        UpgradeRecord.objects.filter(pk=record.pk).update(evidence={"decision": "blocked"})
        record.refresh_from_db()

        assert approvals.fall(record=record, now=NOW) == 1
        assert Notice.objects.open().get().kind == "approval_fell"
        assert approve(record, grace).state == "recommended"


class TestCanary:
    """Keys move step by step, as far as the evidence goes."""

    @pytest.fixture
    def trial(self, record: UpgradeRecord, staff: Actor) -> UpgradeRecord:
        general(canary_steps=STEPS)
        assert approve(record, staff).state == "approved"
        sweep(at=NOW)
        record.refresh_from_db()
        return record

    def share(self, record: UpgradeRecord) -> set[str]:
        """Return the keys that get the new version."""
        keys = [f"user-{n}" for n in range(400)]
        return {key for key in keys if served(record, key) == record.to_version.label}

    def test_a_good_one_goes_step_by_step(self, trial: UpgradeRecord) -> None:
        assert trial.state == "canary"
        few = self.share(trial)
        assert 50 <= len(few) <= 110
        assert served(trial) == "1.0.0"

        sweep(at=NOW + 2 * HOUR)
        assert self.share(trial) == few
        measured(trial, GOOD, share=0.2)
        sweep(at=NOW + DAY)
        many = self.share(trial)
        assert few < many
        assert 150 <= len(many) <= 250
        sweep(at=NOW + DAY + HOUR / 2)
        assert state(trial) == "canary"
        sweep(at=NOW + DAY + HOUR)

        assert state(trial) == "completed"
        assert served(trial) == served(trial, "user-1") == trial.to_version.label
        assert Watch.objects.open().get().record == trial

    def test_current_over_the_api(self, trial: UpgradeRecord) -> None:
        client = Client(headers={"authorization": f"Bearer {ApiKeyFactory().secret}"})
        model = trial.tracked_model
        path = f"/api/model-versions/{model.provider.slug}/{model.name}/current"
        inside = min(self.share(trial))

        without, within = client.get(path), client.get(path, {"key": inside})

        assert without.json()["version"]["label"] == "1.0.0"
        assert without.json()["canary"]["weight"] == 0.2
        assert within.json()["version"]["label"] == trial.to_version.label
        assert within.json()["canary"] is None
        assert without["ETag"] != within["ETag"]

    def test_a_worse_one_goes_back_at_once(self, trial: UpgradeRecord) -> None:
        measured(trial, BAD, share=0.2)

        sweep(at=NOW + DAY)

        assert state(trial) == "aborted"
        assert not self.share(trial)
        assert Notice.objects.open().get().kind == "canary_aborted"
        assert trial.evidence["verdict"] == "worse"

    @pytest.mark.parametrize(
        ("new", "number", "came_to", "says"),
        [
            (GOOD, 120, 1, "No harm seen in 120 samples, which is all that the policy asks."),
            ((0.7, 0.72, 0.68), 120, 1, "No harm seen in 120 samples"),
            (GOOD, 20, 0, "20 of the 30 samples"),
            (GOOD, 60, 0, "100 requests a side are needed"),
            ((0.6, 0.62, 0.58), 120, 0, "quality is lower as measured"),
        ],
    )
    def test_a_step_of_hours_passes_where_harm_could_be_seen_and_is_not(
        self,
        record: UpgradeRecord,
        staff: Actor,
        new: Iterable[float],
        number: int,
        came_to: int,
        says: str,
    ) -> None:
        general(canary_steps=[{"weight": 20, "hours": 3}, {"weight": 50}], canary_asks="no_harm")
        approve(record, staff)
        sweep(at=NOW)
        record.refresh_from_db()
        assert record.from_version is not None
        hours(record.from_version, (0.7, 0.72, 0.68), number=4 * number)
        hours(record.to_version, new, number=number)

        sweep(at=NOW + 2 * HOUR)
        assert Canary.objects.get().position == 0
        sweep(at=NOW + 4 * HOUR)

        assert Canary.objects.get().position == came_to
        assert says in Canary.objects.get().says

    def test_steps_of_hours_are_stopped_by_great_harm(
        self, record: UpgradeRecord, staff: Actor
    ) -> None:
        general(canary_steps=[{"weight": 20, "hours": 3}, {"weight": 50}], canary_asks="no_harm")
        approve(record, staff)
        sweep(at=NOW)
        record.refresh_from_db()
        assert record.from_version is not None
        hours(record.from_version, (0.7, 0.72, 0.68), number=240)
        hours(record.to_version, (0.1, 0.12, 0.08), number=60)

        sweep(at=NOW + 2 * HOUR)

        assert state(record) == "aborted"

    def test_what_is_not_worse_waits_for_its_days(self, trial: UpgradeRecord) -> None:
        assert trial.from_version is not None
        hours(trial.from_version, (0.7, 0.72, 0.68), number=240)
        hours(trial.to_version, GOOD, number=60)

        sweep(at=NOW + 30 * HOUR)

        assert (state(trial), Canary.objects.get().position) == ("canary", 0)

    def test_no_data_waits_and_pauses_at_the_deadline(self, trial: UpgradeRecord) -> None:
        sweep(at=NOW + 13 * DAY)
        assert state(trial) == "canary"
        assert Canary.objects.get().paused_at is None
        for _ in range(2):
            sweep(at=NOW + 14 * DAY)

        assert Canary.objects.get().paused_at == NOW + 14 * DAY
        assert Notice.objects.open().count() == 1
        found = explaining.explain(tracked_model=trial.tracked_model, at=NOW)
        assert "No request has used the new version" in " ".join(found.notices)

    def test_a_person_lets_a_paused_one_go_on(self, trial: UpgradeRecord, staff: Actor) -> None:
        sweep(at=NOW + 14 * DAY)
        canary.resume(record_id=trial.pk, actor=staff, now=NOW + 15 * DAY)
        measured(trial, GOOD, share=0.2, at=NOW + 15 * DAY)

        sweep(at=NOW + 16 * DAY)

        assert Canary.objects.get().position == 1
        assert not Notice.objects.open().exists()

    def test_two_looks_at_once_make_one_step(self, trial: UpgradeRecord) -> None:
        measured(trial, GOOD, share=0.2)

        for _ in range(3):
            canary.evaluate(record_id=trial.pk, now=NOW + DAY)

        assert Canary.objects.get().position == 1

    def test_a_wrong_split_pauses_it_at_once_and_tells_a_person(
        self, trial: UpgradeRecord, staff: Actor
    ) -> None:
        """Half of the requests reach the new version, which was meant to get 20 %."""
        measured(trial, GOOD, at=NOW + HOUR)
        client = Client(headers={"authorization": f"Bearer {ApiKeyFactory().secret}"})
        model = trial.tracked_model

        sweep(at=NOW + DAY)

        address = f"/api/model-versions/{model.provider.slug}/{model.name}/compare"
        shown = client.get(address, {"to": trial.to_version.label}).json()
        assert shown["decision"] == "NOT ENOUGH EVIDENCE"
        codes = [warning["code"] for warning in shown["details"]["warnings"]]
        assert codes == ["sample_ratio_mismatch"]
        assert Canary.objects.get().paused_at == NOW + DAY
        assert state(trial) == "canary"
        told = Notice.objects.open().get()
        assert told.kind == "canary_paused"
        assert "got 50.0% of the requests instead of 20.0%" in told.sentence

        canary.resume(record_id=trial.pk, actor=staff, now=NOW + 2 * DAY)
        sweep(at=NOW + 2 * DAY + HOUR)
        assert Canary.objects.get().paused_at is None

    def test_requests_of_an_earlier_step_are_no_wrong_split(self, trial: UpgradeRecord) -> None:
        measured(trial, GOOD, share=0.2)
        sweep(at=NOW + DAY)
        assert Canary.objects.get().position == 1

        sweep(at=NOW + DAY + HOUR / 2)

        assert Canary.objects.get().paused_at is None

    def test_a_clock_that_goes_back_only_waits(self, trial: UpgradeRecord) -> None:
        measured(trial, GOOD, share=0.2)

        sweep(at=NOW - 30 * DAY)

        assert (state(trial), Canary.objects.get().position) == ("canary", 0)

    def test_a_step_waits_for_a_person(self, record: UpgradeRecord, staff: Actor) -> None:
        general(canary_steps=[{"weight": 20, "approval": True}])
        approve(record, staff)
        sweep(at=NOW)
        measured(record, GOOD, share=0.2)
        sweep(at=NOW + DAY)
        assert state(record) == "canary"

        canary.approve_step(record_id=record.pk, actor=staff, now=NOW + DAY)
        sweep(at=NOW + DAY)

        assert state(record) == "completed"

    def hold(self, trial: UpgradeRecord, by: str) -> None:
        if by == "pin":
            type(trial.tracked_model).objects.update(pinned=True)
        if by == "freeze":
            Freeze.objects.create(name="Audit", starts_at=NOW - DAY, ends_at=NOW + 3 * DAY)
        if by == "switch":
            policies.switch_automation(on=False, reason="?", actor=Actor.command(), now=NOW)

    @pytest.mark.parametrize("by", ["pin", "freeze", "switch"])
    def test_what_holds_it_holds_the_next_step(self, trial: UpgradeRecord, by: str) -> None:
        self.hold(trial, by)
        measured(trial, GOOD, share=0.2)

        sweep(at=NOW + DAY)

        assert (state(trial), Canary.objects.get().position) == ("canary", 0)

    @pytest.mark.parametrize("by", ["pin", "freeze", "switch"])
    def test_nothing_holds_the_way_back(self, trial: UpgradeRecord, by: str) -> None:
        self.hold(trial, by)
        measured(trial, BAD, share=0.2)

        sweep(at=NOW + DAY)

        assert state(trial) == "aborted"

    def test_a_person_stops_it(self, trial: UpgradeRecord, staff: Actor) -> None:
        with pytest.raises(Invalid):
            canary.abort(record_id=trial.pk, actor=staff, now=NOW, reason=" ")

        canary.abort(record_id=trial.pk, actor=staff, now=NOW, reason="Odd answers.")

        assert state(trial) == "aborted"
        assert not self.share(trial)

    @pytest.mark.parametrize("way", ["good samples", "bad samples", "a person"])
    def test_every_end_keeps_what_the_samples_said_then(
        self, trial: UpgradeRecord, staff: Actor, way: str
    ) -> None:
        measured(trial, GOOD if way == "good samples" else BAD, share=0.2)
        if way == "a person":
            canary.abort(record_id=trial.pk, actor=staff, now=NOW + DAY, reason="Odd answers.")
        else:
            sweep(at=NOW + DAY)
            sweep(at=NOW + DAY + HOUR)

        last = trial.steps.latest("pk")
        trial.refresh_from_db()
        assert last.before == "canary"
        assert State(last.after) in ALLOWED[State.CANARY]
        assert last.evidence["verdict"] == ("better" if way == "good samples" else "worse")
        assert last.evidence_hash == trial.evidence_hash != ""
        assert (trial.evidence, trial.evidence_at) == (last.evidence, last.at)

    def test_samples_that_cannot_be_compared_keep_nobody_from_stopping_it(
        self, trial: UpgradeRecord, staff: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        UpgradeRecord.objects.filter(pk=trial.pk).update(
            evidence={"verdict": "better"}, evidence_hash="known before"
        )

        def fail(**_: object) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT no_such_column FROM versioning_upgraderecord")

        monkeypatch.setattr(policies, "evidence", fail)

        canary.abort(record_id=trial.pk, actor=staff, now=NOW, reason="Odd answers.")

        last = trial.steps.latest("pk")
        assert (last.after, last.evidence) == ("aborted", {"verdict": "better"})
        assert last.evidence_hash == "known before"
        assert not self.share(trial)

    def test_it_begins_not_where_the_way_back_is_closed(
        self, record: UpgradeRecord, staff: Actor
    ) -> None:
        general(canary_steps=STEPS)
        ModelVersion.objects.filter(pk=record.from_version_id).update(gone_at=NOW)

        with pytest.raises(rollout.NoWayBack, match="no longer listed"):
            approve(record, staff)

        assert (state(record), record.steps.count()) == ("recommended", 0)

    def test_one_at_a_time(self, trial: UpgradeRecord, staff: Actor) -> None:
        other = UpgradeRecordFactory(tracked_model=trial.tracked_model)

        with pytest.raises(AnotherUnderWay):
            approve(other, staff)

    def test_auto_upgrade_says_at_each_stop_what_it_waits_for(self, record: UpgradeRecord) -> None:
        general(canary_steps=STEPS)
        model = record.tracked_model
        wish = {"provider": model.provider.slug, "model": model.name, "now": NOW}

        first = python_api.auto_upgrade(**wish)
        sweep(at=NOW)
        second = python_api.auto_upgrade(**wish)

        assert "asked for a way back" in first.waits_for
        assert "canary with 20% of the keys" in second.waits_for
        assert state(record) == "canary"


class TestWatch:
    """A completed move is watched; worse goes back where the policy says so, else is told."""

    def test_worse_is_told(self, record: UpgradeRecord, staff: Actor) -> None:
        approve(record, staff)
        measured(record, BAD)

        sweep(at=NOW + DAY)
        sweep(at=NOW + DAY)

        assert state(record) == "completed"
        assert Watch.objects.get().result == "worse"
        assert Notice.objects.open().get().kind == "worse"

    def test_worse_goes_back_by_itself(self, record: UpgradeRecord, staff: Actor) -> None:
        general(rollback_by_itself=True)
        approve(record, staff)
        measured(record, BAD)

        sweep(at=NOW + DAY)
        sweep(at=NOW + DAY)

        assert state(record) == "rolled_back"
        assert served(record) == "1.0.0"
        assert Watch.objects.get().result == "rolled_back"
        assert UpgradeRecord.objects.filter(origin="rollback").count() == 1

    def test_a_freeze_keeps_it_from_going_back_and_a_person_is_told(
        self, record: UpgradeRecord, staff: Actor
    ) -> None:
        general(rollback_by_itself=True)
        Freeze.objects.create(name="Audit", starts_at=NOW - DAY, ends_at=NOW + 3 * DAY)
        approve(record, staff)
        measured(record, BAD)

        sweep(at=NOW + DAY)

        assert state(record) == "completed"
        assert "Audit" in Notice.objects.open().get().sentence

    @pytest.mark.parametrize(("qualities", "result"), [(GOOD, "good"), (None, "no_data")])
    def test_it_ends(
        self, record: UpgradeRecord, staff: Actor, qualities: object, result: str
    ) -> None:
        approve(record, staff)
        if qualities:
            measured(record, GOOD)

        sweep(at=NOW + 6 * DAY)
        assert Watch.objects.open().exists()
        sweep(at=NOW + 7 * DAY)

        assert Watch.objects.get().result == result

    def test_another_move_ends_it(self, record: UpgradeRecord, staff: Actor) -> None:
        approve(record, staff)
        decisions.roll_back(
            tracked_model_id=record.tracked_model_id, actor=staff, now=NOW, reason="Worse."
        )

        sweep(at=NOW + DAY)

        assert Watch.objects.get().result == "overtaken"

    def test_promised_against_real_after_7_and_30_days(
        self, record: UpgradeRecord, staff: Actor
    ) -> None:
        UpgradeRecord.objects.filter(pk=record.pk).update(evidence={"improvement": "0.5"})
        approve(record, staff)
        measured(record, GOOD)

        for days in (6, 7, 8, 29, 30, 31):
            sweep(at=NOW + days * DAY)

        reports = record.outcome_reports.order_by("after_days")
        assert [report.after_days for report in reports] == [7, 30]
        assert "promised +50%, it is +29%" in reports[0].sentence


class TestMemory:
    """A rejection with a wake-up rule is asked again when its time has come, not before."""

    def again(self, record: UpgradeRecord, *, at: dt.datetime = NOW) -> bool:
        record.refresh_from_db()
        assert record.from_version is not None
        return memory.may_be_offered_again(
            decided=[record], current=record.from_version, version=record.to_version, now=at
        )

    def reject(self, record: UpgradeRecord, actor: Actor, wake: Wake | None) -> None:
        decisions.reject(record_id=record.pk, actor=actor, now=NOW, reason="Not now.", wake=wake)

    def test_never_without_a_rule(self, record: UpgradeRecord, staff: Actor) -> None:
        self.reject(record, staff, None)
        assert not self.again(record, at=NOW + 999 * DAY)

    def test_from_a_date(self, record: UpgradeRecord, staff: Actor) -> None:
        until = (NOW + 5 * DAY).date()
        self.reject(record, staff, Wake(kind=WakeKind.UNTIL, until=until))
        assert not self.again(record, at=NOW + 4 * DAY)
        assert self.again(record, at=NOW + 5 * DAY)

    def test_when_the_price_falls(self, record: UpgradeRecord, staff: Actor) -> None:
        version = record.to_version
        version.input_price = version.output_price = Decimal(5)
        version.save()
        wake = Wake(kind=WakeKind.PRICE, price_falls_by=Decimal("0.2"))
        self.reject(record, staff, wake)
        ModelVersion.objects.filter(pk=version.pk).update(output_price=Decimal("3.01"))
        assert not self.again(record)
        ModelVersion.objects.filter(pk=version.pk).update(output_price=3)
        assert self.again(record)

    def test_when_retirement_is_near(self, record: UpgradeRecord, staff: Actor) -> None:
        self.reject(record, staff, Wake(kind=WakeKind.RETIREMENT, days=10))
        assert not self.again(record)
        retires = (NOW + 20 * DAY).date()
        ModelVersion.objects.filter(pk=record.from_version_id).update(retires_on=retires)
        assert not self.again(record)
        assert self.again(record, at=NOW + 11 * DAY)

    def test_a_woken_version_is_recommended_again(
        self, record: UpgradeRecord, staff: Actor
    ) -> None:
        model = record.tracked_model
        for version in (record.from_version, record.to_version):
            assert version is not None
            CatalogueEntry.objects.create(
                provider=model.provider,
                upstream_id=version.upstream_id,
                first_seen_at=NOW,
                last_seen_at=NOW,
            )
        LineageRule.objects.create(
            tracked_model=model, kind="successor", pattern=record.to_version.upstream_id
        )
        until = (NOW + 5 * DAY).date()
        self.reject(record, staff, Wake(kind=WakeKind.UNTIL, until=until))

        asked = [
            recommendation.recommend(tracked_model_id=model.pk, now=NOW + days * DAY)
            for days in (4, 5)
        ]

        assert asked[0] is None
        assert asked[1] is not None
        assert asked[1].to_version == record.to_version


class TestTests:
    """Suites that the policy names come first; what they say decides."""

    @pytest.fixture
    def tested(self, record: UpgradeRecord, staff: Actor) -> UpgradeRecord:
        suite = EvaluationSuite.objects.create(
            name="answers", scorers=["exact"], budget_tokens=100_000
        )
        EvaluationCase.objects.create(
            suite=suite,
            key="sum",
            content={"messages": [{"role": "user", "content": "2 + 2?"}], "expected": "4"},
        )
        general(required_suites=["answers"])
        return approve(record, staff)

    def end(self, record: UpgradeRecord, verdict: str) -> None:
        EvaluationRun.objects.filter(record=record).update(
            state="done", verdict=verdict, sentence="It was measured."
        )

    def test_it_waits_for_its_tests(self, tested: UpgradeRecord) -> None:
        sweep(at=NOW + HOUR)

        assert state(tested) == "testing"

    def test_passed_is_completed(self, tested: UpgradeRecord) -> None:
        self.end(tested, "not_worse")
        sweep(at=NOW + HOUR)

        assert state(tested) == "completed"

    @pytest.mark.parametrize(
        ("unsure", "ends"), [("", "testing"), ("passes", "completed"), ("fails", "failed")]
    )
    def test_one_that_cant_tell_does_what_the_policy_says(
        self, tested: UpgradeRecord, unsure: str, ends: str
    ) -> None:
        Policy.objects.update(unsure_tests=unsure)
        self.end(tested, "not_enough_data")
        sweep(at=NOW + HOUR)

        assert state(tested) == ends

    @pytest.mark.parametrize(("passes", "ends"), [(True, "completed"), (False, "failed")])
    def test_a_person_rules_on_one_that_cant_tell(
        self, tested: UpgradeRecord, staff: Actor, passes: bool, ends: str
    ) -> None:
        self.end(tested, "not_enough_data")
        run = EvaluationRun.objects.get(record=tested)
        control.rule(run_id=run.pk, passes=passes, actor=staff, now=NOW)
        sweep(at=NOW + HOUR)

        assert state(tested) == ends
        assert f"{staff.name} ruled that it" in tested.steps.order_by("pk").last().reason

    def test_failed_moves_nothing(self, tested: UpgradeRecord) -> None:
        self.end(tested, "worse")
        sweep(at=NOW + HOUR)

        assert state(tested) == "failed"
        assert served(tested) == "1.0.0"
        assert Notice.objects.open().get().kind == "tests_failed"

    def test_a_suite_that_is_missing_keeps_it_where_it_is(
        self, record: UpgradeRecord, staff: Actor
    ) -> None:
        general(required_suites=["no such"])

        with pytest.raises(Invalid, match="no such"):
            approve(record, staff)

        assert state(record) == "recommended"
