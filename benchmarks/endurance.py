"""Minutes of load at 80 % of the top rate while staff look at pages: no error, no growing memory.

python -m benchmarks.endurance [--minutes 10] [--database sqlite|postgres] [--top-seconds 130]

What ``make up`` runs, on a database of its own. First the top rate, for long enough to take in what
the worker does each minute: so many connections ask as fast as they are answered, nine times for
the current version for each batch of samples. Then 80 % of that, by the clock: a request that is
late for the one before it counts from when it was due. Memory is proportional (Pss); its slope is
that of a straight line through the looks of the second half: in the first one caches fill, of which
each connection to SQLite has up to 20 MB.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks import idle, server

CONNECTIONS = 8
BATCH = 20
CURRENTS = 9
"""Questions for the current version to one batch of samples."""

SHARE = 0.8
STAFF = 4
LOOK_EVERY_S = 3.0
MEMORY_EVERY_S = 5.0
MOST_GROWTH = 0.05
"""Of all memory together, over the second half."""

MOST_PAGE_S = 2.0


@dataclass
class Told:
    """What requests came to, from all threads."""

    seconds: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    samples: int = 0


@dataclass(frozen=True, slots=True)
class World:
    """Where to ask, as whom, and for what."""

    port: int
    key: str
    cookie: str
    pages: tuple[str, ...]


def main() -> int:
    """Print the figures; return 1 for an error, a lost sample, slow pages or growing memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--top-seconds", type=float, default=130, help="for the top rate")
    options = parser.parse_args()
    print(f"{options.database}, load average {server.load()}")
    with (
        tempfile.TemporaryDirectory(prefix="hotswap-endurance-") as folder,
        _database(options.database) as more,
    ):
        port = server.free_port()
        with idle.running(Path(folder), port=port, **more) as (process, _):
            world = _world(Path(folder), more, port=port)
            top = _load(world, seconds=options.top_seconds, rate=None, process=process)
            rate = len(top.told.seconds) / options.top_seconds * SHARE
            print(f"top rate {rate / SHARE:,.0f} requests/s; {options.minutes:g} minutes at 80 %")
            held = _load(world, seconds=options.minutes * 60, rate=rate, process=process)
            lost = top.told.samples + held.told.samples - _stored(Path(folder), more)
        _print_faults(idle.output_of(Path(folder)))
    return _report(held, rate=rate, seconds=options.minutes * 60, lost=lost, errors=top.told.errors)


@dataclass
class Held:
    """A time of load: what requests came to, and what memory was taken meanwhile."""

    told: Told
    memory: list[tuple[float, Mapping[str, float]]]
    """At which second each program took how many MB."""


def _print_faults(output: str) -> None:
    """Print what the server said went wrong: each kind once, with how often."""
    said = (line.split(" ERROR ", 1)[1] for line in output.splitlines() if " ERROR " in line)
    for fault, times in Counter(said).most_common(5):
        print(f"  {times} times the server said: {fault[:200]}")


