"""One command, several programs: they start together, and end together."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import supervisor as supervising
from config.supervisor import CannotRun, Program, Supervisor
from tests.config.conftest import (
    DEMO,
    ROOT,
    UP,
    Start,
    embedded,
    is_alive,
    run,
    wait_until,
)
from tests.ports import free_port

A_WHILE = "import time; time.sleep(60)"


def program(name: str, code: str, *, ready: str = "", without: str = "") -> Program:
    return Program(name, [sys.executable, "-c", code], ready=ready, without=without)


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """The file to which news are told, one a line, their subject in front."""
    file = tmp_path / "told"
    file.touch()
    return file


@pytest.fixture
def supervisor(told: Path) -> Iterator[Supervisor]:
    code = "import sys; open(sys.argv[1], 'a').write(': '.join(sys.argv[2:]) + '\\n')"
    running = Supervisor(
        dict(os.environ, PYTHONUNBUFFERED="1"), teller=[sys.executable, "-c", code, str(told)]
    )
    yield running
    running.stop()


@pytest.mark.parametrize("verb", ["make up", "make demo"])
def test_a_taken_port_is_one_sentence_with_the_way_out(verb: str, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        command = DEMO if verb == "make demo" else UP
        ended = run([*command, "--port", str(port)], embedded(tmp_path))

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


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "PAUSES_S", (0.1, 0.2, 0.4))
    monkeypatch.setattr(supervising, "LOOK_EVERY_S", 0.02)


def stop_when(supervisor: Supervisor, is_so: Callable[[], bool]) -> None:
    """Let ``watch`` end once something is so; the test fails where it never is."""

    def wait() -> None:
        try:
            wait_until(is_so, "what was waited for")
        finally:
            supervisor.stopping.set()

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.usefixtures("hurried")
def test_a_worker_that_never_runs_is_given_up_and_web_stays(
    supervisor: Supervisor, told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start(
        [
            program("web", A_WHILE),
            program("worker", "print('No broker.'); exit(3)", without="No check is made"),
        ]
    )
    web, worker = supervisor.children
    stop_when(supervisor, lambda: len(told.read_text().splitlines()) == 4)

    supervisor.watch()

    assert web.process.poll() is None
    assert worker.process.poll() == 3
    stranger = subprocess.Popen([sys.executable, "-c", A_WHILE], start_new_session=True)
    worker.process.pid = stranger.pid  # a number that another program got meanwhile
    supervisor.stop()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    said = capsys.readouterr().out
    assert said.count("worker    | No broker.\n") == 4
    ended = "worker ended by itself (exit code 3)"
    assert told.read_text().splitlines() == [
        *[f"worker process: {ended}, and is started again after 0 s."] * 3,
        f"worker process, given up: {ended}, for the 4th time in a row: it is not started again. "
        "No check is made until Hotswap is restarted; its last lines in the log say why it ended.",
    ]


@pytest.mark.usefixtures("hurried")
def test_when_web_can_not_be_kept_up_all_is_stopped_and_why_is_told(
    supervisor: Supervisor, told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    web = "print('Address in use.'); exit(1)"
    supervisor.start([program("web", web), program("worker", A_WHILE, without="Nothing")])
    began = time.monotonic()

    with pytest.raises(CannotRun, match="Its last lines above say why"):
        supervisor.watch()
    supervisor.stop()

    assert time.monotonic() - began > 0.7  # the pauses
    assert [child.process.poll() for child in supervisor.children] == [1, -signal.SIGTERM]
    assert (
        "web ended by itself (exit code 1), for the 4th time in a row: everything was stopped.\n"
        in (capsys.readouterr().out)
    )
    assert "for the 4th time in a row: everything was stopped." in told.read_text()


@pytest.mark.usefixtures("hurried")
def test_what_ran_for_long_begins_with_the_shortest_pause_again(
    supervisor: Supervisor, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "STEADY_AFTER_S", 0.05)
    brief = "import time; time.sleep(0.3); exit(3)"
    supervisor.start([program("worker", brief, without="Nothing")])
    stop_when(supervisor, lambda: len(told.read_text().splitlines()) == 6)

    supervisor.watch()

    assert "in a row" not in told.read_text()


@pytest.mark.usefixtures("hurried")
def test_what_comes_back_is_said(
    supervisor: Supervisor, told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start([program("beat", f"print('Ready.'); {A_WHILE}", ready="Ready.", without="-")])
    supervisor.wait_until_ready(lambda: True)
    supervisor.children[0].process.kill()
    said = ""

    def is_back() -> bool:
        nonlocal said
        said += capsys.readouterr().out
        return "beat runs again.\n" in said and told.read_text() != ""

    stop_when(supervisor, is_back)
    supervisor.watch()

    assert said.count("runs again") == 1


@pytest.mark.usefixtures("hurried")
def test_what_a_killed_one_had_started_is_ended_before_it_starts_again(
    supervisor: Supervisor, told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gunicorn without its master would hold the port."""
    code = f"""
        import subprocess, sys, time
        print(subprocess.Popen([sys.executable, "-c", {A_WHILE!r}]).pid, flush=True)
        time.sleep(60)
    """
    supervisor.start([program("web", textwrap.dedent(code))])
    first = supervisor.children[0].process
    said = ""

    def grandchildren() -> list[int]:
        nonlocal said
        said += capsys.readouterr().out
        return [int(line.split()[-1]) for line in said.splitlines() if line.startswith("web   ")]

    wait_until(grandchildren, "the start")
    first.kill()
    stop_when(supervisor, lambda: len(grandchildren()) == 2 and told.read_text() != "")

    supervisor.watch()

    old, new = grandchildren()
    assert not is_alive(old)
    assert is_alive(new)
    assert (
        "web was killed (signal 9, Killed; if nobody did that, memory was short)"
        in told.read_text()
    )


@pytest.mark.usefixtures("hurried")
def test_news_that_can_not_be_told_now_are_told_later(
    told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may be away, too, when something falls."""
    monkeypatch.setattr(supervising, "TELL_AGAIN_AFTER_S", 0.1)
    is_there = tmp_path / "database"
    code = (
        "import pathlib, sys\nif not pathlib.Path(sys.argv[1]).exists(): sys.exit(1)\n"
        "open(sys.argv[2], 'a').write(sys.argv[4] + '\\n')"
    )
    teller = [sys.executable, "-c", code, str(is_there), str(told)]
    news = supervising.News(teller, os.environ)
    for sentence in ("It fell.", "It fell again."):
        news.add(subject="worker process", sentence=sentence)
    news.deliver_all(within_s=20)
    assert told.read_text() == ""

    is_there.touch()

    def is_told() -> bool:
        news.deliver()
        return told.read_text().count("\n") == 2

    wait_until(is_told, "the news")
    news.stop()
    assert told.read_text().splitlines() == ["It fell.", "It fell again."]


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
        running = Supervisor(dict(os.environ), teller=[])
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


def test_the_worker_s_processes_are_as_many_from_start_to_end() -> None:
    """Celery ends one that it takes for idle, be it just telling a result: its lock stays taken.

    Then every process waits for that lock, nothing is done any more, and no process has died.
    """
    command = list(supervising.command_of("worker", []))
    assert "--autoscale" not in command
    assert command[command.index("--concurrency") + 1] == "2"
