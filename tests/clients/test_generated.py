"""Clients that people generate from the description compile, and understand a real server.

`make clients` installs the generators, each as locked, and runs this.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from tests.factories import ApiKeyFactory
from tests.versioning.api.everything import TASK, Everything, everything
from tests.versioning.api.walk import Described, description, operations
from versioning.models import ApiKey, Policy, TrackedModel

pytestmark = [pytest.mark.clients, pytest.mark.django_db(transaction=True)]

HERE = Path(__file__).parent
TOOLS = Path(sys.prefix) / "clients" / "bin"
NODE = HERE / "node_modules" / ".bin"
NAME = "org/zeta:free"
WINDOWS = [{"days": ["mon"], "from": "09:00", "to": "16:00"}]
QUERIES = {"best": {"task": TASK}, "export_cases": {"form": "csv"}}
"""What some reads need; no generator reads JSONL."""

LONGEST_S = 300


def run(*command: str | Path, at: Path, stdin: str = "") -> str:
    """Run a program to its end, and return what it says."""
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=at,
        input=stdin,
        text=True,
        capture_output=True,
        timeout=LONGEST_S,
        check=False,
        env={**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "PYTHONPATH": str(at)},
    )
    assert ended.returncode == 0, f"{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
    return ended.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the description and the calls."""
    folder = tmp_path_factory.mktemp("clients")
    (folder / "schema.json").write_text(json.dumps(description()))
    for call in (HERE / "calls").iterdir():
        shutil.copy(call, folder)
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    return folder


@pytest.fixture
def world(transactional_db: None) -> Everything:
    found = everything(timezone.now())
    TrackedModel.objects.filter(pk=found.of("/api/tracked-models")["id"]).update(name=NAME)
    found.of("/api/model-versions/{provider}")["model"] = NAME
    Policy.objects.update(windows=WINDOWS)
    return found


@pytest.fixture
def asked(world: Everything, live_server: LiveServer) -> str:
    """What each client is asked to call: all reads, and some writes."""
    return json.dumps(
        {
            "url": live_server.url,
            "key": ApiKeyFactory(scopes=ApiKey.Scope.values).secret,
            "reads": [read_of(each, world) for each in operations() if each.method == "get"],
            "model": world.of("/api/model-versions/{provider}"),
            "policy": world.of("/api/policies")["id"],
        }
    )


def read_of(operation: Described, world: Everything) -> dict[str, Any]:
    known = world.of(operation.path)
    place = {name: known[name] for name in operation.parameters("path")}
    query = QUERIES.get(operation.schema["operationId"], {})
    return {
        "id": operation.schema["operationId"],
        "tag": operation.schema["tags"][0],
        "path": operation.path,
        "place": place,
        "query": query,
        "parts": {**place, **query},
    }


def assert_understood(answer: str) -> None:
    """All reads were answered and read, and the writes did what they say."""
    found = json.loads(answer)
    every = {each.schema["operationId"] for each in operations() if each.method == "get"}
    assert set(found.pop("reads")) == every
    served = found.pop("served")
    assert served >= 1
    assert found == {
        "upstream_id": "approved-2",
        "windows": WINDOWS,
        "quality": 0.5,
        "accepted": [1, 1],
        "upgraded": False,
        "watch_days": 3,
        "refused": 404,
    }


def openapi_generator(made: Path, kind: str, to: str) -> None:
    command = (TOOLS / "openapi-generator-cli", "generate", "-i", "schema.json", "-g", kind)
    run(*command, "-o", to, at=made)


def compile_typescript(made: Path, call: str) -> None:
    """Compile the call and all that it imports, strictly."""
    how = "--strict --target es2022 --module node16 --moduleResolution node16 --types node"
    run(NODE / "tsc", *how.split(), call, at=made)


def import_all(made: Path, package: str) -> None:
    code = (
        "import importlib, pkgutil, sys; package = importlib.import_module(sys.argv[1]); "
        "[importlib.import_module(each.name) for each in "
        "pkgutil.walk_packages(package.__path__, package.__name__ + '.')]"
    )
    run(TOOLS / "python", "-W", "error", "-c", code, package, at=made)


def test_openapi_generator_for_python(made: Path, asked: str) -> None:
    openapi_generator(made, "python", "python")
    (made / "openapi_client").symlink_to(made / "python" / "openapi_client")
    import_all(made, "openapi_client")

    assert_understood(run(TOOLS / "python", "call_openapi_generator.py", at=made, stdin=asked))


def test_openapi_python_client(made: Path, asked: str) -> None:
    where = ("--path", "schema.json", "--output-path", "generated", "--meta", "none")
    run(TOOLS / "openapi-python-client", "generate", *where, at=made)
    import_all(made, "generated")

    assert_understood(run(TOOLS / "python", "call_openapi_python_client.py", at=made, stdin=asked))


def test_openapi_generator_for_typescript(made: Path, asked: str) -> None:
    openapi_generator(made, "typescript-fetch", "typescript_fetch_client")
    compile_typescript(made, "call_typescript_fetch.ts")

    assert_understood(run("node", "call_typescript_fetch.js", at=made, stdin=asked))


def test_openapi_typescript(made: Path, asked: str) -> None:
    types = "openapi_typescript_types.ts"
    run(NODE / "openapi-typescript", "schema.json", "--output", types, at=made)
    compile_typescript(made, "call_openapi_typescript.ts")

    assert_understood(run("node", "call_openapi_typescript.js", at=made, stdin=asked))
