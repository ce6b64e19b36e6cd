"""For how long bringing the tables up to date holds up whoever reports samples (PostgreSQL).

python -m benchmarks.migrating [--samples 1000000]

The oldest kept database (tests/earlier) gets that many samples, and `prepare` brings it up to date
while batches come in, each of which reads a row of every table there was and adds 1,000 samples;
for twenty seconds of that a reader holds all tables, as a back-up does. For comparison an index is
made that the rules (CONTRIBUTING.md) refuse.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks import server

EARLIER = sorted((server.ROOT / "tests/earlier").glob("*-postgresql.tar"))
SAMPLES = "versioning_performancesample"
BATCH = 1_000
MOST_S = 2.0
READS_S = 20.0
"""How long the reader holds the tables: longer than ingest may wait for anything."""


@dataclass
class Ingest:
    """Batches one after the other, as the earlier release sent them, and how long each took."""

    address: str
    took: list[tuple[float, float]] = field(default_factory=list)
    """When each began, and its seconds."""
    _ends: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with psycopg.connect(self.address) as wire:
            tables = [name for (name,) in wire.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            )]  # fmt: skip
            read = [
                sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(name)) for name in tables
            ]
            add = copies(wire, BATCH)
            wire.commit()
            while not self._ends.is_set():
                began = time.perf_counter()
                for statement in read:
                    wire.execute(statement)
                wire.execute(add)
                wire.commit()
                self.took.append((began, time.perf_counter() - began))
                time.sleep(0.02)

    def end(self) -> None:
        self._ends.set()

    def longest(self, since: float) -> float:
        """Return the longest batch of those that had not ended by then."""
        return max((took for began, took in self.took if began + took > since), default=0.0)


def copies(wire: psycopg.Connection, number: int) -> sql.Composed:
    """Return what adds so many samples like those there are, each of another request."""
    names = [name for (name,) in wire.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s "
        "AND column_name <> 'id' AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [SAMPLES],
    )]  # fmt: skip
    new = sql.SQL("(random() * 9e18)::bigint * (CASE WHEN random() < 0.5 THEN 1 ELSE -1 END)")
    values = [new if name == "request_hash" else sql.Identifier(name) for name in names]
    return sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {values} FROM (SELECT * FROM {table} LIMIT 1) one, "
        "generate_series(1, {number}) ON CONFLICT DO NOTHING"
    ).format(
        table=sql.Identifier(SAMPLES),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        values=sql.SQL(", ").join(values),
        number=sql.Literal(number),
    )


@contextmanager
def database() -> Iterator[str]:
    name = f"benchmark_migrating_{os.getpid()}"
    with psycopg.connect(f"{server.postgres()}/postgres", autocommit=True) as wire:
        wire.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{server.postgres()}/{name}"
        finally:
            wire.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def put_back(kept: Path, *, address: str) -> None:
    """Put a kept database back as it was: `restore` would bring its tables up to date at once."""
    with tarfile.open(kept) as tar, tempfile.TemporaryDirectory() as folder:
        tar.extract("database.dump", folder, filter="data")
        command = ["pg_restore", "--no-owner", "--dbname", address, f"{folder}/database.dump"]
        subprocess.run(command, check=True)


def prepare() -> None:
    command = [sys.executable, "manage.py", "prepare"]
    subprocess.run(command, cwd=server.ROOT, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def ingest(address: str) -> Iterator[Ingest]:
    sending = Ingest(address)
    thread = threading.Thread(target=sending.run)
    thread.start()
    try:
        while thread.is_alive() and len(sending.took) < 5:
            time.sleep(0.1)
        yield sending
        time.sleep(0.5)
    finally:
        sending.end()
        thread.join()


def hold_as_a_back_up_does(address: str) -> threading.Thread:
    """Read every table, and keep it from being changed for a while."""
    holds = threading.Event()

    def read() -> None:
        with psycopg.connect(address) as wire:
            for (name,) in wire.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall():
                wire.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(name)))
            holds.set()
            time.sleep(READS_S)

    thread = threading.Thread(target=read)
    thread.start()
    holds.wait()
    return thread


def main() -> int:
    """Print the figures; return 1 where a batch waited too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    samples = parser.parse_args().samples
    if not server.has_postgres():
        print("No PostgreSQL at BENCHMARK_POSTGRES: nothing measured.")
        return 0
    with database() as address, tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": address,
            "HOTSWAP_DATA_DIR": folder,
            "CELERY_BROKER_URL": "",
        }
        put_back(EARLIER[0], address=address)
        with psycopg.connect(address, autocommit=True) as wire:
            wire.execute(copies(wire, samples))
            wire.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(SAMPLES)))
            (rows,) = wire.execute(f"SELECT count(*) FROM {SAMPLES}").fetchone() or (0,)  # noqa: S608
        print(f"postgres, {EARLIER[0].stem}, {rows:,} samples, load average {server.load()}")
        with ingest(address) as sending:
            time.sleep(3)
            alone = sending.longest(0)
            reader = hold_as_a_back_up_does(address)
            began = time.perf_counter()
            prepare()
            seconds = time.perf_counter() - began
            longest = sending.longest(began)
            reader.join()
        with ingest(address) as sending, psycopg.connect(address, autocommit=True) as wire:
            began = time.perf_counter()
            wire.execute(f"CREATE INDEX refused ON {SAMPLES} (task_id, at, version_id, quality)")
        refused = sending.longest(began)
    return server.table(
        [
            ("bringing the tables up to date, s", seconds, None),
            ("longest batch before it, s", alone, None),
            ("longest batch meanwhile, s", longest, -MOST_S),
            ("longest batch while an index is made, s", refused, None),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
