"""A worker that dies where it is told to: ``python -m tests.kills.worker DATABASE``.

It reads an order a line, as JSON, and forks a worker for each: so every worker is a process of
its own with its own connections, and starts in no time.
"""

import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import django
import requests.adapters

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from versioning.services.actors import Actor  # noqa: E402
from versioning.services.checks import detection  # noqa: E402
from versioning.services.errors import AlreadyMoved  # noqa: E402
from versioning.services.evaluation import running  # noqa: E402
from versioning.services.samples import rollups  # noqa: E402
from versioning.services.upgrades import decisions, python_api, rollout  # noqa: E402


class Places:
    """Counts the places where a worker may die: on both sides of each statement and request."""

    def __init__(self, *, dies_at: int | None) -> None:
        self.dies_at = dies_at
        self.passed = itertools.count()
        self.last = 0

    def here(self) -> None:
        self.last = next(self.passed)
        if self.last == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
            threading.Event().wait()  # no thread goes any further

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def placed(*args: Any, **kwargs: Any) -> Any:
            self.here()
            result = act(*args, **kwargs)
            self.here()
            return result

        return placed

    def statement(self, execute: Callable[..., Any], *args: Any) -> Any:
        return self.around(execute)(*args)


def evaluate(order: dict[str, Any], now: datetime) -> None:
    running.carry_out_open_runs(clock=lambda: now)


def approve(order: dict[str, Any], now: datetime) -> None:
    """Do what a client asks that repeats its request until it has an answer."""
    with suppress(AlreadyMoved):
        decisions.approve(record_id=order["record"], actor=Actor(kind="api", name="shop"), now=now)


def sweep(order: dict[str, Any], now: datetime) -> None:
    """Do what the scheduled tasks do, one after the other."""
    rollout.wake_snoozed(now=now)
    python_api.upgrade_by_policy(now=now)
    rollout.carry_on(now=now)
    running.carry_out_open_runs(clock=lambda: now)
    rollups.fold(now=now)


def check(order: dict[str, Any], now: datetime) -> None:
    detection.run_checks(trigger="staff", now=now)


def take_up(order: dict[str, Any], now: datetime) -> None:
    detection.take_up(now=now)


DOES = {
    "evaluate": evaluate,
    "approve": approve,
    "sweep": sweep,
    "check": check,
    "take up": take_up,
}


def live(order: dict[str, Any]) -> int:
    """Do an order and return how many places it passed, unless it dies at one."""
    places = Places(dies_at=order["dies_at"])
    adapter = requests.adapters.HTTPAdapter
    adapter.send = places.around(adapter.send)  # type: ignore[method-assign]
    with connection.execute_wrapper(places.statement):
        DOES[order["do"]](order, datetime.fromisoformat(order["now"]))
    connection.close()
    return places.last


def serve() -> None:
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = sys.argv[1]
    for line in sys.stdin:
        order = json.loads(line)
        reads, writes = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reads)
            try:
                os.write(writes, str(live(order)).encode())
            finally:
                os._exit(0)
        os.close(writes)
        timer = None
        if order["dies_after_s"] is not None:
            timer = threading.Timer(order["dies_after_s"], os.kill, (child, signal.SIGKILL))
            timer.start()
        with os.fdopen(reads) as pipe:
            told = pipe.read()
        if timer is not None:
            timer.cancel()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        sys.stdout.write(json.dumps({"killed": killed, "places": told}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
