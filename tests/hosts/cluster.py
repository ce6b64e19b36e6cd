"""Hotswap on ten hosts: two web machines, two workers, two beats, and what they speak to."""

import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psycopg

from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.config.conftest import run
from tests.hosts import network
from tests.hosts.network import Host, Network, wait_until
from tests.receiver import Receiver, receiving

MODELS = ("alpha", "beta", "gamma")
UPSTREAM = ("zed/{}-4-mini-20250101", "zed/{}-4-mini-20250201")
LOST_AFTER_S = 6
"""HOTSWAP_LOST_AFTER_SECONDS, short for the tests to be so."""

RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"
PORT = 8000
HOTSWAP = ("web1", "web2", "worker1", "worker2", "beat1", "beat2")
SLOW = ("web2", "worker2")
"""Whose cables can be made slow."""

SEED = f"""
import django, json, sys
django.setup()
from django.core.management import call_command
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule
from versioning.models import Policy
from versioning.services import keys, webhooks
from versioning.services.actors import Actor
at, taker, *secrets = sys.argv[1:]
call_command("prepare", verbosity=0)
fields = {{"name": "taker", "url": taker, "enabled": True}}
webhooks.add(fields=fields, actor=Actor.command())
add = ["--kind", "openrouter", "--base-url", at, "--api-key-env", "SIMULATED_KEY"]
call_command("add_provider", "sim", *add, stdout=sys.stderr)
call_command("check_providers", stdout=sys.stderr)
for name in {MODELS!r}:
    call_command("track", "sim", {UPSTREAM[0]!r}.format(name), "--name", name, stdout=sys.stderr)
Policy.objects.create(minimum_improvement=0)
# What is due each minute comes every two seconds here, and the daily check each minute.
IntervalSchedule.objects.filter(every=1).update(every=2, period="seconds")
IntervalSchedule.objects.exclude(every=2).update(every=7, period="seconds")
CrontabSchedule.objects.filter(hour=2).update(minute="*", hour="*")
scopes = ["read", "ingest", "decide", "setup"]
made = keys.create_api_key(name="t", scopes=scopes, now=timezone.now(), actor=Actor.command())
print(json.dumps(made.secret))
"""


def unavailable() -> str:
    """Say why there can be no cluster here; empty where there can."""
    if shutil.which("setpriv") is None:
        return "needs setpriv (util-linux)"
    if _faketime() is None:
        return "needs libfaketime"
    if not _programs_of_postgres("postgres"):
        return "needs PostgreSQL's server"
    if not Path(RABBITMQ).exists():
        return "needs RabbitMQ"
    return network.missing()


def _faketime() -> Path | None:
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


def _programs_of_postgres(name: str) -> list[Path]:
    return sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))


