"""``make up`` for real: everything starts, makes up for the night, and ends with Ctrl-C."""

import json
import os
import re
import signal
import socket
import sqlite3
import sys
import textwrap
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from sample_world.simulator import Simulator
from tests.config.conftest import (
    DATABASE,
    DEMO,
    UP,
    Migrated,
    Start,
    embedded,
    is_alive,
    run,
    wait_until,
)
from tests.ports import free_port

LAST_WEEK = """
    import datetime, django, sys
    django.setup()
    from django.core.management import call_command
    from django.utils import timezone
    from providers.models import Provider
    call_command("prepare")
    call_command("add_provider", "router", "--kind", "openrouter", "--base-url", sys.argv[1])
    Provider.objects.update(created_at=timezone.now() - datetime.timedelta(days=7))
"""


def checks_of(folder: Path) -> list[tuple[str, str, str]]:
    """Return trigger, state and kind of error of every check, as another process sees them."""
    connection = sqlite3.connect(f"file:{folder}/hotswap.sqlite3?mode=ro", uri=True, timeout=20)
    try:
        return connection.execute(
            "SELECT trigger, state, error_kind FROM versioning_check"
        ).fetchall()
    finally:
        connection.close()


def descendants(pid: int) -> set[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {found for child in map(int, children) for found in {child, *descendants(child)}}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_start_after_nights_off(
    start: Start, simulator: Simulator, tmp_path: Path, migrated: Migrated
) -> None:
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250101")
    folder, output, port = tmp_path / "var", tmp_path / "output", free_port()
    migrated(folder / DATABASE)
    environment = embedded(folder)
    address = simulator.base_url("openrouter")
    prepared = run([sys.executable, "-c", textwrap.dedent(LAST_WEEK), address], environment)
    assert prepared.returncode == 0, prepared.stderr

    up = start([*UP, "--port", str(port)], environment, output)

    wait_until(lambda: "Ctrl-C stops it." in output.read_text() or up.poll(), "the start")
    said = output.read_text()
    assert f"Hotswap runs at http://localhost:{port}/" in said, said
    assert "Sign in as admin with password " in said
    assert "WARNING" not in said
    wait_until(
        lambda: ("schedule", "changed", "") in checks_of(folder), "the check that was missed"
    )
    assert len(checks_of(folder)) == 1
    family = descendants(up.pid)
    assert len(family) >= 3

    up.send_signal(signal.SIGINT)

    assert up.wait(30) == 0
    assert output.read_text().endswith("Stopped.\n")
    assert [pid for pid in family if is_alive(pid)] == []
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))


def children(pid: int) -> dict[str, int]:
    """Return the process of each program that the supervisor runs now."""
    found = {}
    for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        try:
            command = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if "-S" in command:
            continue  # on its way to become the program
        for name, mark in (("web", "gunicorn"), ("worker", "worker"), ("beat", "beat")):
            if mark in command:
                found[name] = child
    return found


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_each_that_is_killed_comes_back_and_the_inbox_says_so(
    start: Start, tmp_path: Path, migrated: Migrated
) -> None:
    folder, output, port = tmp_path / "var", tmp_path / "output", free_port()
    migrated(folder / DATABASE)
    environment = embedded(folder)
    up = start([*UP, "--port", str(port)], environment, output)
    wait_until(lambda: "Ctrl-C stops it." in output.read_text() or up.poll(), "the start")
    made = run([sys.executable, "manage.py", "create_api_key", "t", "--scope", "read"], environment)
    address = f"http://127.0.0.1:{port}"

    def ask(path: str) -> Any:
        request = urllib.request.Request(f"{address}{path}")  # noqa: S310 (http, of this test)
        request.add_header("Authorization", f"Bearer {made.stdout.strip()}")
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    before = children(up.pid)
    assert set(before) == {"web", "worker", "beat"}
    for name in ("worker", "beat"):
        os.kill(before[name], signal.SIGKILL)
    assert ask("/livez") == {"status": "alive"}  # neither takes web down
    os.kill(before["web"], signal.SIGKILL)

    def all_are_new() -> bool:
        now = children(up.pid)
        return set(now) == set(before) and not set(now.values()) & set(before.values())

    wait_until(all_are_new, "the new start of all three")

    def told() -> dict[str, int]:
        try:
            rows = ask("/api/notices?kind=fault&open=true")["results"]
        except OSError:
            return {}  # web is on its way
        return {row["subject"]: row["times"] for row in rows}

    wait_until(lambda: len(told()) == 3, "the notices")
    assert told() == {f"{name} process": 1 for name in before}
    assert up.poll() is None

    up.send_signal(signal.SIGINT)
    assert up.wait(30) == 0


@pytest.mark.slow
def test_the_demo_is_there_in_one_go_and_in_seconds_the_next_time(
    start: Start, tmp_path: Path
) -> None:
    port, folder = free_port(), tmp_path / "var"
    command = [*DEMO, "--port", str(port)]

    def begin(output: Path) -> str:
        demo = start(command, embedded(folder), output)
        wait_until(lambda: "Ctrl-C stops it." in output.read_text() or demo.poll(), "the demo")
        said = output.read_text()
        assert "Sign in as demo with password demo" in said, said
        assert "WARNING" not in said
        key = re.search(r"API key \(shown this once\): (\S+)", said)
        if key is not None:
            model = f"http://127.0.0.1:{port}/api/model-versions/openrouter/qwen-2.5-7b-instruct"
            request = urllib.request.Request(f"{model}/current")  # noqa: S310 (http, of this test)
            request.add_header("Authorization", f"Bearer {key[1]}")
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                assert json.load(answer)["version"]["label"] == "1.0.0"
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0
        return said

    first, second = begin(tmp_path / "first"), begin(tmp_path / "second")

    assert "Replaying six weeks of the sample world" in first
    assert "day 16 of " in first
    assert "API key" in first
    assert "Replaying" not in second
    assert "API key" not in second
    replayed = checks_of(folder)
    assert ("schedule", "failed", "unavailable") in replayed  # the server that is down
    assert ("schedule", "failed", "refused") not in replayed
    assert len(replayed) > 200