def _report(held: Held, *, rate: float, seconds: float, lost: int, errors: Counter[str]) -> int:
    told = held.told
    for error, times in (told.errors + errors).most_common(5):
        print(f"  {times} times: {error}")
    cuts = statistics.quantiles([each * 1000 for each in told.seconds], n=100)
    pages = statistics.quantiles(told.pages, n=20)
    rows: list[tuple[str, float, float | None]] = [
        ("errors", float(sum((told.errors + errors).values())), -0.0),
        ("samples lost", float(lost), -0.0),
        ("requests/s asked for", rate, None),
        ("requests/s answered", len(told.seconds) / seconds, 0.98 * rate),
        ("p50, ms", cuts[49], None),
        ("p95, ms", cuts[94], None),
        ("p99, ms", cuts[98], None),
        ("pages loaded", float(len(told.pages)), None),
        ("page p95, s", pages[18], -MOST_PAGE_S),
    ]
    tenths = [held.memory[len(held.memory) * n // 10] for n in range(10)]
    print("  MB at each tenth:", *(f"{sum(taken.values()):.0f}" for _, taken in tenths))
    settled = [look for look in held.memory if look[0] >= seconds / 2]
    for name in sorted({name for _, taken in settled for name in taken}):
        points = [(at, taken[name]) for at, taken in settled if name in taken]
        slope, start = _line(points)
        rows.append((f"{name}: MB half-way", start + slope * points[0][0], None))
        rows.append((f"{name}: MB a minute more", slope * 60, None))
    slope, start = _line([(at, sum(taken.values())) for at, taken in settled])
    first = start + slope * settled[0][0]
    growth = slope * (settled[-1][0] - settled[0][0]) / first
    rows.append(("all: MB half-way", first, None))
    rows.append(("all: % more in the second half", growth * 100, -MOST_GROWTH * 100))
    return server.table(rows)


def _line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Return slope and start of the straight line through points."""
    if len(points) < 2:
        return 0.0, points[0][1]
    line = statistics.linear_regression(*zip(*points, strict=True))
    return line.slope, line.intercept


def _load(world: World, *, seconds: float, rate: float | None, process: int) -> Held:
    """Ask for so long, as fast as it is answered or at a rate, with staff beside."""
    told, lock = Told(), threading.Lock()
    began = time.monotonic()
    end = began + seconds
    due = _due_times(began, end=end, rate=rate)
    memory: list[tuple[float, Mapping[str, float]]] = []

    def take() -> float | None:
        with lock:
            return next(due, None)

    def look_at_memory() -> None:
        while time.monotonic() < end:
            memory.append((time.monotonic() - began, _memory(process)))
            time.sleep(MEMORY_EVERY_S)

    works: list[Callable[[], None]] = [look_at_memory]
    works += [partial(_ask, world, n, take=take, told=told, lock=lock) for n in range(CONNECTIONS)]
    works += [partial(_look, world, n, end=end, told=told, lock=lock) for n in range(STAFF)]
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Held(told, memory)


def _due_times(began: float, *, end: float, rate: float | None) -> Iterator[float]:
    """Yield when each request is due: at the rate, or at once where there is none."""
    if rate is None:
        while (now := time.monotonic()) < end:
            yield now
        return
    number = 0
    while (due := began + number / rate) < end:
        yield due
        number += 1


def _ask(
    world: World,
    number: int,
    *,
    take: Callable[[], float | None],
    told: Told,
    lock: threading.Lock,
) -> None:
    """Ask over one connection, again and again; a broken one is counted, and made anew."""
    dice = random.Random(uuid.uuid4().int)
    turn = number
    wire = server.connect(world.port)
    while (due := take()) is not None:
        time.sleep(max(0.0, due - time.monotonic()))
        turn += 1
        is_batch = turn % (CURRENTS + 1) == 0
        data = _batch(world, dice) if is_batch else _current(world, dice)
        try:
            wire.sendall(data)
            answer = server.answer_of(wire)
            if answer[9:12] != b"200":
                raise RuntimeError(answer[:100].decode())
        except (OSError, RuntimeError) as error:
            with lock:
                told.errors[f"{type(error).__name__} {error}"] += 1
            wire.close()
            wire = server.connect(world.port)
            continue
        with lock:
            told.seconds.append(time.monotonic() - due)
            told.samples += BATCH * is_batch
    wire.close()


def _batch(world: World, dice: random.Random) -> bytes:
    from benchmarks.ingestion import sample

    now = datetime.now(UTC)
    items = [sample(dice.getrandbits(60), at=now, dice=dice) for _ in range(BATCH)]
    return server.request("/api/performance-samples", json.dumps(items).encode(), key=world.key)


def _current(world: World, dice: random.Random) -> bytes:
    path = f"/api/model-versions/acme/writer/current?key=user-{dice.randrange(1000)}"
    return server.request(path, key=world.key)


def _look(world: World, number: int, *, end: float, told: Told, lock: threading.Lock) -> None:
    """Be one of staff who opens a page every few seconds."""
    turn = number
    time.sleep(LOOK_EVERY_S * number / STAFF)
    while time.monotonic() < end:
        page = world.pages[turn % len(world.pages)]
        turn += 1
        began = time.monotonic()
        try:
            answer = server.ask(port=world.port, data=server.request(page, headers=[world.cookie]))
            if answer[9:12] != b"200":
                raise RuntimeError(f"{page}: {answer[:30].decode()}")
        except (OSError, RuntimeError) as error:
            with lock:
                told.errors[f"{page}: {type(error).__name__} {str(error)[:100]}"] += 1
        with lock:
            told.pages.append(time.monotonic() - began)
        time.sleep(max(0.0, began + LOOK_EVERY_S - time.monotonic()))


def _memory(process: int) -> Mapping[str, float]:
    """Return how many MB each program takes, all its processes together."""
    taken: defaultdict[str, float] = defaultdict(float)
    for pid in [process, *idle.descendants(process)]:
        try:
            each = idle.of_process(pid)
        except OSError:
            continue  # it ended meanwhile
        taken[each.name.split()[0]] += each.proportional
    return taken


@contextmanager
def _database(kind: str) -> Iterator[dict[str, str]]:
    """Make a database; yield what names it in the environment."""
    if kind == "sqlite":
        yield {}
        return
    name = f"benchmark_{uuid.uuid4().hex[:8]}"
    admin = f"{server.postgres()}/postgres"
    subprocess.run(["psql", "-q", admin, "-c", f"CREATE DATABASE {name}"], check=True)
    try:
        yield {"DATABASE_URL": f"{server.postgres()}/{name}"}
    finally:
        drop = f"DROP DATABASE {name} WITH (FORCE)"
        subprocess.run(["psql", "-q", admin, "-c", drop], check=True)


MAKE = """
import json, sys
import django
django.setup()
from django.utils import timezone
from benchmarks.ingestion import world
from benchmarks.writers import staff
from versioning.models import TrackedModel, UpgradeRecord
from versioning.services.upgrades import renewal
key = world(scopes=["ingest", "read"])
model = TrackedModel.objects.get()
other = model.versions.exclude(pk=model.current_version_id).get()
record = UpgradeRecord.objects.create(
    tracked_model=model, from_version=model.current_version, to_version=other,
    recommended_at=timezone.now(), changed_at=timezone.now(), step="minor", state="recommended",
)
renewal.renew(record_id=record.pk, now=timezone.now(), evidence_hash=None)
pages = ["/admin/", f"/admin/versioning/upgraderecord/{record.pk}/change/",
    f"/admin/versioning/trackedmodel/{model.pk}/change/", "/admin/versioning/modelversion/",
    "/admin/versioning/performancesample/"]
print(json.dumps([key, staff(), pages]))
"""


def _world(folder: Path, more: Mapping[str, str], *, port: int) -> World:
    key, cookie, pages = json.loads(_python(MAKE, folder, more).splitlines()[-1])
    return World(port=port, key=key, cookie=cookie, pages=tuple(pages))


def _stored(folder: Path, more: Mapping[str, str]) -> int:
    count = (
        "import django; django.setup()\n"
        "from versioning.models import PerformanceSample\n"
        "print(PerformanceSample.objects.count())"
    )
    return int(_python(count, folder, more))


def _python(code: str, folder: Path, more: Mapping[str, str]) -> str:
    environment = {
        **os.environ,
        "DATABASE_URL": "",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "HOTSWAP_DATA_DIR": str(folder),
        **more,
    }
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=server.ROOT,
    )
    if run.returncode:
        raise SystemExit(run.stderr)
    return run.stdout


if __name__ == "__main__":
    sys.exit(main())
