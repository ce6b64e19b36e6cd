"""What dropping old samples costs those who send new ones, and the disk.

python -m benchmarks.retention [--database sqlite|postgres] [--full]

Days go by, one comes and one goes, and the table's size is compared with that before. Then all
days are dropped at once while batches are inserted beside. On PostgreSQL the
other way is measured too: partitions by day with the unique index over requests in a table of its
own, since no unique index spans partitions by time.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks import server
from benchmarks.ingestion import bytes_of_samples

if TYPE_CHECKING:
    from versioning.services.samples.rollup_sums import SampleRow

BATCH = 1_000
KEPT_DAYS = 5
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def main() -> int:
    """Print the table of each database; return 1 when a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], help="only this one")
    parser.add_argument("--full", action="store_true", help="200,000 samples a day, not 40,000")
    options = parser.parse_args()
    if options.database is None:
        command = [sys.executable, "-m", "benchmarks.retention", *sys.argv[1:], "--database"]
        kinds = ["sqlite", "postgres"]
        return max(subprocess.run([*command, kind], cwd=server.ROOT).returncode for kind in kinds)
    if options.database == "postgres" and not server.has_postgres():
        print("No PostgreSQL at BENCHMARK_POSTGRES: not measured.")
        return 0
    batches = 200 if options.full else 40
    os.environ["HOTSWAP_RETENTION_DAYS"] = str(KEPT_DAYS)
    with server.database(options.database):
        rows = _measured(batches=batches)
        if options.database == "postgres":
            rows += _partitions(rows=batches * BATCH)
    print(f"{options.database}, {batches * BATCH:,} samples a day, load average {server.load()}")
    return server.table(rows)


def _measured(*, batches: int) -> list[tuple[str, float, float | None]]:
    from django.db import connection

    dice = random.Random(4)
    for day in range(KEPT_DAYS + 1):
        alone = _insert(day, batches=batches, dice=dice)
    _settle()
    with connection.cursor() as cursor:
        before = bytes_of_samples(cursor)
    days = 3 * KEPT_DAYS
    for day in range(KEPT_DAYS + 1, days):
        _drop(until=day)
        _settle()
        _insert(day, batches=batches, dice=dice)
    _settle()
    with connection.cursor() as cursor:
        after = bytes_of_samples(cursor)
    beside: list[float] = []
    with ThreadPoolExecutor() as pool:
        dropping = pool.submit(_drop, until=days + KEPT_DAYS)
        while not dropping.done():
            beside += _insert(days + KEPT_DAYS, batches=1, dice=dice)
    return [
        ("samples dropped a second, beside inserts", dropping.result(), None),
        ("batch of 1,000 alone, ms", statistics.median(alone) * 1000, None),
        ("the same while samples are dropped, ms", statistics.median(beside) * 1000, None),
        ("the longest of these, ms", max(beside) * 1000, -1_000),
        (f"size {days - KEPT_DAYS - 1} days later, times before", after / before, -1.25),
    ]


def _insert(day: int, *, batches: int, dice: random.Random) -> list[float]:
    """Add a day's samples; return the seconds of each batch."""
    from django.db import transaction

    from versioning.services.samples.store import insert_samples

    seconds = []
    for _ in range(batches):
        rows = [_row(day, dice=dice) for _ in range(BATCH)]
        began = time.perf_counter()
        with transaction.atomic():
            insert_samples(rows)
        seconds.append(time.perf_counter() - began)
    return seconds


def _row(day: int, *, dice: random.Random) -> "SampleRow":
    from versioning.models.fields import to_ms
    from versioning.services.samples.rollup_sums import SampleRow

    return SampleRow(
        at=to_ms(START + timedelta(days=day, seconds=dice.uniform(0, 36_000))),
        request_hash=dice.getrandbits(64) - 2**63, session_hash=None, version_id=1,
        task_id=1, route_id=1, tags_id=1, error_id=None, unknown_model_id=None, source=1,
        quality=dice.random(), latency_ms=dice.random(), ttft_ms=dice.random(),
        cost_nano_usd=dice.randrange(10**7),
        input_tokens=dice.randrange(4000), output_tokens=dice.randrange(800),
    )  # fmt: skip


def _drop(*, until: int) -> float:
    """Drop the samples that are too old on that day; return how many a second."""
    from django.db import connection

    from versioning.services.samples.retention import drop_old_samples

    began = time.perf_counter()
    gone = drop_old_samples(now=START + timedelta(days=until))
    seconds = time.perf_counter() - began
    if threading.current_thread() is not threading.main_thread():
        connection.close()
    return gone / seconds


def _settle() -> None:
    """Do what autovacuum does between two days."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM versioning_performancesample")


def _partitions(*, rows: int) -> list[tuple[str, float, float | None]]:
    """Return the bytes a sample as it is, and with partitions by day."""
    from django.db import connection

    table = "versioning_performancesample"
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}")
        _insert(0, batches=rows // BATCH, dice=random.Random(5))
        ours = bytes_of_samples(cursor) / rows
        cursor.execute(
            f"CREATE TABLE other (LIKE {table}) PARTITION BY RANGE (at);"
            "ALTER TABLE other DROP COLUMN request_hash;"
            "CREATE TABLE other_day PARTITION OF other DEFAULT;"
            "CREATE INDEX ON other (id);"
            "CREATE TABLE request (request_hash bigint PRIMARY KEY, sample_id bigint NOT NULL)"
        )
        columns = "id, at, version_id, session_hash, quality, latency_ms, ttft_ms, cost_nano_usd"
        columns += ", input_tokens, output_tokens, cached_tokens, reasoning_tokens, task_id"
        columns += ", route_id, tags_id, error_id, unknown_model_id, source, counted_out"
        cursor.execute(
            f"INSERT INTO other ({columns}) SELECT {columns} FROM {table};"  # noqa: S608
            f"INSERT INTO request SELECT request_hash, id FROM {table} ORDER BY random()"
        )
        cursor.execute(
            "SELECT pg_total_relation_size('other_day') + pg_total_relation_size('request')"
        )
        other = cursor.fetchone()[0] / rows
    return [
        ("bytes a sample, indexes included", ours, -200),
        ("the same with partitions and a table of requests", other, None),
    ]


if __name__ == "__main__":
    sys.exit(main())
