"""The description of the API: valid, complete, and served without the internet."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from threading import Barrier
from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command
from drf_spectacular.views import SpectacularAPIView

from tests.versioning.api.conftest import Api
from versioning.api import description, urls

OURS_ALONE = {"livez", "readyz", "metrics", "schema", "docs", "redoc"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    written = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=written)
    described: dict[str, Any] = yaml.safe_load(written.getvalue())
    return described


def operations(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"] == "3.1.0"


def test_every_address_is_described(schema: dict[str, Any]) -> None:
    named = {p.name for p in urls.urlpatterns if getattr(p, "name", None)} - OURS_ALONE

    assert len(schema["paths"]) == len(named)
    assert "/api/v1/model-versions/{provider}/{model}/current" in schema["paths"]
    assert not [path for path in schema["paths"] if path.endswith("/")]


def test_every_operation_has_a_name_words_and_a_lock(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["security"], name
    ids = [operation["operationId"] for _, operation in operations(schema)]
    assert len(ids) == len(set(ids))


def test_every_error_is_described_as_a_problem(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        errors = {status: r for status, r in operation["responses"].items() if status >= "400"}
        assert {"401", "403"} <= set(errors), name
        for answer in errors.values():
            content = answer["content"]["application/problem+json"]["schema"]
            assert content["$ref"] == "#/components/schemas/Problem", name


def test_threads_that_ask_for_it_at_once_get_one_and_the_same() -> None:
    """The framework's generator can't describe the API twice at a time; it is asked once."""
    assert SpectacularAPIView.generator_class is description.OnceGenerator
    known = description.OnceGenerator().get_schema()
    description._described.cache_clear()
    at_once = Barrier(8)

    def ask(_: int) -> dict[str, Any]:
        at_once.wait()
        return SpectacularAPIView.generator_class().get_schema(request=None, public=True)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(8)))
    assert all(each is found[0] for each in found)
    assert found[0] == known


SAMPLE = {"provider": "acme", "model": "writer", "request_id": "a"}
SCORE = {"request_id": "a", "quality": 0.5}
BODIES = {
    "/api/v1/performance-samples": [
        SAMPLE,
        [SAMPLE, {**SAMPLE, "cost_usd": 0.5}, {**SAMPLE, "cost_usd": "0.5"}],
        {"samples": [SAMPLE]},
    ],
    "/api/v1/performance-samples/scores": [SCORE, [SCORE], {"scores": [SCORE]}],
    "/api/v1/performance-samples/{request_id}/scores": [
        {"quality": 0.5},
        {"signals": {"valid_output": True}},
    ],
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "body"), [(path, body) for path, bodies in BODIES.items() for body in bodies]
)
def test_what_the_way_in_takes_is_described(
    api: Api, schema: dict[str, Any], path: str, body: Any
) -> None:
    for method in ("POST", "PATCH"):
        answer = api._send(method, path.replace("{request_id}", "a"), body, {})
        assert (method.lower() in schema["paths"][path]) == (answer.status_code != 405)
        if answer.status_code != 405:
            assert answer.json()["rejected"] == []
            operation = schema["paths"][path][method.lower()]
            described = operation["requestBody"]["content"]["application/json"]["schema"]
            jsonschema.validate(body, {**described, "components": schema["components"]})


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/docs", "/api/redoc"])
def test_the_pages_load_nothing_from_elsewhere(stranger: Api, address: str) -> None:
    page = stranger.get(address).content.decode()

    assert "/static/drf_spectacular_sidecar/" in page
    assert "cdn" not in page
    assert 'src="http' not in page
