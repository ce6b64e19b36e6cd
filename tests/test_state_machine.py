"""All actors at once, in any order, with crashes: the laws hold after each step.

``pytest -m slow``; HOTSWAP_MACHINE_STEPS says how many steps in all (10,000 unless set).
"""

import logging
import math
import os
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from providers.http.client import Client as HttpClient
from sample_world.simulator import Simulator
from tests.machine.course import Course
from tests.machine.world import PROVIDER_KEY

STEPS_IN_ALL = int(os.environ.get("HOTSWAP_MACHINE_STEPS", "10000"))
STEPS_OF_ONE_RUN = 200
SPARE = 1.1
"""Some runs end early."""

pytestmark = pytest.mark.django_db


@pytest.fixture
def watched(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Course]]:
    """The machine with its provider; everything that is logged comes by its watcher."""
    monkeypatch.setenv("MACHINE_KEY", PROVIDER_KEY)
    monkeypatch.setitem(HttpClient.__init__.__kwdefaults__, "sleep", lambda _: None)
    simulator.page_size = 100
    simulator.keys = frozenset({PROVIDER_KEY})
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.DEBUG)
    yield type("Watched", (Course,), {"simulator": simulator, "seen": Counter()})
    logger.setLevel(level)


def run(machine: type[Course], *, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=math.ceil(SPARE * steps / STEPS_OF_ONE_RUN) + 1,
            stateful_step_count=min(steps, STEPS_OF_ONE_RUN),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.seen["step"] >= steps


def test_the_laws_hold_after_each_of_a_few_steps(watched: type[Course]) -> None:
    run(watched, steps=60)


@pytest.mark.slow
def test_the_laws_hold_after_each_step(watched: type[Course]) -> None:
    run(watched, steps=STEPS_IN_ALL)
    sys.stdout.write(f"{dict(sorted(watched.seen.items()))}\n")  # shown by -rP
