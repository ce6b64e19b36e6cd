"""Run web, worker and scheduler together: one command, one machine.

``python -P config/supervisor.py`` needs nothing but the standard library itself. What ends by
itself is started anew, after growing pauses, and the inbox says so; when web can't be kept up, and
on Ctrl-C or SIGTERM, all are stopped. On Linux they end with it even after a kill -9.
"""

import argparse
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any

BASE_DIR = Path(__file__).resolve().parent.parent
SHIPPED = BASE_DIR / "config" / "shipped"  # in a wheel; see config/places.py
IS_INSTALLED = SHIPPED.is_dir()
MANAGE = [sys.executable, "-m", "config.command", "manage"]
END_WITH_PARENT = BASE_DIR / "config" / "end_with_parent.py"
LOOK_EVERY_S = 0.5
READY_WITHIN_S = 300.0
STOP_WITHIN_S = 20.0
LAST_LINES_WITHIN_S = 1.0
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0)
"""Before each new start of what ended in a row; after the last one it is given up."""
STEADY_AFTER_S = 300.0
"""What ran so long has recovered: its next end is the first of a row."""
TELL_AGAIN_AFTER_S = 60.0
TELL_AT_THE_END_S = 30.0
NO_NOISE = "ignore:You're running the worker with superuser privileges"
"""Celery would warn root at every start; docs/operations.md says it once, for servers."""


class CannotRun(Exception):
    """Why the start was given up; one sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run; ``ready`` is what it prints once it works, empty where nothing is awaited.

    ``without`` says what stands still while it is down. Empty: all is stopped then.
    """

    name: str
    command: Sequence[str]
    ready: str = ""
    without: str = ""


@dataclass(frozen=True, slots=True)
class RunMode:
    """A way to run Hotswap; ``verb`` is its command.

    ``prepare`` runs first: its last line is JSON with the notes for the person at the terminal,
    and may hold an environment for all that follows. ``first`` makes of it what runs beside.
    """

    verb: str
    prepare: Sequence[str]
    first: Callable[[Mapping[str, Any]], Sequence[Program]] = lambda prepared: ()


class Child:
    """A program that runs, and is started anew when it ends by itself."""

    def __init__(self, program: Program, environment: Mapping[str, str]) -> None:
        self.program = program
        self.name = program.name
        self._environment = environment
        self.is_ready = threading.Event()
        self.ended_in_a_row = 0
        self.due_at: float | None = None
        """When the next start is due, on the monotonic clock; None while it runs or is given up."""
        self.start()

    def start(self) -> None:
        self.due_at = None
        self._is_cleared = False
        self.started_at = time.monotonic()
        command = self.program.command
        self.process = _open(command, self._environment, stderr=subprocess.STDOUT)
        if not self.program.ready:
            self.is_ready.set()
        assert self.process.stdout is not None  # noqa: S101 (for the type checker)
        self._reader = threading.Thread(
            target=self._pass_on_lines, args=[self.process.stdout], daemon=True
        )
        self._reader.start()

    def _pass_on_lines(self, said: IO[str]) -> None:
        """Write each line under the child's name, and note the one that says it is ready."""
        ready = self.program.ready
        with said:
            for line in said:
                if ready and ready in line:
                    if self.is_ready.is_set():
                        _write(f"{self.name} runs again.\n")
                    self.is_ready.set()
                elif line.strip():
                    _write(f"{self.name:<9} | {line}")

    def how_it_ended(self) -> str:
        """Return what is known of the end; empty while it runs."""
        code = self.process.poll()
        if code is None:
            return ""
        if code >= 0:
            return f"ended by itself (exit code {code})"
        more = "; if nobody did that, memory was short" if code == -signal.SIGKILL else ""
        return f"was killed (signal {-code}, {signal.strsignal(-code)}{more})"

    def plan_next_start(self) -> float | None:
        """Count the end, and return the pause before the next start; None where it is given up."""
        self.kill_the_rest()
        now = time.monotonic()
        if now - self.started_at > STEADY_AFTER_S:
            self.ended_in_a_row = 0
        self.ended_in_a_row += 1
        if self.ended_in_a_row > len(PAUSES_S):
            return None
        pause = PAUSES_S[self.ended_in_a_row - 1]
        self.due_at = now + pause
        return pause

    def stop(self, within_s: float) -> None:
        """Wait for the end that was asked for, then kill what is left of it."""
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            _write(f"{self.name} did not stop in time and was killed.\n")
        self.kill_the_rest()

    def kill_the_rest(self) -> None:
        """Kill what it had started (a gunicorn without its master holds the port); hear it out.

        Once for each start: by the next time the number may be another program's.
        """
        if self._is_cleared:
            return
        self._is_cleared = True
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._reader.join(LAST_LINES_WITHIN_S)


