"""Run web, worker and scheduler together: one command, one machine.

``python -P config/supervisor.py`` needs nothing but the standard library itself. It stops all
when one of them ends, and on Ctrl-C or SIGTERM; on Linux they end with it even after a kill -9.
"""

import argparse
import ctypes
import errno
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

BASE_DIR = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 120.0
STOP_WITHIN_S = 20.0
NO_NOISE = "ignore:You're running the worker with superuser privileges"
"""Celery would warn root at every start; docs/operations.md says it once, for servers."""
PR_SET_PDEATHSIG = 1


class CannotRun(Exception):
    """Why the start was given up; one sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run; ``ready`` is what it prints once it works, empty where nothing is awaited."""

    name: str
    command: Sequence[str]
    ready: str = ""


class Child:
    """A running program."""

    def __init__(self, program: Program, environment: Mapping[str, str]) -> None:
        self.name = program.name
        self.process = _open(program.command, environment, stderr=subprocess.STDOUT)
        self._ready = program.ready
        self.is_ready = threading.Event()
        if not program.ready:
            self.is_ready.set()

    def pass_on_lines(self) -> None:
        """Write each line under the child's name, and note the one that says it is ready."""
        for line in self.process.stdout or ():
            if self._ready and self._ready in line:
                self.is_ready.set()
            elif line.strip():
                _write(f"{self.name:<9} | {line}")

    def stop(self, within_s: float) -> None:
        """Wait for the end that was asked for, then kill what is left of it."""
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            _write(f"{self.name} did not stop in time and was killed.\n")
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def _open(
    command: Sequence[str], environment: Mapping[str, str], *, stderr: int | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=BASE_DIR,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C reaches the supervisor only, which stops in order
        preexec_fn=_end_with_the_parent(),
    )


def _end_with_the_parent() -> Callable[[], None] | None:
    """Return what makes a child get SIGTERM when this process dies; None where it can't."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask_the_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)  # it died before we asked

    return ask_the_kernel


class Supervisor:
    """Starts children, passes on what they print, stops all of them together."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
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
        # Threads come after the last fork: a fork with threads about may hang.
        self.children = [Child(program, self.environment) for program in programs]
        for child in self.children:
            threading.Thread(target=child.pass_on_lines, daemon=True).start()

    def wait_until_ready(self, answers: Callable[[], bool]) -> None:
        """Wait for every child and for ``answers``. CannotRun where one ends or takes too long."""
        last_moment = time.monotonic() + READY_WITHIN_S
        while not self.stopping.wait(0.1):
            self._refuse_ended()
            waits_for = [child.name for child in self.children if not child.is_ready.is_set()]
            if not waits_for and answers():
                return
            if time.monotonic() > last_moment:
                late = ", ".join(waits_for) or "web"
                raise CannotRun(f"{late} was not ready after {READY_WITHIN_S:.0f} s.")

    def watch(self) -> None:
        """Wait until asked to stop. CannotRun where a child ends by itself."""
        while not self.stopping.wait(0.5):
            self._refuse_ended()

    def _refuse_ended(self) -> None:
        for child in self.children:
            if child.process.poll() is not None and not self.stopping.is_set():
                time.sleep(0.2)  # its last lines are on their way
                raise CannotRun(
                    f"{child.name} ended by itself (exit code {child.process.returncode}); its "
                    "last lines above say why. Everything was stopped."
                )

    def stop(self) -> None:
        """Ask all to end, and kill what doesn't within STOP_WITHIN_S."""
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
    connection = http.client.HTTPConnection(reachable, port, timeout=5)
    try:
        connection.request("GET", "/admin/login/", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def programs_of(options: argparse.Namespace) -> list[Program]:
    """Return what makes up Hotswap: the commands of docs/operations.md."""
    python = sys.executable
    celery = [python, "-m", "celery", "--quiet", "--app", "config"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    level = ["--loglevel", os.environ.get("LOG_LEVEL") or "WARNING"]
    bind = ["--bind", f"{options.host}:{options.port}", "--no-control-socket"]
    size = ["--workers", "2", "--threads", "4"]
    return [
        Program(
            "web",
            [python, "-m", "gunicorn", "config.wsgi", *bind, *size, "--log-level", "warning"],
        ),
        Program(
            "worker",
            [*celery, "worker", "--concurrency", "2", *level, *quiet],
            ready="The worker is ready.",
        ),
        Program("beat", [*celery, "beat", "--pidfile=", *level], ready="The scheduler is ready."),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until asked to stop; return 0, or 1 with a sentence where it could not."""
    options = _parser().parse_args(arguments)
    supervisor = Supervisor({"PYTHONWARNINGS": NO_NOISE, **os.environ, "PYTHONUNBUFFERED": "1"})
    supervisor.listen_for_signals()
    try:
        _run(supervisor, options)
    except CannotRun as error:
        _write(f"{error}\n")
        return 1
    finally:
        supervisor.stop()
    _write("Stopped.\n")
    return 0


def _run(supervisor: Supervisor, options: argparse.Namespace) -> None:
    verb = "make demo" if options.demo else "make up"
    refuse_taken_port(options.host, options.port, again=f"{verb} PORT={options.port + 1}")
    _write("Starting Hotswap ...\n")
    programs = programs_of(options)
    simulator_port = free_port(options.port + 1)
    prepare = [sys.executable, "manage.py", "prepare", "--json"]
    prepare += ["--demo", str(simulator_port)] if options.demo else ["--first-user"]
    printed = supervisor.run_first(prepare)
    if supervisor.stopping.is_set():
        return
    prepared = json.loads(printed[-1])
    if options.demo:
        supervisor.environment |= prepared["environment"]
        command = [sys.executable, "-m", "providers.simulator", "--port", str(simulator_port)]
        programs.insert(0, Program("simulator", [*command, *prepared["simulator"]]))
    supervisor.start(programs)
    supervisor.wait_until_ready(lambda: web_answers(options.host, options.port))
    if not supervisor.stopping.is_set():
        lines = [f"Hotswap runs at http://localhost:{options.port}/", *prepared["notes"]]
        _write("\n" + "\n".join(f"  {line}" for line in [*lines, "Ctrl-C stops it."]) + "\n\n")
    supervisor.watch()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="supervisor", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on")
    parser.add_argument("--demo", action="store_true", help="with the sample world and simulator")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"PORT must be from 1 to 65535, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
