"""A request and the task that it starts, followed by the spans that a collector gets.

It needs what `make tracing` installs.
"""

import json
import sys
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from sample_world.simulator import Simulator
from tests.config.conftest import (
    DATABASE,
    UP,
    Migrated,
    Start,
    embedded,
    run,
    start,
    wait_until,
)
from tests.ports import free_port
from tests.receiver import Receiver, receiving

pytest.importorskip("opentelemetry.instrumentation", reason="make tracing installs it")
__all__ = ["start"]
TRACE = "0af7651916cd43dd8448eb211c80319c"
KEY = "sk-of-a-provider"


def spans_at(collector: Receiver) -> list[tuple[str, Any, dict[str, Any]]]:
    """Return the service, the span and its attributes, of all spans that have come."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found = []
    for each in collector.received:
        assert each.path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(each.body).resource_spans:
            about = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    attributes = {
                        a.key: a.value.int_value or a.value.string_value for a in span.attributes
                    }
                    found.append((about["service.name"], span, attributes))
    return found


def test_a_request_and_its_task_are_one_trace_without_a_word_of_theirs(
    start: Start, simulator: Simulator, tmp_path: Path, migrated: Migrated
) -> None:
    from config import tracing

    folder, port, output = tmp_path / "var", free_port(), tmp_path / "output"
    migrated(folder / DATABASE)
    with receiving() as collector:
        collector.status, collector.refuses = 200, b"nothing"
        environment = embedded(
            folder,
            HOTSWAP_TRACES_URL=f"{collector.url}/",
            OTEL_BSP_SCHEDULE_DELAY="200",
            HOTSWAP_PROVIDER_KEYS="A_KEY",
            A_KEY=KEY,
        )
        simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250101")

        def manage(*arguments: str) -> str:
            ended = run([sys.executable, "manage.py", *arguments], environment)
            assert ended.returncode == 0, ended.stderr
            return ended.stdout.strip()

        kind = ["--kind", "openrouter", "--base-url", simulator.base_url("openrouter")]
        manage("prepare")
        manage("add_provider", "router", *kind, "--api-key-env", "A_KEY")
        key = manage("create_api_key", "t", "--scope", "read", "--scope", "decide")
        up = start([*UP, "--port", str(port)], environment, output)
        wait_until(lambda: "Ctrl-C stops it." in output.read_text() or up.poll(), "the start")
        address = f"http://127.0.0.1:{port}"
        simulator.forget_requests()

        def ask(path: str, body: Any = None) -> str:
            asked = urllib.request.Request(  # noqa: S310 (http, of this test)
                f"{address}{path}", json.dumps(body).encode() if body is not None else None
            )
            asked.add_header("Authorization", f"Bearer {key}")
            asked.add_header("Content-Type", "application/json")
            asked.add_header("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
                return str(answer.headers["X-Request-Id"])

        request_id = ask("/api/v1/checks", {"provider": "router"})
        with pytest.raises(HTTPError, match="404"):
            ask("/calendar/a-secret-in-the-address.ics")

        def of_the_trace() -> dict[str, list[tuple[Any, dict[str, Any]]]]:
            found = defaultdict(list)
            for service, span, attributes in spans_at(collector):
                if span.trace_id.hex() == TRACE:
                    found[service].append((span, attributes))
            return found

        def of_tasks() -> list[tuple[Any, dict[str, Any]]]:
            return [
                (span, attributes)
                for span, attributes in of_the_trace()["hotswap-worker"]
                if attributes.get("celery.action") == "run"
            ]

        wait_until(of_tasks, "the task's span")
        wait_until(lambda: simulator.requests("openrouter"), "the question to the provider")
        ask("/livez")
        ask("/metrics")
        seen = simulator.requests("openrouter")
        up.terminate()
        assert up.wait(60) == 0, output.read_text()
        found, tasks = of_the_trace(), of_tasks()

    of_requests = {a["http.route"]: a for _, a in found["hotswap-web"] if "http.route" in a}
    # What machines ask every few seconds is left out.
    assert {*of_requests} == {"api/v1/checks", "calendar/<str:token>.ics"}
    told = of_requests["api/v1/checks"]
    assert told["http.response.status_code"] == 202
    assert told[tracing.REQUEST_ID] == request_id
    assert "versioning.run_begun_checks" in {a["celery.task_name"] for _, a in tasks}
    queries = [a for service in found for _, a in found[service] if "db.query.text" in a]
    assert {a["db.namespace"] for a in queries} == {DATABASE}
    assert {"hotswap-web", "hotswap-worker"} <= {*found}
    outside = [
        a for _, a in found["hotswap-worker"] if a.get("server.address") and "db.namespace" not in a
    ]
    assert outside, "what it asked the provider has no span"

    assert seen, "the provider was not asked"
    assert not [request for request in seen if "traceparent" in request.headers]
    every = [span for _, span, _ in spans_at(collector)]
    for span in every:
        kept = {a.key for a in span.attributes}
        kept |= {a.key for event in span.events for a in event.attributes}
        assert kept <= tracing.KEPT
        assert span.status.message == ""
    sent = b"".join(each.body for each in collector.received)
    for secret in (KEY, key, "a-secret-in-the-address", simulator.base_url("openrouter")):
        assert secret.encode() not in sent
