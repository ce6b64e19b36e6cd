"""A server that hangs costs one call its time limit, and no call after it anything."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hotswap_client import Current, Hotswap, NoAnswer
from hotswap_client import server as hotswap_server

from tests.providers.conftest import Script, ScriptedServer, answer

INTEGRATIONS = Path(__file__).parents[2] / "integrations"
LIMIT_S = 0.4
AT_ONCE_S = 0.15
VERSION = {"upstream_id": "zeta-1", "label": "1.0.0", "revision": ""}


@pytest.fixture
def hang(scripted: ScriptedServer) -> Iterator[Script]:
    """An answer that never comes, until the test is over."""
    over = threading.Event()

    def script(handler: BaseHTTPRequestHandler) -> None:
        over.wait(30)
        handler.close_connection = True

    yield script
    over.set()


@pytest.fixture
def asked(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hotswap]:
    """A client of a server whose answers hold for no time."""
    monkeypatch.setattr(hotswap_server, "FIRST_PAUSE_S", 0.05)
    client = Hotswap(scripted.url, api_key="hs_x", cache_dir=None, timeout_s=LIMIT_S)
    yield client
    client.close(0)


def timed(call: Callable[[], Current]) -> tuple[Current, float]:
    began = time.monotonic()
    return call(), time.monotonic() - began


def version(upstream_id: str) -> Script:
    return answer({"version": {**VERSION, "upstream_id": upstream_id}})


class TestAServerThatHangs:
    def test_costs_the_time_limit_once_whatever_is_asked(
        self, asked: Hotswap, scripted: ScriptedServer, hang: Script
    ) -> None:
        scripted.script = hang
        questions: list[dict[str, str]] = [{}, *({"key": f"user {n}"} for n in range(20))]
        took = [
            timed(lambda q=q, m=m: asked.current("acme", m, default="own", **q))[1]  # type: ignore[misc]
            for m in ("writer", "reader")
            for q in questions
        ]
        assert took[0] < LIMIT_S * 2
        assert max(took[1:]) < AT_ONCE_S

    def test_holds_up_calls_that_wait_at_the_same_time_no_longer_than_the_first(
        self, asked: Hotswap, scripted: ScriptedServer, hang: Script
    ) -> None:
        scripted.script = hang
        took: list[float] = []

        def ask(number: int) -> None:
            time.sleep(number * LIMIT_S / 5)
            took.append(
                timed(lambda: asked.current("acme", "m", key=str(number), default="own"))[1]
            )

        began = time.monotonic()
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < LIMIT_S * 2
        assert min(took) < LIMIT_S / 2

    def test_is_asked_again_in_the_background_and_found_when_it_is_back(
        self, asked: Hotswap, scripted: ScriptedServer, hang: Script
    ) -> None:
        scripted.script = hang
        with pytest.raises(NoAnswer):
            asked.current("acme", "writer")
        scripted.script = version("zeta-2")
        deadline = time.monotonic() + 10
        while asked.current("acme", "writer", default="own").stale:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert asked.current("acme", "writer").upstream_id == "zeta-2"

    def test_that_drips_is_no_better(self, asked: Hotswap, scripted: ScriptedServer) -> None:
        def drip(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.end_headers()
            for _ in range(20):
                handler.wfile.write(b" ")
                time.sleep(LIMIT_S / 4)

        scripted.script = drip
        assert timed(lambda: asked.current("acme", "m", default="own"))[1] < LIMIT_S * 2

    def test_doesn_t_hold_up_an_exit(self, scripted: ScriptedServer, hang: Script) -> None:
        scripted.script = hang
        program = f"""
import time
from hotswap_client import Hotswap
hotswap = Hotswap({scripted.url!r}, api_key="hs_x", cache_dir=None, timeout_s={LIMIT_S})
hotswap.current("acme", "writer", default="own")
hotswap.score(hotswap.record(model="m"), quality=1)
print(time.time())
"""
        done = subprocess.run(
            [sys.executable, "-c", program], check=True, cwd=INTEGRATIONS, timeout=30,
            capture_output=True, text=True,
        )  # fmt: skip
        assert time.time() - float(done.stdout) < LIMIT_S + 1  # and the interpreter's own end


class TestAKeyedQuestionFallsBack:
    def test_to_its_own_last_answer_and_then_to_the_one_without_a_key(
        self, asked: Hotswap, scripted: ScriptedServer
    ) -> None:
        scripted.script = version("for all")
        asked.current("acme", "writer")
        scripted.script = version("for user 1")
        asked.current("acme", "writer", key="user 1")
        scripted.script = answer({}, 503)
        got = {key: asked.current("acme", "writer", key=key) for key in ("user 1", "user 2")}
        assert {key: (c.upstream_id, c.stale) for key, c in got.items()} == {
            "user 1": ("for user 1", True),
            "user 2": ("for all", True),
        }

    def test_to_what_the_disk_keeps_after_a_restart(
        self, scripted: ScriptedServer, tmp_path: Path
    ) -> None:
        scripted.script = version("for all")
        first = Hotswap(scripted.url, api_key="hs_x", cache_dir=tmp_path)
        first.current("acme", "writer")
        scripted.script = answer({}, 401)
        again = Hotswap(scripted.url, api_key="hs_y", cache_dir=tmp_path)
        current = again.current("acme", "writer", key="user 1", default="own")
        assert (current.upstream_id, current.stale) == ("for all", True)


def test_one_model_that_isn_t_there_says_nothing_of_the_others(
    asked: Hotswap, scripted: ScriptedServer
) -> None:
    scripted.script = answer({"detail": "There is no model."}, 404)
    assert asked.current("acme", "nobody", default="own").upstream_id == "own"
    scripted.script = version("zeta-1")
    assert not asked.current("acme", "writer").stale
