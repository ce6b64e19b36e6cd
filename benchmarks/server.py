"""A real server process on a database of its own, and a client that costs next to nothing."""

import math
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
THREADS = 16


def postgres() -> str:
    """Return the address of the PostgreSQL server that databases are made on."""
    return os.environ.get("BENCHMARK_POSTGRES", "postgres://root@127.0.0.1:5432")


def has_postgres() -> bool:
    """Whether the PostgreSQL server of BENCHMARK_POSTGRES answers."""
    import psycopg

    try:
        psycopg.connect(f"{postgres()}/postgres", connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def load() -> str:
    """Return the machine's load average of the last minute: figures depend on it."""
    return f"{os.getloadavg()[0]:.1f}"


@contextmanager
def database(kind: str, *, urls: str = "benchmarks.urls", kept: str = "") -> Iterator[None]:
    """Have Django use a new, empty database of the kind sqlite or postgres, gone afterwards.

    PostgreSQL is the server of BENCHMARK_POSTGRES, postgres://root@127.0.0.1:5432 without it. One
    that is kept in a folder stays, and is used again.
    """
    server = postgres()
    os.environ["BENCHMARK_URLS"] = urls
    name = f"benchmark_{Path(kept).name if kept else uuid.uuid4().hex[:8]}"
    with _folder(kept) as folder:
        os.environ["HOTSWAP_DATA_DIR"] = folder
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/db.sqlite3"
        if kind == "postgres":
            subprocess.run(
                ["psql", "-q", f"{server}/postgres", "-c", f"CREATE DATABASE {name}"],
                check=not kept,  # it may be there
            )
            os.environ["DATABASE_URL"] = f"{server}/{name}"
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        try:
            call_command("migrate", run_syncdb=True, verbosity=0)
            yield
        finally:
            connections.close_all()
            if kind == "postgres" and not kept:
                drop = f"DROP DATABASE {name} WITH (FORCE)"
                subprocess.run(["psql", "-q", f"{server}/postgres", "-c", drop], check=True)


@contextmanager
def _folder(kept: str) -> Iterator[str]:
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="hotswap-benchmark-") as folder:
        yield folder


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def gunicorn(*, threads: int = THREADS) -> Iterator[int]:
    """Run one worker process on the database in use; yield its port."""
    port = free_port()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "config.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
            "--workers",
            "1",
            "--worker-class",
            "gthread",
            "--threads",
            str(threads),
            "--keep-alive",
            "60",
            "--no-control-socket",
            "--log-level",
            "error",
        ],
        cwd=ROOT,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def cpu_s() -> float:
    """Return the CPU seconds that this process's servers took so far; not those of a database.

    While others use the machine, it says more of our work than the clock. Only Linux tells it.
    """
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        process = int(file.parent.name)
        parents[process] = int(fields[1])
        spent[process] = int(fields[11]) + int(fields[12])
    servers = {process for process, parent in parents.items() if parent == os.getpid()}
    workers = {process for process, parent in parents.items() if parent in servers}
    return sum(spent[process] for process in servers | workers) / os.sysconf("SC_CLK_TCK")


def request(
    path: str,
    body: bytes = b"",
    *,
    key: str = "",
    form: str = "application/json",
    headers: Sequence[str] = (),
) -> bytes:
    """Return the bytes of a POST request, of a GET when there is no body."""
    lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "Host: localhost", *headers]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    if body:
        lines += [f"Content-Type: {form}", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def connect(port: int) -> socket.socket:
    """Return a connection on which an answer takes a minute at most."""
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def send_all(*, port: int, requests: Sequence[bytes], clients: int) -> list[float]:
    """Send the requests over so many connections; return the seconds each took.

    Raises RuntimeError for an answer that is neither 2xx nor 304.
    """
    waiting = iter(requests)
    lock = threading.Lock()
    seconds: list[float] = []
    errors: list[bytes] = []

    def work() -> None:
        with socket.create_connection(("127.0.0.1", port)) as wire:
            while not errors:
                with lock:
                    data = next(waiting, None)
                if data is None:
                    return
                began = time.perf_counter()
                wire.sendall(data)
                answer = answer_of(wire)
                seconds.append(time.perf_counter() - began)
                if answer[9:10] != b"2" and answer[9:12] != b"304":
                    errors.append(answer)

    workers = [threading.Thread(target=work) for _ in range(clients)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if errors:
        raise RuntimeError(errors[0].decode())
    return seconds


def ask(*, port: int, data: bytes) -> bytes:
    """Send one request over a connection of its own and return the answer, head and body.

    Raises RuntimeError for an answer that is neither 2xx nor 304.
    """
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.sendall(data)
        answer = answer_of(wire)
    if answer[9:10] != b"2" and answer[9:12] != b"304":
        raise RuntimeError(answer.decode(errors="replace"))
    return answer


def table(rows: Sequence[tuple[str, float, float | None]]) -> int:
    """Print each figure with its target (a negative one is a ceiling); return 1 for a miss."""
    missed = False
    for name, value, target in rows:
        shown = f"{value:,.0f}" if value >= 10 else f"{value:.2f}"
        verdict = ""
        if target is not None:
            ceiling = math.copysign(1, target) < 0
            good = value <= -target if ceiling else value >= target
            missed |= not good
            verdict = f"{'at most' if ceiling else 'at least'} {abs(target):,}"
            verdict += ": met" if good else ": MISSED"
        print(f"  {name:45} {shown:>10}  {verdict}")
    return int(missed)


def answer_of(wire: socket.socket) -> bytes:
    """Read one whole answer, head and body. RuntimeError where the server hangs up."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(wire)
    head, _, body = data.partition(b"\r\n\r\n")
    if head[9:12] == b"304":
        return data
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += _received(wire)
    return head + b"\r\n\r\n" + body


def _received(wire: socket.socket) -> bytes:
    data = wire.recv(65536)
    if not data:
        raise RuntimeError("The server closed the connection.")
    return data


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            ask(port=port, data=request("/livez"))
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The server did not start.")
