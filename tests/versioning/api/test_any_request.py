"""What holds for every operation, whatever is sent to it: found by walking over all of them."""

import io
import json
from typing import Any

import pytest
from django.contrib.admin import site
from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory, tracked
from tests.versioning.api import walk
from tests.versioning.api.conftest import JSON, Api
from tests.versioning.api.test_problems import assert_problem
from tests.versioning.api.walk import Described
from versioning.models import PerformanceSample, Policy, TrackedModel

pytestmark = pytest.mark.django_db

OPERATIONS = walk.operations()
WRITES = walk.writes()
CHANGES = [each for each in WRITES if each.rule and each.media_types == [JSON]]
TOLD_NOTHING = [
    each
    for each in CHANGES
    if each.fields() and (each.method == "patch" or "201" in each.schema["responses"])
]
TOO_LARGE = [2**63, 2**64, 10**30, int("9" * 400)]
DEEP = [2_000, 20_000, 100_000]


def every(found: list[Described]) -> Any:
    return pytest.mark.parametrize("operation", found, ids=str)


def test_the_walk_is_complete() -> None:
    assert len(OPERATIONS) > 80
    assert len(CHANGES) > 30
    assert len(TOLD_NOTHING) > 12


def send(api: Api, operation: Described, body: Any, **headers: str) -> Any:
    return api._send(operation.method.upper(), operation.address(), body, headers)


@every(TOLD_NOTHING)
@pytest.mark.parametrize("body", [b"{}", b"", b"null", b"[]", b'""', b"0", b"false"])
def test_a_write_of_nothing_is_never_a_success(api: Api, operation: Described, body: bytes) -> None:
    assert_problem(send(api, operation, body), 422, "invalid")


@every([each for each in CHANGES if each.method == "post" and each.required_fields()])
def test_each_field_that_an_action_needs_is_named(api: Api, operation: Described) -> None:
    problem = assert_problem(send(api, operation, b"{}"), 422, "invalid")

    named = {error["pointer"].removeprefix("/"): error["code"] for error in problem["errors"]}
    assert named == dict.fromkeys(operation.required_fields(), "required")


@every(CHANGES)
@pytest.mark.parametrize("body", [b"null", b"[]", b'""', b"0", b"false"])
def test_what_is_no_object_is_refused(api: Api, operation: Described, body: bytes) -> None:
    assert_problem(send(api, operation, body), 422, "invalid")


def in_pieces(client: Client, operation: Described, body: bytes, secret: str, **more: Any) -> Any:
    return client.generic(
        operation.method.upper(),
        operation.address(),
        CONTENT_TYPE=operation.media_types[0] if operation.media_types else JSON,
        headers={"Authorization": f"Bearer {secret}", "Transfer-Encoding": "chunked"},
        **{"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, **more},
    )


@every([each for each in WRITES if each.media_types])
def test_a_body_in_pieces_is_read(api: Api, operation: Described) -> None:
    """As if it had come with its length: here one that is not JSON, or no field of anything."""
    body = b'{"no-such-field": 1}'
    whole = send(api, operation, body, Content_Type=operation.media_types[0])

    pieces = in_pieces(api.client, operation, body, api.secret)

    assert pieces.status_code == whole.status_code
    assert _without_id(pieces) == _without_id(whole)


def _without_id(answer: Any) -> Any:
    return {k: v for k, v in json.loads(answer.content).items() if k != "request_id"}


@every([each for each in WRITES if each.media_types])
def test_a_body_in_pieces_without_an_end_is_411(api: Api, operation: Described) -> None:
    answer = in_pieces(api.client, operation, b"{}", api.secret, **{"wsgi.input_terminated": False})

    assert_problem(answer, 411, "length-required")


def test_a_change_that_comes_in_pieces_is_made(api: Api) -> None:
    general = api.post("/api/policies", {"watch_days": 14}).json()["id"]
    (change,) = (each for each in WRITES if each.schema["operationId"] == "change_policy")

    answer = api.client.generic(
        "PATCH",
        change.address(general),
        CONTENT_TYPE=JSON,
        headers={"Authorization": f"Bearer {api.secret}", "Transfer-Encoding": "chunked"},
        **{"wsgi.input": io.BytesIO(b'{"watch_days": 3}'), "wsgi.input_terminated": True},
    )

    assert answer.status_code == 200
    assert Policy.objects.get().watch_days == 3


def test_a_page_of_the_admin_reads_a_form_in_pieces(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))

    answer = client.generic(
        "POST",
        reverse("admin:versioning_slicetag_add"),
        CONTENT_TYPE="application/x-www-form-urlencoded",
        headers={"Transfer-Encoding": "chunked"},
        **{"wsgi.input": io.BytesIO(b"name=language"), "wsgi.input_terminated": True},
    )

    assert answer.status_code == 302


