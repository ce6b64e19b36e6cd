"""Samples and spans a second over HTTP, against a raw insert of the rows and a bare Django view.

python -m benchmarks.ingestion [--database sqlite|postgres] [--full]
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import server, traces

BATCH = 1_000
CLIENTS = 2
SINGLES = 400
TARGETS = {"sqlite": 20_000, "postgres": 35_000}
SPANS = 12_000
"""Spans of a CPU second of the server at least, each of them a request."""


class Rates(NamedTuple):
    """Items a second of the clock, and a CPU second of the server (without the database's)."""

    by_clock: float
    by_cpu: float


def main() -> int:
    """Print the table of each database; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=list(TARGETS), help="only this one")
    parser.add_argument("--full", action="store_true", help="200 batches, a million rows on disk")
    parser.add_argument("--send", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.send:
        return _send(*options.send)
    if options.database is None:
        return _each(sys.argv[1:])
    if options.database == "postgres" and not server.has_postgres():
        print("No PostgreSQL at BENCHMARK_POSTGRES: not measured.")
        return 0
    batches, disk, rounds = (200, 1_000_000, 9) if options.full else (40, 100_000, 3)
    with server.database(options.database):
        key = world(scopes=["ingest"])
        with server.gunicorn() as port:
            samples = _batch_rates(port=port, key=key, batches=batches)
            spans = {
                (shape, form): _span_rates(
                    port=port, key=key, shape=shape, form=form, number=batches
                )
                for shape in (1, 3)
                for form in (traces.PROTOBUF, traces.JSON)
            }
            singles, bare = _singles_per_second(port=port, key=key, rounds=rounds)
        raw = _raw_per_second()
        weight = _bytes_per_sample(rows=disk)
    print(f"{options.database}, one server process, load average {server.load()}")
    return server.table(
        [
            ("samples/s, batches of 1,000", samples.by_clock, TARGETS[options.database]),
            ("samples a CPU second of the server", samples.by_cpu, None),
            ("ratio to a raw insert of the same rows", samples.by_clock / raw, 0.2),
            ("single samples/s, 16 clients", singles, None),
            ("ratio to a bare view that inserts a row", singles / bare, 0.5),
            ("bytes a sample on disk, indexes included", weight, -200),
            *(row for key, rates in spans.items() for row in _span_rows(*key, rates)),
        ]
    )


def _span_rows(shape: int, form: str, rates: Rates) -> Iterator[tuple[str, float, float | None]]:
    name = f"{form.rpartition('-')[2].rpartition('/')[2]}, {shape} a request"
    yield f"spans/s, {name}", rates.by_clock, None
    target = SPANS if (shape, form) == (1, traces.PROTOBUF) else None
    yield f"spans a CPU second of the server, {name}", rates.by_cpu, target


def _each(arguments: list[str]) -> int:
    """Measure each database in a process of its own: Django has one at a time."""
    command = [sys.executable, "-m", "benchmarks.ingestion", *arguments, "--database"]
    codes = [subprocess.run([*command, name], cwd=server.ROOT).returncode for name in TARGETS]
    return max(codes)


def world(*, scopes: list[str]) -> str:
    """Make a tracked model with two versions and a key; return the key's secret."""
    from django.utils import timezone

    from providers.models import Provider
    from versioning.models import ModelVersion, TrackedModel
    from versioning.services import keys
    from versioning.services.actors import Actor

    now = timezone.now()
    provider = Provider.objects.create(slug="acme", name="Acme", kind="openai")
    model = TrackedModel.objects.create(provider=provider, name="writer")
    versions = [
        ModelVersion.objects.create(
            tracked_model=model, label=f"1.{n}.0", upstream_id=f"acme/writer-{n}"
        )
        for n in range(2)
    ]
    TrackedModel.objects.filter(pk=model.pk).update(current_version=versions[0])
    return keys.create_api_key(
        name="benchmark", scopes=scopes, now=now, actor=Actor.command()
    ).secret


def sample(number: int, *, at: datetime, dice: random.Random) -> dict[str, object]:
    """Return what an application reports of one request."""
    fields: dict[str, object] = {
        "provider": "acme",
        "model": "writer",
        "resolved_id": f"acme/writer-{number % 2}",
        "served_id": f"acme/writer-{number % 2}",
        "task": ("summarise", "extract", "classify")[number % 3],
        "quality": round(dice.betavariate(6, 2), 4),
        "latency_ms": round(dice.lognormvariate(6.5, 0.5), 2),
        "ttft_ms": round(dice.lognormvariate(5, 0.5), 2),
        "input_tokens": dice.randrange(50, 4_000),
        "output_tokens": dice.randrange(10, 800),
        "cost_usd": f"{dice.uniform(0.0001, 0.01):.6f}",
        "request_id": f"req_{number:012x}",
        "time": at.isoformat(),
        "tags": {"language": ("de", "en")[number % 2]},
    }
    if number % 50 == 0:
        fields |= {"error": "rate_limit", "quality": None}
    return fields


def _batch_rates(*, port: int, key: str, batches: int) -> Rates:
    dice, now = random.Random(1), datetime.now(UTC)
    requests = [
        server.request(
            "/api/performance-samples",
            json.dumps(
                [
                    sample(n, at=now - timedelta(seconds=dice.uniform(0, 7_200)), dice=dice)
                    for n in range(first, first + BATCH)
                ]
            ).encode(),
            key=key,
        )
        for first in range(0, (batches + 4) * BATCH, BATCH)
    ]
    return _rates(port=port, requests=requests, each=BATCH)


def _span_rates(*, port: int, key: str, shape: int, form: str, number: int) -> Rates:
    exports = traces.exports(shape=shape, form=form, number=number + 4)
    requests = [server.request("/v1/traces", body, key=key, form=form) for body in exports]
    return _rates(port=port, requests=requests, each=traces.SPANS // shape * shape)


def _rates(*, port: int, requests: list[bytes], each: int) -> Rates:
    """Send requests with so many items each; the first four only warm the server up."""
    server.send_all(port=port, requests=requests[:4], clients=CLIENTS)
    items = (len(requests) - 4) * each
    before = server.cpu_s()
    took = _timed(port=port, requests=requests[4:], clients=CLIENTS)
    return Rates(items / took, items / (server.cpu_s() - before))


def _singles_per_second(*, port: int, key: str, rounds: int) -> tuple[float, float]:
    """Return single samples a second through the API, and through the bare view."""
    dice, now = random.Random(2), datetime.now(UTC)
    ours: list[float] = []
    bare: list[float] = []
    for turn in range(rounds):
        first = 10**9 + turn * SINGLES
        bodies = [
            json.dumps(sample(n, at=now, dice=dice)).encode() for n in range(first, first + SINGLES)
        ]
        for path, results in (("/api/performance-samples", ours), ("/bare/insert", bare)):
            requests = [server.request(path, body, key=key) for body in bodies]
            results.append(SINGLES / _timed(port=port, requests=requests, clients=16))
    return statistics.median(ours), statistics.median(bare)


def _timed(*, port: int, requests: list[bytes], clients: int) -> float:
    """Send the requests from another process; return the seconds that it took."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests"
        file.write_bytes(b"".join(len(r).to_bytes(8, "big") + r for r in requests))
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "benchmarks.ingestion",
                "--send",
                str(file),
                str(port),
                str(clients),
            ],
            capture_output=True,
            text=True,
            check=True,
            cwd=server.ROOT,
        )
    return float(run.stdout)


def _send(file: str, port: str, clients: str) -> int:
    data, requests, place = Path(file).read_bytes(), [], 0
    while place < len(data):
        end = place + 8 + int.from_bytes(data[place : place + 8], "big")
        requests.append(data[place + 8 : end])
        place = end
    began = time.perf_counter()
    server.send_all(port=int(port), requests=requests, clients=int(clients))
    print(time.perf_counter() - began)
    return 0


def _raw_per_second() -> float:
    """Insert the rows that came over HTTP once more, 1,000 a transaction, and nothing else."""
    from django.db import transaction

    from versioning.models import PerformanceSample
    from versioning.models.fields import to_ms
    from versioning.services.samples.rollup_sums import SampleRow
    from versioning.services.samples.store import insert_samples

    stored = PerformanceSample.objects.filter(request_hash__isnull=False)
    rows = [SampleRow(to_ms(r[0]), *r[1:]) for r in stored.values_list(*SampleRow._fields)]
    PerformanceSample.objects.all().delete()
    began = time.perf_counter()
    for first in range(0, len(rows), BATCH):
        with transaction.atomic():
            insert_samples(rows[first : first + BATCH])
    return len(rows) / (time.perf_counter() - began)


def _bytes_per_sample(*, rows: int) -> float:
    from django.db import connection

    from versioning.models import PerformanceSample
    from versioning.models.fields import to_ms
    from versioning.services.samples.rollup_sums import SampleRow
    from versioning.services.samples.store import insert_samples

    dice = random.Random(3)
    example = SampleRow(
        at=to_ms(datetime.now(UTC)), request_hash=0, session_hash=None, version_id=1,
        task_id=1, route_id=1, tags_id=1, error_id=None, unknown_model_id=None, source=1,
    )  # fmt: skip
    with connection.cursor() as cursor:
        PerformanceSample.objects.all().delete()
        cursor.execute("VACUUM")
        before = bytes_of_samples(cursor)
        for first in range(0, rows, 20_000):
            insert_samples(
                [
                    example._replace(
                        at=example.at + n * 20,
                        request_hash=dice.getrandbits(64) - 2**63,
                        quality=dice.random(),
                        latency_ms=dice.random() * 3000,
                        ttft_ms=dice.random() * 500,
                        cost_nano_usd=dice.randrange(10**7),
                        input_tokens=dice.randrange(4000),
                        output_tokens=dice.randrange(800),
                    )
                    for n in range(first, first + 20_000)
                ]
            )
        return (bytes_of_samples(cursor) - before) / rows


def bytes_of_samples(cursor: Any) -> int:
    """Return the bytes of the samples' table with its indexes; on SQLite of the whole file."""
    if cursor.db.vendor == "postgresql":
        cursor.execute("SELECT pg_total_relation_size('versioning_performancesample')")
        return int(cursor.fetchone()[0])
    cursor.execute("PRAGMA page_count")
    pages = int(cursor.fetchone()[0])
    cursor.execute("PRAGMA page_size")
    return pages * int(cursor.fetchone()[0])


if __name__ == "__main__":
    sys.exit(main())
