"""Two servers with a data folder each, as on two machines, and one database."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 2.0

WORLD = """
from django.utils import timezone
from tests.factories import ModelVersionFactory
from versioning.services import keys
from versioning.services.actors import Actor
version = ModelVersionFactory(tracked_model__name="writer", tracked_model__provider__slug="acme")
version.tracked_model.current_version = version
version.tracked_model.save()
made = keys.create_api_key(
    name="app", scopes=["read"], now=timezone.now(), actor=Actor.command()
)
print(made.secret)
"""
REVOKE = """
from django.utils import timezone
from versioning.models import ApiKey
from versioning.services import keys
from versioning.services.actors import Actor
keys.revoke(api_key_id=ApiKey.objects.get().pk, actor=Actor.command(), now=timezone.now())
"""


@dataclass
class Machine:
    """A server of its own data folder."""

    folder: Path
    database: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "HOTSWAP_DATA_DIR": str(self.folder),
            "DATABASE_URL": f"sqlite:///{self.database}",
        }

    def run(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def serve(self) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--no-control-socket"]
        command += ["--bind", f"127.0.0.1:{self.port}", "--threads", "2", "--log-level", "error"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment)

    def status(self, secret: str) -> int:
        """Return the status of a question for the current version."""
        try:
            return requests.get(
                f"http://127.0.0.1:{self.port}/api/model-versions/acme/writer/current",
                headers={"Authorization": f"Bearer {secret}"},
                timeout=10,
            ).status_code
        except requests.ConnectionError:
            return 0  # not up yet


@pytest.fixture
def machines(tmp_path: Path, migrated: Callable[[Path], None]) -> Iterator[tuple[Machine, Machine]]:
    one, other = (Machine(tmp_path / name, tmp_path / "db.sqlite3") for name in ("a", "b"))
    for machine in (one, other):
        machine.folder.mkdir()
    migrated(one.database)
    one.run("migrate", "-v", "0")
    for machine in (one, other):
        machine.serve()
    yield one, other
    for machine in (one, other):
        machine.process.terminate()
        machine.process.wait(timeout=20)


def wait_for(machine: Machine, secret: str, status: int, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (seen := machine.status(secret)) != status:
        assert time.monotonic() < deadline, f"still {seen}"
        time.sleep(0.05)


def test_revoked_key_is_refused_at_once_here_and_soon_elsewhere(
    machines: tuple[Machine, Machine],
) -> None:
    one, other = machines
    secret = one.run("shell", "-v", "0", "-c", WORLD).strip()
    for machine in machines:
        wait_for(machine, secret, 200, seconds=30)
        assert machine.status(secret) == 200  # it is remembered now
    one.run("shell", "-v", "0", "-c", REVOKE)
    assert one.status(secret) == 401
    wait_for(other, secret, 401, seconds=WITHIN_S)
