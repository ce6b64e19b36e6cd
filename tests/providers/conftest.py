"""Fixtures for everything that asks providers over real HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from providers.http import Limits
from providers.http.remembered import remembered
from providers.kinds.bedrock.voice import ACCESS_KEY_ID
from sample_world.simulator import Simulator
from sample_world.simulator.faults import Faults
from sample_world.simulator.script import new_world

HERE = Path(__file__).parent
NOW = datetime(2025, 2, 1, 2, 0, tzinfo=UTC)
TIGHT = Limits(connect_s=1, read_s=0.3, total_s=1, max_bytes=100_000)

Script = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture(scope="session")
def _running_simulator() -> Iterator[Simulator]:
    with Simulator() as server:
        yield server


@pytest.fixture
def sim(_running_simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """The simulated providers with the demo's world, as new for each test."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    _running_simulator.world = new_world()
    _running_simulator.day = 0
    _running_simulator.faults = Faults()
    _running_simulator.forget_requests()
    remembered.clear()
    return _running_simulator


class ScriptedServer(ThreadingHTTPServer):
    """A server that answers as one function says, and counts what it was asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ScriptedHandler)
        self.script: Script = lambda handler: None
        self.seen: list[dict[str, str]] = []
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up in these tests."""


class _ScriptedHandler(BaseHTTPRequestHandler):
    server: ScriptedServer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.bodies.append(body)
        self.server.seen.append(
            {"path": self.path, **{k.lower(): v for k, v in self.headers.items()}}
        )
        self.server.script(self)

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    yield from serve()


@pytest.fixture
def other_server() -> Iterator[ScriptedServer]:
    yield from serve()


def serve() -> Iterator[ScriptedServer]:
    """Yield a running server, and end it afterwards."""
    with ScriptedServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def answer(body: Any = None, status: int = 200, **headers: str) -> Script:
    """Return a script that always answers this; underscores in header names become hyphens."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()

    def script(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(payload)))
        handler.end_headers()
        handler.wfile.write(payload)

    return script


def in_turn(*scripts: Script) -> Script:
    """Return a script that follows the given ones, and stays with the last."""
    left = list(scripts)

    def script(handler: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return script


def read_fixture(kind: str, name: str) -> Any:
    """Return an answer made from the documented shape."""
    return json.loads((HERE / kind / f"{name}.json").read_text())
