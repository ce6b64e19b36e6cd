"""Workers that die on order, and a provider that counts what it charges."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from sample_world.simulator.speech import Request, Response, View, Voice
from sample_world.simulator.voices import VOICES
from tests.factories import NOW, ProviderFactory
from versioning.services import leases

SEED = 20_260_301


class Till:
    """The simulated provider's own book: what each question to each model has cost."""

    kind = "openai"

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.base_path, self.models = voice.base_path, voice.models
        self.charged: Counter[tuple[str, str]] = Counter()
        self.usd: Counter[tuple[str, str]] = Counter()

    def check_key(self, request: Request, view: View) -> None:
        self.voice.check_key(request, view)

    def error(self, status: int, message: str) -> Any:
        return self.voice.error(status, message)

    def answer(self, request: Request, view: View) -> Response:
        response = self.voice.answer(request, view)
        if request.method == "POST":
            asked = request.json["model"], request.json["messages"][-1]["content"]
            used = response.body["usage"]
            self.charged[asked] += 1
            self.usd[asked] += (used["prompt_tokens"] + 3 * used["completion_tokens"]) / Decimal(
                10**6
            )
        return response


class Workers:
    """Has workers work; most of them are killed at a seeded random place or moment."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.random = random.Random(SEED)
        self.places: dict[str, int] = {}
        self.kills = 0
        self.now = NOW

    def live(self, do: str, *, kill: bool, stage: str = "", **order: Any) -> bool:
        """Have one worker do something; return whether it was killed.

        Places are drawn from as many as the longest life at this stage had.
        """
        lasted = self.places.get(do + stage, 40)
        by_clock = kill and self.random.random() < 0.25
        order |= {
            "do": do,
            "now": self.now.isoformat(),
            "dies_at": self.random.randint(0, lasted) if kill and not by_clock else None,
            "dies_after_s": self.random.uniform(0.0, 0.2) if by_clock else None,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())
        if told["killed"]:
            self.kills += 1
            _wait_for_its_connections()
            # The next worker comes when the dead one's lease is over.
            self.now += leases.LEASE + timedelta(seconds=1)
            return True
        assert told["places"], f"The worker failed at {order}."
        self.places[do + stage] = max(self.places.get(do + stage, 0), int(told["places"]))
        return False


def _wait_for_its_connections() -> None:
    """Wait until the server has noticed: only then is it settled what was committed."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if cursor.fetchone() == (0,):
                return
            time.sleep(0.01)
    raise AssertionError("The dead worker's connection is still there after 5 s.")


@pytest.fixture
def workers(
    transactional_db: None, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workers]:
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kills.worker", str(connection.settings_dict["NAME"])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    yield Workers(process)
    process.communicate()


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch) -> Till:
    counting = Till(VOICES["openai"])
    monkeypatch.setitem(VOICES, "openai", counting)
    return counting


@pytest.fixture
def provider(till: Till, simulator: Simulator, workers: Workers) -> Any:
    return ProviderFactory(
        slug="sim",
        kind="openai",
        base_url=simulator.base_url("openai"),
        api_key_env="SIMULATED_KEY",
    )
