"""Requests made at random from the description: no fault of ours, each answer as described.

Seeded and bounded. The live server keeps the contract, too (``tests/versioning/api/contract.py``).
"""

import copy
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from celery.app.task import Task
from django.core.servers.basehttp import WSGIRequestHandler
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from tests.clients.test_generated import TOOLS, run
from tests.factories import ApiKeyFactory
from tests.versioning.api.everything import Everything, everything
from tests.versioning.api.walk import description
from versioning.models import ApiKey

pytestmark = [pytest.mark.clients, pytest.mark.django_db(transaction=True)]

SEED = 13
EXAMPLES = 4
"""Requests an operation and phase, so that it takes less than a minute."""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
LEFT_OUT = ("check", "test_connection")
"""They ask providers, at whatever address the requests before gave them."""


def with_known_parts(world: Everything) -> dict[str, Any]:
    """Return the description; the parts of addresses are, every other time, those that are."""
    told = copy.deepcopy(description())
    for path, methods in told["paths"].items():
        known = world.of(path)
        for operation in methods.values():
            for each in operation.get("parameters", ()):
                if each["in"] == "path" and each["name"] in known:
                    each["schema"] = {"anyOf": [{"const": known[each["name"]]}, each["schema"]]}
    return told


def test_no_request_makes_a_fault_and_each_answer_is_as_described(
    live_server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An answer goes out in two pieces: the second would wait 40 ms for word of the first.
    monkeypatch.setattr(WSGIRequestHandler, "disable_nagle_algorithm", True)
    monkeypatch.setattr(Task, "apply_async", lambda *_, **__: None)  # no worker
    logging.getLogger("django.request").setLevel(logging.ERROR)
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(with_known_parts(everything(timezone.now()))))
    key = ApiKeyFactory(scopes=ApiKey.Scope.values).secret

    said = run(
        TOOLS / "schemathesis",
        "run",
        schema,
        f"--url={live_server.url}",
        f"--header=Authorization: Bearer {key}",
        f"--checks={','.join(CHECKS)}",
        *(f"--exclude-operation-id={each}" for each in LEFT_OUT),
        f"--seed={SEED}",
        f"--max-examples={EXAMPLES}",
        "--phases=examples,coverage,fuzzing",
        "--suppress-health-check=all",
        "--warnings=off",
        "--continue-on-failure",
        "--no-shrink",
        at=tmp_path,
    )

    assert "No issues found" in said
    assert int(re.findall(r"(\d+) generated", said)[0]) > 5_000