class News:
    """What happened, told by a command: one after the other, again later where that failed."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = environment
        self._waiting: deque[tuple[str, str]] = deque(maxlen=100)
        self._telling: subprocess.Popen[str] | None = None
        self._not_before = 0.0

    def add(self, *, subject: str, sentence: str) -> None:
        self._waiting.append((subject, sentence))

    def deliver(self) -> None:
        """Begin to tell what waits; never waits itself."""
        now = time.monotonic()
        if self._telling is not None:
            code = self._telling.poll()
            if code is None:
                return
            self.stop()
            if code == 0:
                self._waiting.popleft()
            else:
                self._not_before = now + TELL_AGAIN_AFTER_S
        if self._waiting and now >= self._not_before:
            self._telling = _open([*self._command, *self._waiting[0]], self._environment)

    def deliver_all(self, *, within_s: float) -> None:
        """Tell what waits before all ends, as far as the time allows."""
        last_moment = time.monotonic() + within_s
        self._not_before = 0.0
        while self._waiting and time.monotonic() < min(
            last_moment, self._not_before or last_moment
        ):
            self.deliver()
            time.sleep(0.05)

    def stop(self) -> None:
        if self._telling is not None:
            self._telling.kill()
            self._telling.communicate()
            self._telling = None


def _open(
    command: Sequence[str], environment: Mapping[str, str], *, stderr: int | None = None
) -> subprocess.Popen[str]:
    bound = [sys.executable, "-I", "-S", str(END_WITH_PARENT), str(os.getpid())]
    return subprocess.Popen(
        [*bound, *command],
        cwd=BASE_DIR,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C reaches the supervisor only, which stops in order
    )


class Supervisor:
    """Starts children, passes on what they print, keeps them up, stops all of them together.

    ``teller`` is a command that takes a subject and a sentence, and tells people.
    """

    def __init__(self, environment: dict[str, str], *, teller: Sequence[str]) -> None:
        self.environment = environment
        self.news = News(teller, environment)
        self.stopping = threading.Event()
        self.children: list[Child] = []

    def listen_for_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop_soon)

    def _stop_soon(self, number: int, frame: FrameType | None) -> None:
        self.stopping.set()

    def run_first(self, command: Sequence[str]) -> list[str]:
        """Run a command to its end; return the lines it printed. CannotRun where it failed."""
        first = _open(command, self.environment)
        while not self.stopping.is_set():
            try:
                printed, _ = first.communicate(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue
            if first.returncode:
                raise CannotRun("Nothing was started.")
            return printed.splitlines()
        first.terminate()
        first.communicate()
        return []

    def start(self, programs: Sequence[Program]) -> None:
        for program in programs:
            self.children.append(Child(program, self.environment))

    def wait_until_ready(self, answers: Callable[[], bool]) -> None:
        """Wait for every child and for ``answers``. CannotRun where one ends or takes too long."""
        last_moment = time.monotonic() + READY_WITHIN_S
        while not self.stopping.wait(0.1):
            self._refuse_to_start_without()
            waits_for = [child.name for child in self.children if not child.is_ready.is_set()]
            if not waits_for and answers():
                return
            if time.monotonic() > last_moment:
                late = ", ".join(waits_for) or "web"
                raise CannotRun(f"{late} was not ready after {READY_WITHIN_S:.0f} s.")

    def _refuse_to_start_without(self) -> None:
        """Raise CannotRun where one ends before all run: what can't start now won't later."""
        for child in self.children:
            how = child.how_it_ended()
            if how and not self.stopping.is_set():
                child.kill_the_rest()
                raise CannotRun(
                    f"{child.name} {how}; its last lines above say why. Everything was stopped."
                )

    def watch(self) -> None:
        """Keep all up until asked to stop. CannotRun where one can't be that all depend on."""
        while not self.stopping.wait(LOOK_EVERY_S):
            for child in self.children:
                self._look_after(child)
            self.news.deliver()

    def _look_after(self, child: Child) -> None:
        if child.due_at is not None:
            if time.monotonic() >= child.due_at:
                child.start()
            return
        how = child.how_it_ended()
        if not how or child.ended_in_a_row > len(PAUSES_S):
            return
        pause = child.plan_next_start()
        if pause is None:
            self._give_up(child, how)
        else:
            self._tell(child, f"{how}, and is started again after {pause:.0f} s.")

    def _give_up(self, child: Child, how: str) -> None:
        often = f"{how}, for the {child.ended_in_a_row}th time in a row"
        if child.program.without:
            self._tell(
                child,
                f"{often}: it is not started again. {child.program.without} until Hotswap is "
                "restarted; its last lines in the log say why it ended.",
                subject=f"{child.name} process, given up",
            )
            return
        self._tell(child, f"{often}: everything was stopped.")
        self.news.deliver_all(within_s=TELL_AT_THE_END_S)
        raise CannotRun("Its last lines above say why.")

    def _tell(self, child: Child, sentence: str, *, subject: str = "") -> None:
        _write(f"{child.name} {sentence}\n")
        self.news.add(
            subject=subject or f"{child.name} process", sentence=f"{child.name} {sentence}"
        )

    def stop(self) -> None:
        """Ask all to end, and kill what doesn't within STOP_WITHIN_S."""
        self.news.stop()
        for child in self.children:
            child.process.terminate()
        last_moment = time.monotonic() + STOP_WITHIN_S
        for child in self.children:
            child.stop(max(0.1, last_moment - time.monotonic()))


