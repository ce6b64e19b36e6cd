"""One world of each kind through a real server: samples posted over HTTP, ``compare`` read back."""

import datetime as dt
import json
import random
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from tests.factories import ApiKeyFactory, ModelVersionFactory, tracked

pytestmark = [pytest.mark.simulation, pytest.mark.django_db(transaction=True)]

ALONE, BESIDE = 30, 16
"""Days of the current version alone, then of both."""

Sample = dict[str, Any]
World = Callable[[random.Random, int, str], Sample]
"""Return a request's sample; the day counts from the first one of both, the side is a name."""

HOURS = {"current": (9, 21), "candidate": (9, 21)}


def scored(dice: random.Random, mean: float) -> float:
    return round(min(1.0, max(0.0, dice.gauss(mean, 0.15))), 4)


def plain(dice: random.Random, day: int, side: str) -> Sample:
    return {"quality": scored(dice, 0.75), "latency_ms": dice.lognormvariate(6.5, 0.4)}


def better(dice: random.Random, day: int, side: str) -> Sample:
    return {**plain(dice, day, side), "quality": scored(dice, 0.75 + 0.15 * (side == "candidate"))}


def easier_from_the_first_day_on(dice: random.Random, day: int, side: str) -> Sample:
    return {**plain(dice, day, side), "quality": scored(dice, 0.75 + 0.08 * (day >= 0))}


def trend(dice: random.Random, day: int, side: str) -> Sample:
    return {**plain(dice, day, side), "quality": scored(dice, 0.75 + 0.004 * day)}


def load(dice: random.Random, day: int, side: str) -> Sample:
    """Days are slow for both at times, and a few requests cost a hundred times the rest."""
    slow = 1 + 0.8 * (day % 5 == 0)
    return {
        **plain(dice, day, side),
        "latency_ms": slow * dice.lognormvariate(6.5, 0.4),
        "cost_usd": f"{0.0002 * dice.paretovariate(1.3):.6f}",
    }


def weekly(dice: random.Random, day: int, side: str) -> Sample:
    """Every seventh and sixth day is harder for both, and a task that only some days have."""
    return {
        **plain(dice, day, side),
        "quality": scored(dice, 0.75 - 0.15 * (day % 7 >= 5)),
        "task": "summarise" if day % 3 or dice.random() < 0.5 else "extract",
    }


def thumbs(dice: random.Random, day: int, side: str) -> Sample:
    """Feedback on three requests of ten from one side, on one of ten from the other."""
    signals: Sample = {"valid_output": True}
    if dice.random() < (0.3 if side == "current" else 0.1):
        signals["user_feedback"] = dice.choice([-1, 1, 1])
    return {"signals": signals, "latency_ms": dice.lognormvariate(6.5, 0.4)}


def failing(dice: random.Random, day: int, side: str) -> Sample:
    bad = dice.random() < (0.12 if side == "candidate" else 0.01)
    return {"error": "timeout"} if bad else plain(dice, day, side)


def slow(dice: random.Random, day: int, side: str) -> Sample:
    sample = plain(dice, day, side)
    return {**sample, "latency_ms": sample["latency_ms"] * (1.8 if side == "candidate" else 1)}


def decision(
    server: LiveServer,
    world: World,
    *,
    beside: bool = True,
    hours: dict[str, tuple[int, int]] = HOURS,
    per_day: int = 60,
) -> dict[str, Any]:
    """Post the world's samples of each side, and return what ``compare`` says."""
    dice = random.Random(world.__name__)
    model = tracked(name="writer", upstream_id="zeta-1", provider__slug="acme")
    ModelVersionFactory(tracked_model=model, label="2.0.0", upstream_id="zeta-2")
    key = ApiKeyFactory(scopes=["read", "ingest"]).secret
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)

    def call(path: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310
            f"{server.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    for day in range(-ALONE, BESIDE):
        samples = [
            {
                "task": "summarise",
                "cost_usd": "0.001",
                **world(dice, day, side),
                "provider": "acme",
                "model": "writer",
                "upstream_id": {"current": "zeta-1", "candidate": "zeta-2"}[side],
                "time": (
                    today
                    + dt.timedelta(days=day - BESIDE, hours=dice.uniform(*hours[side]))
                ).isoformat(),
            }
            for side in ("current", "candidate")
            if (side == "current" and (beside or day < 0)) or (side == "candidate" and day >= 0)
            for _ in range(per_day)
        ]  # fmt: skip
        assert call("/api/performance-samples", samples)["rejected"] == []
    found: dict[str, Any] = call("/api/model-versions/acme/writer/compare?to=2.0.0")
    return found


def test_a_better_version_is_called_so(live_server: LiveServer) -> None:
    found = decision(live_server, better, per_day=180)  # limits take more than quality does
    assert (found["verdict"], found["decision"]) == ("better", "UPGRADE"), found["sentence"]


@pytest.mark.parametrize(
    "world", [plain, easier_from_the_first_day_on, trend, load, weekly, thumbs]
)
def test_equal_versions_neither_move_nor_are_blocked(world: World, live_server: LiveServer) -> None:
    found = decision(live_server, world)
    assert found["verdict"] not in ("better", "worse"), found["sentence"]
    assert found["decision"] != "BLOCKED"


def test_a_missing_thumb_is_a_doubt(live_server: LiveServer) -> None:
    found = decision(live_server, thumbs)
    assert found["decision"] == "NOT ENOUGH EVIDENCE"
    assert found["details"]["warnings"], found["sentence"]


def test_sides_that_never_met_move_nothing(live_server: LiveServer) -> None:
    found = decision(live_server, easier_from_the_first_day_on, beside=False)
    assert found["decision"] == "NOT ENOUGH EVIDENCE"
    assert "before" in found["sentence"].lower()


def test_sides_that_serve_other_hours_move_nothing(live_server: LiveServer) -> None:
    hours = {"current": (0, 12), "candidate": (12, 24)}
    found = decision(live_server, better, hours=hours)
    assert found["decision"] == "NOT ENOUGH EVIDENCE", found["sentence"]


@pytest.mark.parametrize("world", [failing, slow])
def test_harm_is_blocked(world: World, live_server: LiveServer) -> None:
    assert decision(live_server, world)["decision"] == "BLOCKED"
