"""Applications that send samples and ask for moves, and don't give up before they are answered."""

import http.client
import itertools
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tests.hosts.cluster import MODELS, UPSTREAM, Cluster

WEBS = ("web1", "web2")
BATCH = 20
PATIENCE_S = 15.0
STOP_WITHIN_S = 90.0
"""Longer than the minute for which a crashed request keeps its Idempotency-Key."""

LOOK_EVERY_S = 0.3
IS_WORKED_ON = "request-in-flight"


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request ended. ``status`` is 0 where there was no answer, and ``why`` its error."""

    web: str
    status: int
    why: str
    at: float
    took_s: float


class Load:
    """Applications on one host, from ``begin`` to ``stop``; laws are about what they were told."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.accepted: list[str] = []
        """Ids of requests whose samples Hotswap said it has."""
        self.moved: defaultdict[str, list[str]] = defaultdict(list)
        """To which versions each model was moved, as the answers said it."""
        self.answers: list[Answer] = []
        self._broken: list[BaseException] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._numbers = itertools.count()
        self._ready = dict.fromkeys(WEBS, True)
        """As a balancer knows it, which asks /readyz."""

    def begin(self) -> None:
        self._stop.clear()
        looks = [partial(self._look, web) for web in WEBS]
        movers = [partial(self._move, name) for name in MODELS]
        for work in (*looks, *movers, self._send_samples, self._send_samples):
            self._threads.append(self.cluster.hosts["clients"].thread(partial(self._noted, work)))

    def stop(self) -> None:
        """Let each come to an answer, and end."""
        self._stop.set()
        last_moment = time.monotonic() + STOP_WITHIN_S
        for thread in self._threads:
            thread.join(max(0.0, last_moment - time.monotonic()))
            assert not thread.is_alive(), self.last_words()
        self._threads.clear()
        assert not self._broken, self._broken

    def _noted(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._broken.append(error)

    def since(self, moment: float, *, web: str = "") -> list[Answer]:
        """Return the answers from a monotonic moment on, of one web machine or of all."""
        return [each for each in self.answers if each.at >= moment and web in ("", each.web)]

    def summary(self) -> Counter[tuple[str, int, str]]:
        return Counter((each.web, each.status, each.why) for each in self.answers)

    def last_words(self) -> str:
        """Say what the latest requests came to, for a test that fails."""
        began = self.answers[0].at
        odd = [each for each in self.answers if each.status not in (200, 409)]
        lines = [
            f"{each.at - began:7.1f} s {each.web} {each.status} {each.why} {each.took_s:.1f} s"
            for each in odd[-40:]
        ]
        return "\n".join([f"no answer within {STOP_WITHIN_S} s", str(self.summary()), *lines])

    def _send_samples(self) -> None:
        while not self._stop.is_set():
            ids = [f"r{next(self._numbers)}" for _ in range(BATCH)]
            items = [
                {
                    "provider": "sim",
                    "model": MODELS[number % len(MODELS)],
                    "resolved_id": UPSTREAM[number % 2].format(MODELS[number % len(MODELS)]),
                    "task": "sums",
                    "request_id": request_id,
                    "latency_ms": 100 + number,
                    "quality": 0.9,
                    "time": datetime.now(UTC).isoformat(),
                }
                for number, request_id in enumerate(ids)
            ]
            self._until_answered("/api/performance-samples", items, {})
            self.accepted += ids
            time.sleep(0.1)

    def _move(self, name: str) -> None:
        """Move a model to its other version, time and again."""
        while not self._stop.wait(0.5):
            number = len(self.moved[name])
            wanted = UPSTREAM[(number + 1) % 2].format(name)
            body = {"upstream_id": wanted, "reason": "Asked for."}
            headers = {"Idempotency-Key": f"{name}-{number}"}
            address = f"/api/model-versions/sim/{name}/upgrade"
            said = self._until_answered(address, body, headers)
            assert said["to_version"]["upstream_id"] == wanted, said
            self.moved[name].append(wanted)

    def _until_answered(self, path: str, body: object, headers: dict[str, str]) -> Any:
        """Ask one web machine after the other; return what the first says that did it."""
        for turn in itertools.count(next(self._numbers)):
            web = WEBS[turn % 2]
            if not self._ready[web] and self._ready[WEBS[1 - turn % 2]]:
                continue
            began = time.monotonic()
            status, said, why = 0, None, ""
            try:
                status, said = self.cluster.ask(
                    web, path, body, headers=headers, within_s=PATIENCE_S
                )
            except (OSError, http.client.HTTPException) as error:
                why = type(error).__name__
            self.answers.append(Answer(web, status, why, began, time.monotonic() - began))
            if status and status < 300:
                return said
            is_worked_on = isinstance(said, dict) and said.get("code") == IS_WORKED_ON
            assert status in (0, 429, 503) or is_worked_on, f"{status}: {json.dumps(said)[:500]}"
            time.sleep(0.2)

    def _look(self, web: str) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            self._ready[web] = self.cluster.status(web, "/readyz", within_s=3) == 200