@every([each for each in WRITES if JSON in each.media_types])
@pytest.mark.parametrize("levels", DEEP)
@pytest.mark.parametrize("shape", ["lists", "objects", "within"])
def test_json_that_is_nested_too_deep_is_400(
    api: Api, operation: Described, levels: int, shape: str
) -> None:
    lists = b"[" * levels + b"]" * levels
    body = {
        "lists": lists,
        "objects": b'{"a":' * levels + b"1" + b"}" * levels,
        "within": b'{"tags": ' + lists + b', "resourceSpans": ' + lists + b"}",
    }[shape]

    answer = send(api, operation, body)

    if operation.path == "/v1/traces" and answer.status_code == 200:
        # An export is read span by span: what lies so deep is in none, or ends that one alone.
        assert not PerformanceSample.objects.exists()
        return
    assert answer.status_code in {400, 413, 422}, answer.content[:300]
    assert answer["Content-Type"] == "application/problem+json"


@every([each for each in OPERATIONS if each.parameters("path", "integer")])
@pytest.mark.parametrize("id", TOO_LARGE, ids=lambda id: f"{len(str(id))}-digits")
def test_an_id_that_no_row_can_have_is_404(api: Api, operation: Described, id: int) -> None:
    for name in operation.parameters("path", "integer"):
        address = operation.address(1, **{name: id})
        answer = api._send(operation.method.upper(), address, {}, {})
        assert_problem(answer, 404, "not-found")


@every([each for each in OPERATIONS if each.parameters("query")])
@pytest.mark.parametrize("text", [str(2**63), "-" + str(2**70), "9" * 400, "1e999", "\ud800", "\0"])
def test_a_query_that_no_row_can_match_is_no_fault_of_ours(
    api: Api, operation: Described, text: str
) -> None:
    tracked(name="1")
    for name in operation.parameters("query"):
        answer = api.client.generic(
            operation.method.upper(),
            operation.address(),
            headers={"Authorization": f"Bearer {api.secret}"},
            query_params={name: text.encode("utf-8", "surrogatepass")},
        )
        assert answer.status_code < 500, (name, answer.content[:200])


@every([each for each in OPERATIONS if each.parameters("query", "integer")])
@pytest.mark.parametrize("number", TOO_LARGE[:3] + [-(2**63) - 1])
def test_a_number_that_no_column_holds_is_400_in_a_query(
    api: Api, operation: Described, number: int
) -> None:
    for name in operation.parameters("query", "integer"):
        answer = api.get(f"{operation.address()}?{name}={number}")
        assert assert_problem(answer, 400, "bad-query")["errors"][0]["pointer"] == f"?{name}"


@every([each for each in CHANGES if each.fields()])
@pytest.mark.parametrize(
    "value", [2**63, -(2**70), 10**400, 1e308, "9" * 500, {"a": 10**30}, [10**30], "\ud800"]
)
def test_a_value_that_nothing_can_hold_is_no_fault_of_ours(
    api: Api, operation: Described, value: Any
) -> None:
    body = dict.fromkeys(operation.fields(), value)
    bodies = [body, *({name: value} for name in operation.fields())]
    for each in bodies:
        answer = send(api, operation, json.dumps(each).encode())
        assert answer.status_code < 500, (each, answer.content[:300])


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "9" * 5_000])
def test_a_number_that_is_none_is_400(api: Api, number: str) -> None:
    body = f'{{"minimum_improvement": {number}}}'.encode()

    assert_problem(api.post("/api/policies", body), 400, "malformed-json")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "PURGE"])
@pytest.mark.parametrize(
    "address",
    [
        "/api",
        "/api/",
        "/api/polcies",
        "/v1",
        "/v1/trace",
        "/api/a/b/c",
        "/api//policies",
        "/livezz",
    ],
)
def test_a_misspelt_address_is_404_whatever_is_sent(
    api: Api, stranger: Api, method: str, address: str
) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(UserFactory(is_staff=True))

    assert_problem(client.generic(method, address), 404, "not-found")
    assert_problem(api._send(method, address, {}, {}), 404, "not-found")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PURGE"])
def test_every_wrong_method_is_a_problem(api: Api, method: str) -> None:
    paths = [*walk.description()["paths"], "/livez", "/readyz", "/api/schema", "/api/docs"]
    for path in paths:
        if method.lower() in walk.description()["paths"].get(path, {}):
            continue
        answer = api._send(method, path.replace("{", "").replace("}", ""), {}, {})
        assert answer.status_code in {404, 405}, (path, answer.status_code)
        assert answer["Content-Type"] == "application/problem+json", path


def test_a_page_for_an_id_that_no_row_can_have_is_404(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    client.raise_request_exception = False
    for model in site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        answer = client.get(reverse(f"admin:{label}_change", args=[2**63]))
        assert answer.status_code in {302, 404}, label
    assert TrackedModel.objects.count() == 0
