"""One command, several programs: they start together, and end together."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import supervisor as supervising
from config.supervisor import CannotRun, Program, Supervisor
from tests.config.conftest import (
    ROOT,
    UP,
    Start,
    embedded,
    free_port,
    is_alive,
    run,
    wait_until,
)

A_WHILE = "import time; time.sleep(60)"


def program(name: str, code: str, *, ready: str = "") -> Program:
    return Program(name, [sys.executable, "-c", code], ready=ready)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    running = Supervisor(dict(os.environ, PYTHONUNBUFFERED="1"))
    yield running
    running.stop()
    for child in running.children:
        assert child.process.stdout is not None
        child.process.stdout.close()


@pytest.mark.parametrize("verb", ["make up", "make demo"])
def test_a_taken_port_is_one_sentence_with_the_way_out(verb: str, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        more = ["--demo"] if verb == "make demo" else []
        ended = run([*UP, "--port", str(port), *more], embedded(tmp_path))

    assert ended.returncode == 1
    assert ended.stdout == (
        f"Port {port} is taken by another program. Stop it, or take another port: "
        f"{verb} PORT={port + 1}.\n"
    )
    assert ended.stderr == ""
    assert list(tmp_path.iterdir()) == []  # nothing was begun


def test_an_address_of_another_machine_is_refused_by_name(tmp_path: Path) -> None:
    ended = run([*UP, "--host", "192.0.2.1", "--port", str(free_port())], embedded(tmp_path))

    assert ended.returncode == 1
    assert ended.stdout.startswith("192.0.2.1:")
    assert len(ended.stdout.splitlines()) == 1


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(port: str, tmp_path: Path) -> None:
    ended = run([*UP, "--port", port], embedded(tmp_path))

    assert ended.returncode == 2
    assert f"PORT must be from 1 to 65535, not '{port}'" in ended.stderr


def test_a_data_folder_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()

    ended = run([*UP, "--port", str(free_port())], embedded(taken / "var"))

    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    (why,) = ended.stderr.splitlines()
    assert why.startswith(f"Can't write to {taken / 'var'} (")
    assert "HOTSWAP_DATA_DIR" in why
    assert ended.stdout.endswith("\nNothing was started.\n")


def test_one_that_ends_by_itself_ends_all_and_says_why(
    supervisor: Supervisor, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start(
        [
            program("web", A_WHILE),
            program("worker", "import sys; print('\\nNo broker.'); sys.exit(3)"),
        ]
    )

    with pytest.raises(CannotRun, match=r"worker ended by itself \(exit code 3\)"):
        supervisor.watch()
    supervisor.stop()

    assert capsys.readouterr().out == "worker    | No broker.\n"
    assert [child.process.poll() for child in supervisor.children] == [-signal.SIGTERM, 3]


def test_one_that_dies_while_others_start_is_not_waited_for(supervisor: Supervisor) -> None:
    supervisor.start(
        [program("web", A_WHILE, ready="never"), program("beat", "raise SystemExit(4)")]
    )

    with pytest.raises(CannotRun, match=r"beat ended by itself \(exit code 4\)"):
        supervisor.wait_until_ready(lambda: True)


def test_it_is_ready_when_all_say_so(
    supervisor: Supervisor, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start([program("worker", f"print('I am ready.'); {A_WHILE}", ready="I am ready.")])

    supervisor.wait_until_ready(lambda: True)

    assert "I am ready." not in capsys.readouterr().out  # for the supervisor, not for people


def test_one_that_never_gets_ready_is_named(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "READY_WITHIN_S", 0.1)
    supervisor.start([program("worker", A_WHILE, ready="never")])

    with pytest.raises(CannotRun, match="worker was not ready"):
        supervisor.wait_until_ready(lambda: True)


def test_one_that_does_not_stop_is_killed_with_what_it_started(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervising, "STOP_WITHIN_S", 0.2)
    stubborn = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid)
        print("Deaf.", flush=True)
        time.sleep(60)
    """
    supervisor.start([program("worker", textwrap.dedent(stubborn), ready="Deaf.")])
    supervisor.wait_until_ready(lambda: True)

    supervisor.stop()

    said = capsys.readouterr().out
    assert "worker did not stop in time and was killed.\n" in said
    grandchild = int(said.partition("worker    | ")[2].split()[0])
    wait_until(lambda: not is_alive(grandchild), "the end of what it had started")


def test_a_signal_ends_a_command_that_runs_first(supervisor: Supervisor) -> None:
    threading.Timer(0.3, supervisor.stopping.set).start()
    began = time.monotonic()

    assert supervisor.run_first([sys.executable, "-c", A_WHILE]) == []
    assert time.monotonic() - began < 30


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells children")
def test_children_end_even_when_the_supervisor_is_killed(start: Start, tmp_path: Path) -> None:
    output = tmp_path / "output"
    code = f"""
        import os
        from config.supervisor import Program, Supervisor
        running = Supervisor(dict(os.environ))
        running.start([Program("web", [{sys.executable!r}, "-c", {A_WHILE!r}])])
        print(running.children[0].process.pid, flush=True)
        running.watch()
    """
    killed = start([sys.executable, "-c", textwrap.dedent(code)], dict(os.environ), output)
    wait_until(lambda: output.read_text().endswith("\n"), "the child's start")
    child = int(output.read_text())
    assert is_alive(child)

    killed.send_signal(signal.SIGKILL)

    wait_until(lambda: not is_alive(child), "the end of the child")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as from a shell, also where make runs the tests."""
    environment = {name: value for name, value in os.environ.items() if name[:4] != "MAKE"}
    return run(["make", *arguments, "demo"], environment)


def test_without_python_make_says_what_to_install(tmp_path: Path) -> None:
    ended = make("PYTHON=python9.99", f"VENV={tmp_path / 'venv'}")

    assert ended.returncode != 0
    assert ended.stdout.startswith("Hotswap needs Python 3.11 or newer, and there is no python9.99")
    assert len(ended.stdout.splitlines()) == 1


def test_an_old_python_is_named_with_its_version(tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text('#!/bin/sh\ncase "$2" in *platform*) echo 3.8.20;; *) exit 1;; esac\n')
    old.chmod(0o755)

    ended = make(f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")

    assert ended.returncode != 0
    assert f"{old} is 3.8.20: install one" in ended.stdout
    assert len(ended.stdout.splitlines()) == 1


def test_a_read_only_folder_is_one_sentence(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()  # root may write anywhere, but not below a file

    ended = make(f"PYTHON={sys.executable}", f"VENV={taken / 'venv'}")

    assert ended.returncode != 0
    assert ended.stdout == (
        f"Can't write to {ROOT}: make the folder writable, or clone the project into another one.\n"
    )
