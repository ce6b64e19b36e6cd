"""Real processes for tests: started apart, waited for, and none left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 300.0
UP = [sys.executable, "-P", "config/supervisor.py"]
DEMO = [sys.executable, "-m", "sample_world.demo"]

Start = Callable[..., subprocess.Popen[str]]
Migrated = Callable[[Path], None]
DATABASE = "hotswap.sqlite3"


def embedded(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which all data is in the folder, and no server is needed."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "HOTSWAP_DATA_DIR": str(folder),
        "DATABASE_URL": "",
        "CELERY_BROKER_URL": "",
        **more,
    }


def wait_until(is_so: Callable[[], object], what: str) -> None:
    """Wait for something that processes do; the test fails where it never comes."""
    last_moment = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < last_moment, f"{what}: not after {PATIENCE_S:.0f} s"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Say whether a process still runs; one that only waits to be reaped doesn't."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def run(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (our own commands)
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program in a session of its own, its output in a file; all are ended afterwards."""
    running: list[subprocess.Popen[str]] = []

    def start(
        command: Sequence[str], environment: Mapping[str, str], output: Path
    ) -> subprocess.Popen[str]:
        with output.open("w") as file:
            process = subprocess.Popen(  # noqa: S603 (our own commands)
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        running.append(process)
        return process

    yield start
    for process in running:
        process.terminate()
    for process in running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)
