"""Reporting never blocks or raises, keeps to its bounds, and loses nothing it could send."""

import gzip
import json
import multiprocessing
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hotswap_client import Current, Hotswap, NoAnswer

from tests.providers.conftest import ScriptedServer, answer, in_turn

INTEGRATIONS = Path(__file__).parents[2] / "integrations"
NOWHERE = "http://127.0.0.1:9"


def took(count: int) -> dict[str, Any]:
    return {"accepted": count, "duplicates": 0, "rejected": []}


def client(url: str, **more: Any) -> Hotswap:
    return Hotswap(url, api_key="hs_x", cache_dir=None, **more)


def samples_in(server: ScriptedServer) -> list[str]:
    """Return the request ids of every sample that came in, in their order."""
    batches = [json.loads(gzip.decompress(body)) for body in server.bodies]
    return [sample["request_id"] for batch in batches for sample in batch]


class TestBounds:
    def test_a_full_buffer_drops_the_new_and_counts_it(self) -> None:
        full = client(NOWHERE, capacity=10)
        ids = [full.record(model="m") for _ in range(50)]
        assert len(set(ids)) == 50
        assert full.stats.queued <= 10
        assert full.stats.queued + full.stats.dropped == 50
        assert full.close(0) is False
        assert full.stats.dropped == 50

    def test_nothing_is_taken_after_the_end(self) -> None:
        closed = client(NOWHERE)
        assert closed.close()
        closed.record(model="m")
        assert closed.stats.dropped == 1

    def test_no_value_makes_it_raise(self) -> None:
        class Bad:
            def __str__(self) -> str:
                raise RuntimeError("no text")

        odd = client(NOWHERE)
        assert odd.record(model=Bad())
        odd.record(model="m", tags={1: {2: object()}}, latency_ms="soon")
        odd.score("r-1", quality=float("inf"), signals={"retries": Bad()})
        assert (odd.stats.dropped, odd.score_stats.dropped) == (1, 1)
        odd.close(0)

    def test_a_thread_that_can_t_start_is_a_drop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
        bare = client(NOWHERE)
        bare.record(model="m")
        assert bare.stats.dropped == 1


class TestSending:
    def test_a_busy_server_is_asked_again_and_nothing_is_lost(
        self, scripted: ScriptedServer
    ) -> None:
        scripted.script = in_turn(answer({}, 503), answer(took(2)))
        asked = client(scripted.url)
        ids = [asked.record(model="m") for _ in range(2)]
        assert asked.flush(10)
        assert samples_in(scripted) == ids * 2
        assert asked.stats.accepted == 2
        asked.close()

    def test_a_batch_that_is_refused_whole_is_sent_in_parts(self, scripted: ScriptedServer) -> None:
        def script(handler: BaseHTTPRequestHandler) -> None:
            batch = json.loads(gzip.decompress(scripted.bodies[-1]))
            bad = any(sample["model"] == "bad" for sample in batch)
            answer({} if bad else took(len(batch)), 400 if bad else 200)(handler)

        scripted.script = script
        asked = client(scripted.url)
        for number in range(20):
            asked.record(model="bad" if number == 13 else "good")
        assert asked.flush(10)
        assert (asked.stats.accepted, asked.stats.dropped) == (19, 1)
        asked.close()

    def test_samples_go_without_being_asked_for(self, scripted: ScriptedServer) -> None:
        came = threading.Event()

        def script(handler: BaseHTTPRequestHandler) -> None:
            answer(took(1))(handler)
            came.set()

        scripted.script = script
        asked = client(scripted.url, every_s=0.01)
        for _ in range(3):  # the second and third find the thread asleep
            came.clear()
            asked.record(model="m")
            assert came.wait(10)
        asked.close()

    def test_what_is_queued_is_sent_at_exit(self, scripted: ScriptedServer) -> None:
        scripted.script = answer(took(1))
        program = f"""
from hotswap_client import Hotswap
hotswap = Hotswap({scripted.url!r}, api_key="hs_x", cache_dir=None, every_s=60)
hotswap.record(model="m", request_id="last words")
"""
        subprocess.run([sys.executable, "-c", program], check=True, cwd=INTEGRATIONS, timeout=30)
        assert samples_in(scripted) == ["last words"]

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_forked_worker_sends_its_own(self, scripted: ScriptedServer) -> None:
        scripted.script = answer(took(1))
        shared = client(scripted.url, every_s=60)
        shared.record(model="m", request_id="parent")

        def work() -> None:
            shared.record(model="m", request_id="child")
            shared.flush(10)

        worker = multiprocessing.get_context("fork").Process(target=work)
        worker.start()
        worker.join(20)
        assert shared.flush(10)
        assert sorted(samples_in(scripted)) == ["child", "parent"]
        shared.close()


class TestWithoutAnAnswer:
    def test_there_is_no_version_to_use(self) -> None:
        with pytest.raises(NoAnswer, match="No earlier answer"):
            client(NOWHERE).current("acme", "writer")

    def test_the_application_s_own_default_is_used(self) -> None:
        current = client(NOWHERE).current("acme", "writer", default="zeta-0")
        assert current == Current("zeta-0", "", "", stale=True)

    @pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"version": {}}', b"\xff"])
    def test_an_answer_out_of_shape_is_none(self, body: bytes, scripted: ScriptedServer) -> None:
        scripted.script = answer(body)
        with pytest.raises(NoAnswer):
            client(scripted.url).current("acme", "writer")

    def test_a_server_that_is_down_is_not_asked_by_every_request(
        self, scripted: ScriptedServer
    ) -> None:
        version = {"upstream_id": "zeta-1", "label": "1.0.0", "revision": ""}
        scripted.script = in_turn(answer({"version": version}), answer({}, 500))
        asked = client(scripted.url)
        got = [asked.current("acme", "writer", key="user 1") for _ in range(10)]
        assert [current.stale for current in got] == [False] + [True] * 9
        assert len(scripted.seen) == 2
        assert scripted.seen[0]["path"].endswith("/current?key=user+1")

    def test_a_redirect_never_carries_the_key_away(self, scripted: ScriptedServer) -> None:
        scripted.script = answer({}, 302, Location=f"{scripted.url}/elsewhere")
        with pytest.raises(NoAnswer):
            client(scripted.url).current("acme", "writer")
        assert len(scripted.seen) == 1


@pytest.mark.parametrize("key", ["", "hs_a\nb", "hs_é"])
def test_a_key_that_can_t_be_one_is_refused_unsaid(key: str) -> None:
    with pytest.raises(ValueError, match="api_key") as caught:
        Hotswap(NOWHERE, api_key=key)
    assert not key or key not in str(caught.value)
