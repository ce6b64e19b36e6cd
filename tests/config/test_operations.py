"""The units of deploy/systemd: systemd reads them, and their commands work together."""

import json
import os
import re
import secrets
import shlex
import shutil
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from sample_world.simulator import Simulator
from tests.config.conftest import PATIENCE_S, ROOT, Start, embedded, run, wait_until
from tests.ports import free_port

GUIDE = (ROOT / "docs/operations.md").read_text()
UNITS = {file.name: file.read_text() for file in (ROOT / "deploy/systemd").iterdir()}
PYTHON = "/srv/hotswap/.venv/bin/python"
ON_SERVERS = os.environ.get("DATABASE_URL", "").startswith("postgres") and not str(
    settings.CELERY_BROKER_URL
).startswith("localfs")


def command_of(unit: str) -> str:
    (command,) = re.findall(rf"^ExecStart={PYTHON} (.*)$", UNITS[unit], re.MULTILINE)
    return str(command)


def test_there_is_a_unit_for_each_program_with_the_command_that_the_guide_shows() -> None:
    assert set(UNITS) == {f"hotswap-{name}.service" for name in ("web", "worker", "beat")}
    for unit in UNITS:
        assert f"    .venv/bin/python {command_of(unit)}\n" in GUIDE


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_what_ends_by_itself_is_told_and_what_was_stopped_is_not(name: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    (told,) = re.findall("^ExecStopPost=(.*)$", UNITS[f"hotswap-{name}.service"], re.MULTILINE)
    command = shlex.split(told.replace("$$", "$").replace(PYTHON, str(python)))

    def end(result: str) -> list[str]:
        said = {"SERVICE_RESULT": result, "EXIT_CODE": "killed", "EXIT_STATUS": "KILL"}
        return run(command, {**os.environ, **said}).stdout.splitlines()

    assert end("success") == []
    assert end("signal") == [
        "manage.py", "tell_fault", f"{name} process", f"{name} ended: killed KILL (signal)."
    ]  # fmt: skip


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_systemd_finds_nothing_wrong_with_them(tmp_path: Path) -> None:
    for name, text in UNITS.items():
        here = text.replace(PYTHON, sys.executable).replace("/srv/hotswap", str(ROOT))
        (tmp_path / name).write_text(here)

    ended = run(
        ["systemd-analyze", "verify", *(str(tmp_path / name) for name in UNITS)],
        {**os.environ, "SYSTEMD_LOG_LEVEL": "notice"},
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of an empty database beside the one of the tests."""
    url, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"hotswap_processes_{secrets.token_hex(4)}"
    with psycopg.connect(f"{url}/postgres", autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield f"{url}/{name}"
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def manage(*arguments: str, environment: Mapping[str, str]) -> str:
    ended = run([sys.executable, "manage.py", *arguments], environment)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def ask(address: str, key: str = "", *, method: str = "GET") -> Any:
    request = urllib.request.Request(address, method=method)  # noqa: S310 (http, of this test)
    request.add_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def is_ready(address: str) -> bool:
    try:
        return bool(ask(f"{address}/readyz")["status"] == "ready")
    except OSError:
        return False


@pytest.mark.skipif(not ON_SERVERS, reason="needs PostgreSQL and Redis or RabbitMQ")
def test_machines_that_start_at_once_bring_the_tables_up_to_date_in_turn(
    database: str, start: Start, tmp_path: Path
) -> None:
    outputs = [tmp_path / f"output {number}" for number in range(3)]
    prepare = [sys.executable, "manage.py", "prepare"]
    all_at_once = [
        start(prepare, embedded(tmp_path / str(number), DATABASE_URL=database), output)
        for number, output in enumerate(outputs)
    ]

    assert [each.wait(PATIENCE_S) for each in all_at_once] == [0, 0, 0], [
        output.read_text() for output in outputs
    ]


@pytest.mark.skipif(not ON_SERVERS, reason="needs PostgreSQL and Redis or RabbitMQ")
def test_the_three_as_separate_processes_check_once(
    start: Start, database: str, simulator: Simulator, tmp_path: Path
) -> None:
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250101")
    broker = str(settings.CELERY_BROKER_URL)
    servers = {"DATABASE_URL": database, "CELERY_BROKER_URL": broker}
    environment = embedded(tmp_path, **servers)
    manage("prepare", environment=environment)
    router = ["router", "--kind", "openrouter", "--base-url", simulator.base_url("openrouter")]
    manage("add_provider", *router, environment=environment)
    key = manage(
        "create_api_key", "t", "--scope", "decide", "--scope", "read", environment=environment
    )
    address = f"http://127.0.0.1:{free_port()}"

    def begin(unit: str, log: str, *more: str) -> Path:
        command = command_of(f"hotswap-{unit}.service").replace("127.0.0.1:8000", address[7:])
        output = tmp_path / log
        start([sys.executable, *command.split(), *more], environment, output)
        return output

    begin("web", "web.log")
    beat = begin("beat", "beat.log")
    one = begin("worker", "one.log")
    other = begin("worker", "other.log", "--hostname", "other@%h")
    wait_until(lambda: is_ready(address), "web")
    wait_until(lambda: "The scheduler is ready." in beat.read_text(), "beat")
    wait_until(lambda: "The worker is ready." in one.read_text(), "a worker")
    wait_until(lambda: "The worker is ready." in other.read_text(), "the other worker")

    ask(f"{address}/api/checks", key, method="POST")

    def checks() -> list[tuple[str, str, int]]:
        rows = ask(f"{address}/api/checks", key)["results"]
        return [(row["trigger"], row["state"], row["listed"]) for row in rows]

    wait_until(lambda: checks()[0][1] != "running", "the check")
    assert checks() == [("api", "changed", 1)]
    assert len(simulator.requests("openrouter")) == 1
