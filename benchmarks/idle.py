"""What ``make up`` takes while nobody asks it anything, and how long it takes to start.

python -m benchmarks.idle [--after 20] [--budget 300] [--start-budget 4]

Memory is proportional (Pss of /proc/PID/smaps_rollup): what processes share counts once. Each
program has its own row, then their sum, which the budget is for. The start is the second one: the
first also makes the database.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.server import ROOT, free_port, load

KIB = 1024
OUTPUT = "output"
READY = "Ctrl-C stops it."
START_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What one process takes, in MB: proportional, its own alone, and resident."""

    name: str
    proportional: float
    private: float
    resident: float


def main() -> int:
    """Print the table; return 1 where a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--after", type=float, default=20, help="seconds after the start")
    parser.add_argument("--budget", type=float, default=300, help="MB, proportional, of all")
    parser.add_argument("--start-budget", type=float, default=4, help="seconds")
    options = parser.parse_args()
    print(f"load {load()}")
    with tempfile.TemporaryDirectory(prefix="hotswap-idle-") as folder:
        with running(Path(folder)):
            pass
        with running(Path(folder)) as (process, start_s):
            time.sleep(options.after)
            taken = [of_process(pid) for pid in [process, *descendants(process)]]
    for each in taken:
        print(row(each))
    total = Taken(
        f"{len(taken)} processes",
        sum(each.proportional for each in taken),
        sum(each.private for each in taken),
        sum(each.resident for each in taken),
    )
    print(row(total))
    print(f"started in {start_s:.1f} s (budget {options.start_budget:g})")
    missed = total.proportional > options.budget or start_s > options.start_budget
    print(f"budget {options.budget:g} MB: {'missed' if missed else 'kept'}")
    return int(missed)


def row(taken: Taken) -> str:
    """Return a line of the table."""
    return (
        f"{taken.name:<24} {taken.proportional:6.1f} MB proportional"
        f"   {taken.private:6.1f} private   {taken.resident:6.1f} resident"
    )


@contextmanager
def running(folder: Path, *, port: int | None = None, **more: str) -> Iterator[tuple[int, float]]:
    """Run what ``make up`` runs, with its data in the folder; yield its process and the seconds.

    ``more`` are further variables of its environment.
    """
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "HOTSWAP_DATA_DIR": str(folder),
        **more,
    }
    output = folder / OUTPUT
    where = ["--port", str(port or free_port())]
    command = [sys.executable, "-P", "config/supervisor.py", *where]
    began = time.monotonic()
    with output.open("w") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        while READY not in output.read_text():
            if process.poll() is not None or time.monotonic() - began > START_WITHIN_S:
                raise SystemExit(output.read_text())
            time.sleep(0.02)
        yield process.pid, time.monotonic() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def output_of(folder: Path) -> str:
    """Return what the programs with their data in the folder have said."""
    return (folder / OUTPUT).read_text(errors="replace")


def descendants(pid: int) -> list[int]:
    """Return all processes that one has started, and those that they have."""
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [found for child in map(int, told.split()) for found in (child, *descendants(child))]


def of_process(pid: int) -> Taken:
    """Return what a process takes now."""
    fields = dict[str, int]()
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, amount, *_ = line.split()
        fields[name.rstrip(":")] = int(amount)
    private = fields["Private_Clean"] + fields["Private_Dirty"]
    mb = (fields["Pss"] / KIB, private / KIB, fields["Rss"] / KIB)
    return Taken(_name(pid), *mb)


def _name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    marks = {"gunicorn": "web", "worker": "worker", "beat": "beat", "tell_fault": "news"}
    return next((f"{name} {pid}" for mark, name in marks.items() if mark in words), "supervisor")


if __name__ == "__main__":
    sys.exit(main())
