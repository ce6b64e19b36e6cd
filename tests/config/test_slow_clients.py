"""The server that is shipped, against clients and providers that take their time."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.conftest import DATABASE, Migrated, wait_until
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
WITHIN_S = 1.0
SILENCE_S = 6
"""How long a provider that says nothing is waited for: longer than the others' questions take."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    data = tmp_path_factory.mktemp("data")
    return {
        "PATH": os.environ["PATH"],
        "HOTSWAP_DATA_DIR": str(data),
        "LOG_LEVEL": "ERROR",
        "HOTSWAP_HTTP_READ_SECONDS": str(SILENCE_S),
        "HOTSWAP_HTTP_TOTAL_SECONDS": str(SILENCE_S),
    }


def manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def port(environment: dict[str, str], migrated: Migrated) -> Iterator[int]:
    """The address of gunicorn as docs/operations.md starts it."""
    migrated(Path(environment["HOTSWAP_DATA_DIR"]) / DATABASE)
    manage(environment, "prepare")
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "4", "--no-control-socket"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment)  # noqa: S603
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                if get(port, "/livez")[0] == 200:
                    break
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def get(port: int, path: str, method: str = "GET", **more: str) -> tuple[int, bytes, float]:
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = more.pop("body", None)
    connection.request(method, path, body=body, headers=more)
    answer = connection.getresponse()
    read = answer.read()
    connection.close()
    return answer.status, read, time.monotonic() - started


_open: list[socket.socket] = []


def opened(port: int, sent: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    _open.append(client)
    client.sendall(sent)
    return client


@pytest.fixture(autouse=True)
def _hang_up() -> Iterator[None]:
    yield
    while _open:
        _open.pop().close()


HEAD = b"POST /api/checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALF_SENT = {
    "nothing": b"",
    "half a head": b"GET /livez HTTP/1.1\r\nHost: loc",
    "half a body": HEAD + b"Content-Length: 100\r\n\r\n{",
    "half a large body": HEAD + b"Content-Length: 1000000\r\n\r\n" + b" " * 400_000,
    "half of the pieces": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
    "one request and a half": b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HT",
}


@pytest.mark.parametrize("kind", HALF_SENT)
def test_half_sent_requests_stop_nobody(port: int, kind: str) -> None:
    for _ in range(40):
        opened(port, HALF_SENT[kind])
    time.sleep(0.5)
    for _ in range(10):
        status, _, took = get(port, "/livez")
        assert status == 200
        assert took < WITHIN_S


class Dripping(threading.Thread):
    """Sends a byte now and then, and notes after how many seconds it was hung up on."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.client = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.lasted_s = 0.0
        self.answer = b""

    def run(self) -> None:
        started = time.monotonic()
        with contextlib.suppress(OSError):
            self.client.sendall(b"GET /livez HTTP/1.1\r\n")
            while time.monotonic() - started < 30:
                self.client.sendall(b"x")
                time.sleep(0.5)
        self.lasted_s = time.monotonic() - started
        try:
            self.answer = self.client.recv(1000)
        except ConnectionResetError:
            self.answer = b" 408 "  # hung up on before it could be read
        self.client.close()


@pytest.fixture(scope="module", autouse=True)
def dripping(port: int) -> Dripping:
    """One that drips while the other tests run."""
    client = Dripping(port)
    client.start()
    return client


def test_what_comes_too_slowly_is_ended(dripping: Dripping) -> None:
    """One byte now and then doesn't keep it alive."""
    dripping.join(40)
    assert 5 < dripping.lasted_s < 20
    assert b" 408 " in dripping.answer


def test_slow_but_whole_requests_are_answered(port: int) -> None:
    requests = [
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}",
        HEAD + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
    ]
    for request in requests:
        client = opened(port, b"")
        for at in range(0, len(request), 40):
            client.sendall(request[at : at + 40])
            time.sleep(0.02)
        answer = b"".join(iter(lambda c=client: c.recv(4096), b""))
        assert b" 200 " in answer or b" 401 " in answer, answer