def _write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def refuse_taken_port(host: str, port: int, *, again: str) -> None:
    """Raise CannotRun where something listens on the port already."""
    try:
        _bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotRun(
                f"Port {port} is taken by another program. Stop it, or take another port: {again}."
            ) from error
        raise CannotRun(f"{host}:{port} can't be used: {error.strerror}.") from error


def free_port(preferred: int) -> int:
    """Return the preferred port if nothing listens on it, else any free one."""
    try:
        return _bind("127.0.0.1", preferred)
    except (OSError, OverflowError):
        return _bind("127.0.0.1", 0)


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        return int(door.getsockname()[1])


def web_answers(host: str, port: int) -> bool:
    """Say whether the login page is there."""
    reachable = "127.0.0.1" if host in {"0.0.0.0", ""} else host  # noqa: S104
    request = f"GET /admin/login/ HTTP/1.0\r\nHost: localhost:{port}\r\n\r\n"
    try:
        # By hand: the library's client would load mail and TLS, for as long as this runs.
        with socket.create_connection((reachable, port), timeout=5) as connection:
            connection.sendall(request.encode())
            said = connection.makefile("rb").readline(100).split()
    except OSError:
        return False
    return said[1:2] == [b"200"]


def programs_of(options: argparse.Namespace) -> list[Program]:
    """Return what makes up Hotswap: the commands of docs/operations.md."""
    python = sys.executable

    def celery(app: str) -> list[str]:
        return [python, "-m", "celery", "--quiet", "--app", app]

    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    level = ["--loglevel", os.environ.get("LOG_LEVEL") or "WARNING"]
    reads = ["--config", str((SHIPPED if IS_INSTALLED else BASE_DIR) / "gunicorn.conf.py")]
    bind = ["--bind", f"{options.host}:{options.port}", "--no-control-socket"]
    size = ["--workers", "2", "--threads", "4"]
    return [
        Program(
            "web",
            [
                *(python, "-m", "gunicorn", "config.wsgi", *reads, *bind, *size),
                *("--log-level", "warning"),
            ],
        ),
        Program(
            "worker",
            [*celery("config"), "worker", "--concurrency", "2", *level, *quiet],
            ready="The worker is ready.",
            without="No check, no sum of samples and no step of an upgrade is made",
        ),
        Program(
            "beat",
            [*celery("config.beat"), "beat", "--pidfile=", *level],
            ready="The scheduler is ready.",
            without="Nothing is begun at its time",
        ),
    ]


def command_of(name: str, arguments: Sequence[str]) -> Sequence[str]:
    """Return the command of one program alone: web, worker or beat."""
    programs = programs_of(_parser().parse_args(arguments))
    return next(program.command for program in programs if program.name == name)


def up(port: int) -> RunMode:
    """Return what ``make up`` runs: nothing but Hotswap itself."""
    return RunMode("up", [*MANAGE, "prepare", "--json", "--first-user"])


def main(arguments: Sequence[str] | None = None, *, plan_for: Callable[[int], RunMode] = up) -> int:
    """Run until asked to stop; return 0, or 1 with a sentence where it could not.

    ``plan_for`` gets the port that web listens on.
    """
    options = _parser().parse_args(arguments)
    supervisor = Supervisor(
        {"PYTHONWARNINGS": NO_NOISE, **os.environ, "PYTHONUNBUFFERED": "1"},
        teller=[*MANAGE, "tell_fault"],
    )
    supervisor.listen_for_signals()
    try:
        _run(supervisor, options, plan_for(options.port))
    except CannotRun as error:
        _write(f"{error}\n")
        return 1
    finally:
        supervisor.stop()
    _write("Stopped.\n")
    return 0


def _run(supervisor: Supervisor, options: argparse.Namespace, plan: RunMode) -> None:
    refuse_taken_port(options.host, options.port, again=_again(plan.verb, options.port + 1))
    _write("Starting Hotswap ...\n")
    printed = supervisor.run_first(plan.prepare)
    if supervisor.stopping.is_set():
        return
    prepared = json.loads(printed[-1])
    supervisor.environment |= prepared.get("environment", {})
    programs = [*plan.first(prepared), *programs_of(options)]
    supervisor.start(programs)
    supervisor.wait_until_ready(lambda: web_answers(options.host, options.port))
    if not supervisor.stopping.is_set():
        lines = [f"Hotswap runs at http://localhost:{options.port}/", *prepared["notes"]]
        _write("\n" + "\n".join(f"  {line}" for line in [*lines, "Ctrl-C stops it."]) + "\n\n")
    supervisor.watch()


def _again(verb: str, port: int) -> str:
    """Return the command with another port, as it is called here: by make in a clone."""
    return f"hotswap {verb} --port {port}" if IS_INSTALLED else f"make {verb} PORT={port}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="supervisor", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"PORT must be from 1 to 65535, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
