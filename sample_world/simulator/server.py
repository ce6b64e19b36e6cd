"""The simulator's server: one port, a folder for each provider."""

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from sample_world.simulator import faults
from sample_world.simulator.control import control
from sample_world.simulator.faults import Fault, Faults, Scope
from sample_world.simulator.script import new_world
from sample_world.simulator.speech import Refusal, Request, Response, View, Voice
from sample_world.simulator.voices import VOICES
from sample_world.simulator.world import FIRST_DAY, World, WorldModel

KEY = "simulated-key"
"""The key that every simulated provider takes."""

LONGEST_LOG = 10_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that came in. Header names are in lower case."""

    kind: str
    method: str
    path: str
    headers: Mapping[str, str]
    status: int


class Simulator:
    """Providers for tests and the demo: ``with Simulator() as simulator: ...``.

    ``day`` counts from ``start``; ``keys`` are what providers take as their key;
    ``latency_ms`` delays every chat, ``list_latency_ms`` every other answer.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        day: int = 0,
        start: date = FIRST_DAY,
        keys: Iterable[str] = (KEY,),
        page_size: int = 5,
        latency_ms: float = 0.0,
        list_latency_ms: float = 0.0,
    ) -> None:
        self.day = day
        self.world: World = new_world(start)
        self.keys = frozenset(keys)
        self.page_size = page_size
        self.latency_ms = latency_ms
        self.list_latency_ms = list_latency_ms
        self.faults = Faults()
        self._seen: deque[Seen] = deque(maxlen=LONGEST_LOG)
        self._server = _Server((host, port), _Handler)
        self._server.simulator = self
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def catalogue(self) -> World:
        """The world, to edit: ``add``, ``remove`` and ``change`` a kind's models."""
        return self.world

    def base_url(self, kind: str) -> str:
        """Return the base URL to give a provider of this kind."""
        host = self._server.server_address[0]
        return f"http://{host!s}:{self.port}/{kind}{VOICES[kind].base_path}"

    def set_day(self, day: int) -> None:
        self.day = day

    def quality(self, kind: str, model_id: str, task: str) -> float:
        """Return today's share of right answers, 0..1."""
        return self.world.quality(kind, model_id, task, self.day)

    def models(self, kind: str) -> tuple[WorldModel, ...]:
        """Return what the provider lists today."""
        return self.world.models(kind, self.day)

    def fail(self, kind: str, mode: str, *, scope: Scope = "all", **more: Any) -> None:
        """Spoil the provider's answers until ``heal``; ``more`` is as in Fault."""
        self.faults.set(kind, Fault(mode, scope, **more))

    def heal(self, kind: str) -> None:
        self.faults.heal(kind)

    def requests(self, kind: str) -> list[Seen]:
        """Return the requests to a provider, oldest first."""
        return [seen for seen in self._seen if seen.kind == kind]

    def counts(self) -> Counter[str]:
        """Return how many requests each provider got."""
        return Counter(seen.kind for seen in self._seen)

    def forget_requests(self) -> None:
        self._seen.clear()

    def start(self) -> Self:
        """Serve from a thread of its own until ``stop``."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        return self

    def serve(self) -> None:
        """Serve until another thread calls ``stop``."""
        self._server.serve_forever(0.2)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self._thread:
            self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def view(self, kind: str) -> View:
        return View(kind, self.day, self.world, self.keys, self.page_size, self.base_url(kind))

    def note(self, seen: Seen) -> None:
        self._seen.append(seen)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    simulator: Simulator

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up: the faults make them."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: the simulator has its own log."""

    def _serve(self) -> None:
        simulator = self.server.simulator
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        kind, _, rest = parts.path.lstrip("/").partition("/")
        request = Request(
            method=self.command,
            path=f"/{rest}",
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            json=_decode(body),
            target=self.path,
        )
        if kind == "_sim":
            self._write(control(simulator, request))
        elif kind not in VOICES:
            self._write(Response({"error": f"There is no provider {kind!r} here."}, 404))
        else:
            self._speak(VOICES[kind], request)

    def _speak(self, voice: Voice, request: Request) -> None:
        simulator = self.server.simulator
        is_chat = request.method == "POST" and not request.path.endswith("/show")
        fault = simulator.faults.take(voice.kind, is_chat=is_chat)
        response = _respond(voice, request, simulator.view(voice.kind), fault)
        simulator.note(
            Seen(voice.kind, request.method, request.path, request.headers, response.status)
        )
        latency_ms = simulator.latency_ms if is_chat else simulator.list_latency_ms
        if latency_ms:
            time.sleep(latency_ms / 1000)
        if fault and fault.mode in {"slow", "hang", "truncated"}:
            self._write_badly(response, fault)
        else:
            self._write(response)

    def _write(self, response: Response) -> None:
        self.wfile.write(self._head(response) + _encode(response))

    def _write_badly(self, response: Response, fault: Fault) -> None:
        payload = _encode(response)
        self.close_connection = True
        if fault.mode == "hang":
            time.sleep(fault.seconds)
        elif fault.mode == "slow":
            self.wfile.write(self._head(response))
            faults.drip(self.wfile.write, payload, seconds=fault.seconds)
        else:
            self.wfile.write(self._head(response) + payload[: len(payload) // 2])

    def _head(self, response: Response) -> bytes:
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(_encode(response))),
            "Date": formatdate(usegmt=True),
            **response.headers,
        }
        lines = [f"HTTP/1.1 {response.status} {self.responses.get(response.status, ('',))[0]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _respond(voice: Voice, request: Request, view: View, fault: Fault | None) -> Response:
    try:
        if fault and (spoilt := _fault_response(voice, fault, view)):
            return spoilt
        voice.check_key(request, view)
        if fault and fault.mode in {"empty", "half", "garbage"} and request.method == "GET":
            fresh = {k: v for k, v in request.headers.items() if k != "if-none-match"}
            response = voice.answer(replace(request, headers=fresh), view)
            return faults.spoil(response, fault.mode)
        return voice.answer(request, view)
    except Refusal as refusal:
        return Response(voice.error(refusal.status, refusal.message), refusal.status)


def _fault_response(voice: Voice, fault: Fault, view: View) -> Response | None:
    if fault.mode in faults.STATUS_OF:
        status, message = faults.STATUS_OF[fault.mode]
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        return Response(voice.error(status, message), status, headers)
    if fault.mode == "html":
        return Response(faults.PAGE, headers={"Content-Type": "text/html"})
    if fault.mode == "not_json":
        return Response(b'{"data": [NaN')
    if fault.mode == "oversized":
        return Response(b'{"data": "' + b"x" * (40 * 1024 * 1024) + b'"}')
    if fault.mode == "redirect":
        # The same server under another name is another host to every client.
        to_url = fault.to_url or view.base_url.replace("127.0.0.1", "localhost")
        return Response(b"", 302, {"Location": f"{to_url}/elsewhere"})
    return None


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _encode(response: Response) -> bytes:
    if response.status == 304:
        return b""
    return response.body if isinstance(response.body, bytes) else json.dumps(response.body).encode()