def test_several_requests_on_one_connection(port: int) -> None:
    client = opened(port, b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
    answers = b""
    while answers.count(b'{"status": "alive"}') < 3:
        answers += client.recv(4096)
    client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert b"HTTP/1.1 200" in client.recv(4096)


def test_a_large_body_is_read_whole(port: int) -> None:
    body = json.dumps({"provider": "x" * 900_000})
    kind = {"Content-Type": "application/json"}
    assert get(port, "/api/checks", "POST", body=body, **kind)[0] == 401


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /api/" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /api/" + b"x" * 500_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /api/x HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        (HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
    ],
)
def test_what_the_server_refuses_is_a_problem(port: int, request_line: bytes, status: int) -> None:
    client = opened(port, b"")
    with contextlib.suppress(OSError):
        client.sendall(request_line)
    answer = b""
    with contextlib.suppress(OSError):
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f" {status} ".encode() in head.split(b"\r\n")[0]
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status


@pytest.fixture
def silent() -> Iterator[int]:
    """A provider that takes every call and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as door:
        held: list[socket.socket] = []

        def hold() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(door.accept()[0])

        threading.Thread(target=hold, daemon=True).start()
        yield int(door.getsockname()[1])
        for each in held:
            each.close()


def test_a_silent_provider_stops_nobody(
    port: int, silent: int, environment: dict[str, str]
) -> None:
    manage(environment, "add_provider", "silent", "--kind", "ollama",
           "--base-url", f"http://127.0.0.1:{silent}")  # fmt: skip
    key = manage(environment, "create_api_key", "tests", "--scope", "setup")
    answers: list[tuple[int, bytes, float]] = []

    def test() -> None:
        sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        answers.append(get(port, "/api/providers/silent/test", "POST", body="{}", **sent))

    callers = [threading.Thread(target=test, daemon=True) for _ in range(24)]
    for caller in callers:
        caller.start()
    time.sleep(2)
    for _ in range(10):
        status, _, took = get(port, "/livez")
        assert status == 200
        assert took < WITHIN_S
    for caller in callers:
        caller.join(60)

    refused = [answer for answer in answers if answer[0] == 503]
    assert len(answers) == 24
    assert len(refused) >= 16
    assert {json.loads(body)["code"] for _, body, _ in refused} == {"busy"}
    assert all(status in {200, 503} for status, _, _ in answers)


def test_a_server_says_that_it_is_about_to_stop_before_it_takes_no_more(
    environment: dict[str, str], port: int
) -> None:
    # `port` has prepared the database; this server is one of its own, since it is stopped.
    own = free_port()
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{own}"]
    command += ["--workers", "2", "--threads", "4", "--no-control-socket"]
    drains = environment | {"HOTSWAP_DRAIN_SECONDS": "5"}
    server = subprocess.Popen(command, cwd=ROOT, env=drains)  # noqa: S603
    try:
        wait_until(lambda: answers(own, "/readyz") == 200, "the start")
        server.terminate()
        wait_until(lambda: answers(own, "/readyz") == 503, "its word")
        assert b"about to stop" in get(own, "/readyz")[1]
        assert get(own, "/livez")[0] == 200
        assert get(own, "/api/model-versions/upgrade-recommendations")[0] == 401
        assert server.wait(30) == 0
    finally:
        server.kill()


@pytest.mark.parametrize("drain_s", ["0", "2"])
def test_a_stop_answers_whoever_was_let_in(
    environment: dict[str, str], port: int, drain_s: str
) -> None:
    own = free_port()
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{own}"]
    command += ["--workers", "2", "--threads", "4", "--no-control-socket"]
    drains = environment | {"HOTSWAP_DRAIN_SECONDS": drain_s}
    server = subprocess.Popen(command, cwd=ROOT, env=drains)  # noqa: S603
    ends: list[str] = []

    def ask_until_refused() -> None:
        """On a new connection each time: such a client has no way to know of the stop."""
        while True:
            try:
                get(own, "/livez")
            except ConnectionRefusedError:
                ends.append("refused")
                return
            except (OSError, http.client.HTTPException) as error:
                ends.append(type(error).__name__)
                return

    try:
        wait_until(lambda: answers(own, "/readyz") == 200, "the start")
        half_sent = opened(own, HALF_SENT["half a head"])
        askers = [threading.Thread(target=ask_until_refused) for _ in range(12)]
        for asker in askers:
            asker.start()
        time.sleep(0.5)
        began = time.monotonic()
        server.terminate()
        for asker in askers:
            asker.join()
        assert server.wait(30) == 0
        assert time.monotonic() - began < int(drain_s) + 8
        assert ends == ["refused"] * 12
        assert b"408" in half_sent.recv(100)
    finally:
        server.kill()


def answers(port: int, path: str) -> int:
    """Return the status of an answer; 0 where nobody is there."""
    try:
        return get(port, path)[0]
    except OSError:
        return 0
