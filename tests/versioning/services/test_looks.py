"""What each look showed stays: at canaries, at watches, and at what waits for a decision."""

import datetime as dt

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import NOW, ApiKeyFactory, ProviderFactory, UpgradeRecordFactory, tracked
from tests.versioning.services.test_course import BAD, GOOD, STEPS, general, measured, samples
from versioning import tasks
from versioning.models import (
    EvaluationRun,
    EvaluationSuite,
    FrozenSuite,
    Look,
    UpgradeRecord,
)
from versioning.services.actors import Actor
from versioning.services.upgrades import canary, decisions, recommendation, rollout

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
EVERY = dt.timedelta(minutes=5)


@pytest.fixture
def on_canary(staff: Actor, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> UpgradeRecord:
    """A canary that began now, of a model whose provider answers."""
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    simulator.world.add("openai", "zeta-1")
    provider = ProviderFactory(
        base_url=simulator.base_url("openai"), api_key_env="SIMULATED_KEY", kind="openai"
    )
    general(canary_steps=STEPS, watch_days=7)
    record = UpgradeRecordFactory(tracked_model=tracked(provider=provider))
    decisions.approve(record_id=record.pk, actor=staff, now=NOW)
    rollout.carry_on(now=NOW)
    Look.objects.all().delete()
    return record


def traffic(record: UpgradeRecord, *, at: dt.datetime) -> None:
    """Report a request or two of each version in the hour before a moment."""
    assert record.from_version is not None
    samples(record.from_version, GOOD, at=at - DAY, number=2, lasts=HOUR)
    samples(record.to_version, GOOD, at=at - DAY, number=1, lasts=HOUR)


def layers(record: UpgradeRecord) -> list[dict[str, object]]:
    api = Client(headers={"authorization": f"Bearer {ApiKeyFactory().secret}"})
    address = f"/api/model-versions/upgrade-recommendations/{record.pk}/evidence"
    found: list[dict[str, object]] = []
    while address:
        answer = api.get(address)
        assert answer.status_code == 200, answer.content
        found += answer.json()["results"]
        address = answer.json()["next"]
    return found


def test_a_busy_canary_keeps_a_look_an_hour_and_each_that_is_news(
    on_canary: UpgradeRecord,
) -> None:
    at = NOW
    while at < NOW + 3 * HOUR:
        traffic(on_canary, at=at)
        rollout.carry_on(now=at)
        at += EVERY

    looks = list(on_canary.looks.order_by("at"))
    assert looks[0].is_news
    quiet = [look.at for look in looks if not look.is_news]
    assert 2 <= len(quiet) <= 3
    assert len(looks) <= 6
    assert all(b - a >= HOUR for a, b in zip(quiet, quiet[1:], strict=False))


def test_figures_that_stay_as_they_are_make_no_second_look(on_canary: UpgradeRecord) -> None:
    for hours in range(30):
        rollout.carry_on(now=NOW + hours * HOUR)

    assert on_canary.looks.count() == 1


def test_a_harmful_canary_ends_with_the_look_that_ended_it(on_canary: UpgradeRecord) -> None:
    measured(on_canary, BAD, share=0.2)

    rollout.carry_on(now=NOW + 2 * HOUR)

    look = on_canary.looks.get()
    assert (look.outcome, look.position) == ("abort", 0)
    shown = layers(on_canary)[0]
    assert (shown["kind"], shown["outcome"]) == ("look", "abort")
    assert shown["evidence"] == look.evidence
    assert shown["evidence_hash"] == on_canary.steps.get(after="aborted").evidence_hash


def test_a_persons_stop_keeps_what_was_to_be_seen(on_canary: UpgradeRecord, staff: Actor) -> None:
    measured(on_canary, BAD, share=0.2)

    canary.abort(record_id=on_canary.pk, actor=staff, now=NOW + HOUR, reason="Users complain.")

    look = on_canary.looks.get()
    assert (look.outcome, look.says) == ("abort", "Users complain.")
    assert look.evidence["verdict"] == "worse"


def test_one_page_and_one_address_keep_all_layers_the_newest_first(
    on_canary: UpgradeRecord, admin_client: Client
) -> None:
    measured(on_canary, GOOD, share=0.2)
    for hours in (24, 26):
        rollout.carry_on(now=NOW + hours * HOUR)
    on_canary.refresh_from_db()
    assert on_canary.state == "completed"
    for days in (2, 9, 32):
        with time_machine.travel(NOW + days * DAY, tick=False):
            tasks.carry_on()

    found = layers(on_canary)
    assert [each["kind"] for each in found[:2]] == ["report", "report"]
    stages = {str(each["title"]) for each in found}
    assert {"canary", "watch", "report after 7 days", "report after 30 days"} <= stages
    moments = [str(each["measured_at"]) for each in found]
    assert moments == sorted(moments, reverse=True)

    page = admin_client.get(
        reverse("admin:versioning_upgraderecord_evidence", args=[on_canary.pk])
    ).content.decode()
    assert page.count("measured <time") == len(found)
    assert "on 480 and 480 scores" not in page
    assert page.index("Report after 30 days") < page.index("Watch") < page.index("Canary, step 2")


def test_what_waits_keeps_what_it_was_recommended_on(admin_client: Client) -> None:
    record = UpgradeRecordFactory(tracked_model=tracked())
    measured(record, GOOD)
    recommendation.refresh_evidence(record_id=record.pk, now=NOW + DAY)
    samples(record.to_version, BAD, at=NOW + DAY, number=2400)
    recommendation.refresh_evidence(record_id=record.pk, now=NOW + 2 * DAY)

    verdicts = [each["evidence"]["verdict"] for each in layers(record)]
    assert len(verdicts) == 2
    assert verdicts[0] != verdicts[1]


def test_looks_without_news_go_with_the_samples_and_the_others_stay(
    on_canary: UpgradeRecord,
) -> None:
    for hours in range(4):
        traffic(on_canary, at=NOW + hours * HOUR)
        rollout.carry_on(now=NOW + hours * HOUR)
    kept = set(on_canary.looks.filter(is_news=True).values_list("pk", flat=True))
    assert on_canary.looks.filter(is_news=False).exists()

    with time_machine.travel(NOW + 89 * DAY, tick=False):
        tasks.tidy_samples()
    assert on_canary.looks.filter(is_news=False).exists()
    with time_machine.travel(NOW + 91 * DAY, tick=False):
        tasks.tidy_samples()

    assert set(Look.objects.values_list("pk", flat=True)) == kept


def finished(record: UpgradeRecord, name: str, *, ended_at: dt.datetime) -> EvaluationRun:
    suite = EvaluationSuite.objects.create(name=name, scorers=["number"], max_tokens=20)
    frozen = FrozenSuite.objects.create(
        suite=suite, digest=name, content={}, case_count=2, frozen_at=NOW
    )
    return EvaluationRun.objects.create(
        frozen=frozen, from_version=record.from_version, to_version=record.to_version,
        state="done", asked_by="ada", created_at=ended_at, ended_at=ended_at, total=4,
        estimated_tokens=9, estimated_seconds=1, verdict="better", sentence=f"{name}: better",
    )  # fmt: skip


def test_of_tests_those_count_that_it_rests_on_and_those_since() -> None:
    record = UpgradeRecordFactory(tracked_model=tracked())
    began = record.recommended_at
    finished(record, "of an earlier offer", ended_at=began - 9 * DAY)
    known = finished(record, "known then", ended_at=began - DAY)
    finished(record, "since", ended_at=began + DAY)
    record.evidence = {"tests": [{"run": known.pk, "suite": "known then"}]}
    record.save(update_fields=["evidence"])

    shown = [str(each["title"]) for each in layers(record) if each["kind"] == "tests"]

    assert shown == ["tests: since", "tests: known then"]
