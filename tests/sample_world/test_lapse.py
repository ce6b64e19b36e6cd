"""The canary that fails before your eyes."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from providers.models import Provider
from sample_world import lapse, story
from sample_world import settings as demo
from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import ProviderFactory, UserFactory
from versioning.domain.transitions import State
from versioning.models import Notice, PerformanceSample
from versioning.services.actors import Actor
from versioning.services.checks import detection

pytestmark = pytest.mark.django_db


@pytest.fixture
def openai(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    for model_id in (story.PAIR, lapse.NEWER):
        simulator.world.add("openai", model_id)
    found = ProviderFactory(
        slug="openai",
        kind="openai",
        base_url=simulator.base_url("openai"),
        api_key_env="SIMULATED_KEY",
    )
    detection.run_checks(trigger="manual", now=timezone.now())
    return found


def test_it_is_stopped_within_90_seconds_by_what_its_requests_say(
    openai: Provider, staff: Actor
) -> None:
    now, pauses = timezone.now(), list[float]()

    record = lapse.begin(actor=staff, now=now)
    assert record.state == State.CANARY
    record = lapse.go_on(record_id=record.pk, now=now, pause=pauses.append)

    assert record.state == State.ABORTED
    assert record.evidence["decision"] == "BLOCKED"
    assert "quality" in record.steps.latest("pk").reason.lower()
    assert 5 <= len(pauses) <= lapse.HOURS
    assert sum(pauses) < 60  # the rest is for the work of an hour, and the worker's first look
    assert Notice.objects.get(record=record).kind == Notice.Kind.CANARY_ABORTED


def test_its_page_shows_hour_by_hour_what_came(
    openai: Provider, settings: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ROOT_URLCONF = demo.ROOT_URLCONF
    settings.TEMPLATES = demo.TEMPLATES
    monkeypatch.setattr(lapse, "SECONDS_AN_HOUR", 0)
    client.force_login(UserFactory(username="ada", is_staff=True, is_superuser=True))

    page = client.post("/admin/tour/time-lapse/", follow=True).content.decode()

    assert "Aborted" in page
    assert "Worse: quality" in page
    assert page.count('<th scope="row">') >= 5
    assert 'http-equiv="refresh"' not in page


def test_nothing_of_it_lies_in_the_future(openai: Provider, staff: Actor) -> None:
    now = timezone.now()
    record = lapse.begin(actor=staff, now=now)
    lapse.go_on(record_id=record.pk, now=now, pause=lambda seconds: None)

    assert PerformanceSample.objects.latest("at").at <= now
    assert all(step.at <= now for step in record.steps.all())
