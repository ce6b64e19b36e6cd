"""A name server that is silent holds nobody up for longer than the request may take."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from providers.base import Connection, Unavailable
from providers.http import Client, Limits, names
from providers.http.addresses import addresses_of
from providers.http.push import push
from providers.http.transport import NoReply

ROOT = Path(__file__).parents[2]
LIMITS = Limits(connect_s=0.3, read_s=0.3, total_s=1, max_bytes=1024)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names that were asked for and get no answer while the test lasts."""
    asked, over = list[str](), threading.Event()

    def silent(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        over.wait(30)
        raise socket.gaierror("the test is over")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    yield asked
    over.set()
    for _ in range(100):
        if not names._waiting:
            return
        time.sleep(0.05)


def test_a_request_ends_in_time_and_says_why(asked: list[str]) -> None:
    began = time.monotonic()
    client = Client(Connection("https://api.example.com/v1"), limits=LIMITS, sleep=lambda s: None)
    with pytest.raises(Unavailable, match="name was not looked up in time"):
        client.get("models")
    assert time.monotonic() - began < 3


def test_a_webhook_does_too(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.http.push.CONNECT_S", 0.3)
    began = time.monotonic()
    answer = push("https://hooks.example.com/x", b"{}", headers={}, networks=[])
    assert isinstance(answer, NoReply)
    assert answer.never_sent
    assert time.monotonic() - began < 3


def test_who_asks_for_the_same_waits_with_the_first(asked: list[str]) -> None:
    def look() -> None:
        with pytest.raises(TimeoutError):
            addresses_of("api.example.com", 443, within_s=0.3)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: look(), range(40)))
    assert asked == ["api.example.com"]


def test_no_more_threads_wait_than_there_may(asked: list[str]) -> None:
    before = threading.active_count()
    for number in range(names.MOST_WAITING + 10):
        with pytest.raises(TimeoutError):
            addresses_of(f"{number}.example.com", 443, within_s=0.01)
    assert threading.active_count() - before <= names.MOST_WAITING
    assert len(asked) == names.MOST_WAITING


def test_an_address_asks_nobody(asked: list[str]) -> None:
    assert [str(each) for each in addresses_of("192.0.2.7", 443)] == ["192.0.2.7"]
    assert asked == []


def test_with_a_name_server_that_really_is_silent(tmp_path: Path) -> None:
    """In namespaces of its own, where the system would wait for minutes."""
    unshare = shutil.which("unshare")
    apart = [unshare or "unshare", "--map-root-user", "--mount", "--net"]
    if unshare is None or subprocess.run([*apart, "true"], check=False).returncode:  # noqa: S603
        pytest.skip("This machine lets nobody make namespaces.")
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")
    script = (
        f"ip link set lo up && mount --bind {conf} /etc/resolv.conf && "
        f"exec {sys.executable} -m tests.providers.hanging_resolver"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOTSWAP_DATA_DIR": str(tmp_path)}
    done = subprocess.run(  # noqa: S603
        [*apart, "sh", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told.pop("asked")["said"] == "True"
    assert {
        kind: each["said"] for kind, each in told.items() if "looked up" not in each["said"]
    } == {}
    assert max(each["seconds"] for each in told.values()) < 10
    assert told["mail"]["seconds"] < 3