class Cluster:
    """All hosts, what runs on each, and the doors that tests go through."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)  # PostgreSQL doesn't run as root
        self._world = ExitStack()
        self.network = self._world.enter_context(Network())
        names = ("database", "queue", "provider", "clients", *HOTSWAP)
        self.hosts: dict[str, Host] = {
            name: self.network.host(name, slow=name in SLOW) for name in names
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.clocks: dict[str, str] = {}
        """How far the clock of a host is off, as faketime says it."""
        self.key = ""

    def __enter__(self) -> "Cluster":
        with ExitStack() as undo:
            undo.push(self._world)
            self._begin()
            undo.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._world.__exit__(None, None, None)

    def _begin(self) -> None:
        self._make_database()
        for name in ("database", "queue"):
            self.start(name)
        provider = self.hosts["provider"]
        self.simulator = provider.inside(lambda: Simulator(host=provider.address, page_size=1000))
        self._world.enter_context(self.simulator)
        for name in MODELS:
            for upstream in UPSTREAM:
                self.simulator.catalogue.add("openrouter", upstream.format(name))
        taking = receiving(provider.address)
        self.taker: Receiver = provider.inside(lambda: self._world.enter_context(taking))
        for name in ("database", "queue"):
            self.wait_for(name)
        said = self.python(SEED, self.simulator.base_url("openrouter"), self.taker.url)
        self.key = json.loads(said.splitlines()[-1])
        for name in HOTSWAP:
            self.start(name)
        for name in ("web1", "web2", "worker1", "worker2"):
            self.wait_for(name)

    # Programs

    def start(self, name: str) -> None:
        """Start what runs on a host."""
        kind = name.rstrip("12")
        # Where RabbitMQ dies it leaves a dump: not in the project.
        folder = network.ROOT if name in HOTSWAP else self.folder
        if kind == "database":
            command, environment = self._postgres(), os.environ.copy()
        elif kind == "queue":
            command, environment = [RABBITMQ], self._rabbitmq()
        else:
            doors = ["--host", self.hosts[name].address] if kind == "web" else []
            command = [sys.executable, "-m", "config.command", kind, *doors]
            environment = self.environment(name)
            if name in self.clocks:
                # Not by its command, which would stay between us and what is to be stopped. The
                # monotonic clock is off by as much: Python's sleep would fail were it not.
                environment |= {
                    "LD_PRELOAD": str(_faketime()),
                    "FAKETIME": self.clocks[name],
                    "NO_FAKE_STAT": "1",
                }
        output = self.folder / f"{name}.log"
        self.running[name] = self.hosts[name].start(command, environment, output, folder=folder)

    def restart(self, *names: str) -> list[int]:
        """Ask what runs on these hosts to end, start it anew, and return how each ended."""
        for name in names:
            self.running[name].terminate()
        codes = []
        for name in names:
            codes.append(self.running[name].wait(60))
            self.start(name)
        return codes

    def heal(self) -> None:
        """Have every cable, clock and program be well again."""
        self.network.mend()
        self.taker.takes_s = 0.0
        for host in self.hosts.values():
            host.plug_in()
            if host.cable is not None:
                host.cable.be(delay_s=0, loss=0)
        wrong = list(self.clocks)
        self.clocks.clear()
        self.restart(*wrong)
        self.start_what_ended()
        for name in ("web1", "web2"):
            self.wait_for(name)

    def start_what_ended(self) -> None:
        """Do what systemd does: what ended is started anew, and nothing of it is left before."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.hosts[name].kill()
                self.start(name)

    def run_on(self, name: str, code: str) -> Path:
        """Start Python on a host with the cluster's settings, and return where its output goes."""
        output = self.folder / f"{name}-run.log"
        self.hosts[name].start([sys.executable, "-c", code], self.environment(name), output)
        return output

    def wait_for(self, name: str) -> None:
        """Wait until what runs on a host does its work."""
        kind = name.rstrip("12")
        if kind == "database":
            wait_until(self.database_answers, name)
        elif kind == "web":
            wait_until(lambda: self.status(name, "/readyz") == 200, name)
        elif kind == "queue":
            log = self.folder / "rabbitmq" / "hs@localhost.log"
            wait_until(lambda: log.exists() and "startup complete" in log.read_text(), name)
        elif kind == "worker":
            log = self.folder / f"{name}.log"
            wait_until(lambda: "The worker is ready." in log.read_text(), name)

    def python(self, code: str, *arguments: str) -> str:
        """Run Python with the cluster's settings, and return what it printed."""
        done = run([sys.executable, "-c", code, *arguments], self.environment("seed"))
        assert not done.returncode, done.stderr
        return done.stdout

    def environment(self, name: str) -> dict[str, str]:
        data = self.folder / f"data-{name}"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONWARNINGS": "ignore",
            "HOTSWAP_DATA_DIR": str(data),
            "DATABASE_URL": self.database_url,
            "CELERY_BROKER_URL": f"amqp://guest:guest@{self.hosts['queue'].address}:5672//",
            "SECRET_KEY": "hosts",
            "ALLOWED_HOSTS": "*",
            "SIMULATED_KEY": KEY,
            "HOTSWAP_PROVIDER_KEYS": "SIMULATED_KEY",
            "HOTSWAP_SECRETS_KEY": "aXQncyBhIGtleSBmb3IgdGVzdHMsIG5vIG90aGVyISE=",
            "HOTSWAP_WEBHOOK_NETWORKS": "198.18.0.0/15",
            "HOTSWAP_LOST_AFTER_SECONDS": str(LOST_AFTER_S),
            "HOTSWAP_DRAIN_SECONDS": "2",
        }

    # Doors

    @property
    def database_url(self) -> str:
        return f"postgres://hotswap@{self.hosts['database'].address}:5432/postgres"

    def sql(self, query: str, *parameters: Any) -> list[Any]:
        with psycopg.connect(self.database_url, connect_timeout=5, autocommit=True) as connection:
            cursor = connection.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def database_answers(self) -> bool:
        try:
            return self.sql("SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False

    def status(self, name: str, path: str, *, within_s: float = 10) -> int:
        """Return what a web machine answers; 0 where it doesn't."""
        try:
            return self.ask(name, path, within_s=within_s)[0]
        except (OSError, http.client.HTTPException):
            return 0

    def ask(
        self,
        name: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        within_s: float = 10,
    ) -> tuple[int, Any]:
        """Ask a web machine something; return status and body. Raises OSError and HTTPException."""
        connection = http.client.HTTPConnection(self.hosts[name].address, PORT, timeout=within_s)
        try:
            connection.request(
                "GET" if body is None else "POST",
                path,
                None if body is None else json.dumps(body).encode(),
                {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
                | dict(headers or {}),
            )
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        with suppress(ValueError):
            return answer.status, json.loads(data)
        return answer.status, data

    # Servers of others

    def _make_database(self) -> None:
        data = self.folder / "postgres"
        data.mkdir()
        shutil.chown(data, "postgres", "postgres")
        made = self._as_postgres("initdb", "--pgdata", str(data), "-A", "trust", "-U", "hotswap")
        subprocess.run([*made, "--no-sync"], check=True, capture_output=True, cwd="/")
        with (data / "pg_hba.conf").open("a") as file:
            file.write("host all all 198.18.0.0/24 trust\n")

    def _postgres(self) -> list[str]:
        data = str(self.folder / "postgres")
        return self._as_postgres("postgres", "-D", data, "-h", "*", "-k", data)

    def _as_postgres(self, program: str, *arguments: str) -> list[str]:
        found = _programs_of_postgres(program)
        user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
        return [*user, str(found[-1]), *arguments]

    def _rabbitmq(self) -> dict[str, str]:
        folder = self.folder / "rabbitmq"
        folder.mkdir(exist_ok=True)
        (folder / "rabbitmq.conf").write_text("loopback_users = none\n")
        (folder / "environment.conf").touch()
        (folder / "plugins").write_text("[].\n")
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RABBITMQ_NODENAME": "hs@localhost",
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none",
        }
