"""The worked example, through the public doors: a provider over HTTP, the API, the admin."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sample_world.simulator import Simulator
from sample_world.simulator.cast import WORKED_EXAMPLE, worked_example_successor
from sample_world.simulator.server import KEY
from tests.factories import ApiKeyFactory, UserFactory

pytestmark = pytest.mark.django_db

START = date(2026, 1, 1)
MODEL = "/api/model-versions/openrouter/qwen-2.5-7b-instruct"
RECOMMENDATIONS = "/api/model-versions/upgrade-recommendations"
DAILY = 32
TRIAL_DAYS = 10
TRIAL = 96
A_DAYS_WORK = timedelta(hours=20)


class Application:
    """It asks for the current version, and reports what its requests gave."""

    def __init__(self) -> None:
        self.client = Client(headers={"authorization": f"Bearer {ApiKeyFactory().secret}"})

    def get(self, address: str) -> Any:
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def current(self) -> str:
        return str(self.get(f"{MODEL}/current")["version"]["label"])

    def report(self, *, upstream_id: str, quality: float, count: int) -> None:
        """Send scores in pairs around the quality, of two tasks in turn."""
        now = timezone.now()
        samples = [
            {
                "provider": "openrouter",
                "model": "qwen-2.5-7b-instruct",
                "upstream_id": upstream_id,
                "task": ("summarise", "extract")[number // 2 % 2],
                "quality": round(quality + (0.1 if number % 2 else -0.1), 3),
                "latency_ms": 600 + number % 7,
                "cost_usd": "0.0001",
                "time": (now - A_DAYS_WORK * number / count).isoformat(),
            }
            for number in range(count)
        ]
        answer = self.client.post(
            "/api/performance-samples", {"samples": samples}, content_type="application/json"
        )
        assert answer.status_code in (200, 201, 202), answer.content
        assert answer.json()["accepted"] == count


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    monkeypatch.setenv("WORKED_EXAMPLE_KEY", KEY)
    with Simulator(start=START, page_size=100) as simulator:
        yield simulator


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(UserFactory(username="ada", is_staff=True, is_superuser=True))
    return client


def check() -> dict[str, Any]:
    out = StringIO()
    call_command("check_providers", "--json", stdout=out)
    return dict(json.loads(out.getvalue())[0])


def decide(admin: Client, *, record_id: int, name: str, **data: str) -> None:
    """Read the page that says what a decision will do, then make it."""
    url = reverse(f"admin:versioning_upgraderecord_{name}", args=[record_id])
    page = admin.post(url)
    assert page.status_code == 200
    seen = {
        f"evidence-{card['brief'].record.pk}": card["brief"].record.evidence_hash
        for card in page.context["cards"]
    }
    assert admin.post(url, {"confirmed": name, **seen, **data}).status_code == 302


def live_a_month(world: Simulator, clock: time_machine.Traveller, app: Application) -> None:
    """Thirty days at quality 0.75, each with a check that finds nothing for the model."""
    call_command(
        "add_provider",
        "openrouter",
        kind="openrouter",
        base_url=world.base_url("openrouter"),
        api_key_env="WORKED_EXAMPLE_KEY",
        stdout=StringIO(),
    )
    check()
    call_command(
        "track", "openrouter", WORKED_EXAMPLE, name="qwen-2.5-7b-instruct", stdout=StringIO()
    )
    for day in range(1, 31):
        world.set_day(day)
        clock.shift(timedelta(days=1))
        assert check()["recommended"] == 0
        app.report(upstream_id=WORKED_EXAMPLE, quality=0.75, count=DAILY)


def test_a_month_then_a_snapshot_then_a_move_and_back(world: Simulator, admin: Client) -> None:
    app = Application()
    with time_machine.travel(f"{START:%F}T12:00:00+00:00", tick=False) as clock:
        live_a_month(world, clock, app)
        assert app.current() == "1.0.0"
        assert app.get(RECOMMENDATIONS)["results"] == []

        world.set_day(31)
        clock.shift(timedelta(days=1))
        assert check()["recommended"] == 1
        successor = worked_example_successor(START)
        for day in range(32, 32 + TRIAL_DAYS):
            app.report(upstream_id=WORKED_EXAMPLE, quality=0.75, count=DAILY)
            app.report(upstream_id=successor, quality=0.85, count=TRIAL)
            world.set_day(day)
            clock.shift(timedelta(days=1))
        check()
        (waiting,) = app.get(RECOMMENDATIONS)["results"]
        assert waiting["to_version"]["label"] == "1.1.0"
        assert waiting["to_version"]["upstream_id"] == successor
        assert "0.75 → 0.85" in waiting["evidence"]["sentence"]
        assert "+13 %" in waiting["evidence"]["sentence"]
        assert "side by side on 11 days" in waiting["evidence"]["sentence"]
        assert waiting["evidence"]["verdict"] == "better", waiting["evidence"]["sentence"]
        assert app.current() == "1.0.0"  # nothing moves by itself

        decide(admin, record_id=waiting["id"], name="approve", reason="Better on our work.")
        assert app.current() == "1.1.0"
        newest, first = app.get(f"{MODEL}/history")["results"]
        assert [newest["version"]["label"], first["version"]["label"]] == ["1.1.0", "1.0.0"]
        assert float(newest["performance"]["total"]["quality"]) == pytest.approx(0.85)
        assert float(first["performance"]["total"]["quality"]) == pytest.approx(0.75)

        decide(admin, record_id=waiting["id"], name="roll_back", reason="Tables break.")
        assert app.current() == "1.0.0"
        kinds = [
            (move["origin"], move["state"]) for move in app.get(f"{MODEL}/upgrades")["results"]
        ]
        assert kinds == [
            ("rollback", "completed"),
            ("detection", "rolled_back"),
            ("tracking", "completed"),
        ]
