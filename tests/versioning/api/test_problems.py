"""Every error of the API is RFC 9457 problem details."""

from typing import Any

import pytest

from tests.factories import tracked
from tests.versioning.api.conftest import Api
from versioning.services import serving

pytestmark = pytest.mark.django_db

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "errors", "request_id"}


def assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert set(problem) == MEMBERS
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"/api/problems/{code}"
    assert problem["detail"]
    assert problem["request_id"] == answer["X-Request-ID"]
    return problem


@pytest.mark.parametrize(
    "address", ["/api/nothing", "/api/", "/v1/nothing", "/livez/x", "/api/providers/none/"]
)
def test_what_is_not_there_is_404(api: Api, address: str) -> None:
    assert_problem(api.get(address), 404, "not-found")


def test_a_page_that_is_not_there_is_a_page(api: Api) -> None:
    answer = api.get("/nothing")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_model_that_nobody_tracks_is_404_and_says_what_to_do(api: Api) -> None:
    problem = assert_problem(api.get("/api/model-versions/acme/zeta/current"), 404, "not-found")

    assert "manage.py track acme zeta" in problem["detail"]


def test_a_wrong_method_is_405_and_names_the_right_ones(api: Api) -> None:
    answer = api.delete("/api/providers")

    assert_problem(answer, 405, "method-not-allowed")
    assert "POST" in answer["Allow"]


@pytest.mark.parametrize("address", ["/api/performance-samples", "/api/performance-samples/scores"])
def test_a_wrong_method_on_samples_is_405(api: Api, address: str) -> None:
    assert_problem(api.delete(address), 405, "method-not-allowed")


def test_another_format_than_json_is_406(api: Api) -> None:
    assert_problem(api.get("/api/providers", Accept="text/csv"), 406, "not-acceptable")


def test_another_body_than_json_is_415(api: Api) -> None:
    answer = api.post(
        "/api/checks", b"provider=x", Content_Type="application/x-www-form-urlencoded"
    )

    assert_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "body", [b"{", b'{"provider": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"a": "\xed"}']
)
def test_a_body_that_is_not_json_is_400(api: Api, body: bytes) -> None:
    assert_problem(api.post("/api/checks", body), 400, "malformed-json")


def test_a_body_that_is_no_object_is_422(api: Api) -> None:
    assert_problem(api.post("/api/checks", [1]), 422, "invalid")


def test_a_body_that_is_too_large_is_413(api: Api) -> None:
    body = b'{"provider": "' + b"x" * 1024 * 1024 + b'"}'

    assert_problem(api.post("/api/checks", body), 413, "too-large")


def test_each_wrong_field_is_named(api: Api) -> None:
    answer = api.post("/api/providers", {"slug": "a b", "kind": "none"})

    problem = assert_problem(answer, 422, "invalid")
    assert {error["pointer"]: error["code"] for error in problem["errors"]} == {
        "/slug": "invalid",
        "/kind": "invalid-choice",
    }
    assert all(error["detail"] for error in problem["errors"])


def test_an_unknown_field_is_named_with_the_known_ones(api: Api) -> None:
    answer = api.post("/api/checks", {"provder": "acme"})

    (error,) = assert_problem(answer, 422, "invalid")["errors"]
    assert (error["pointer"], error["code"]) == ("/provder", "unknown-field")
    assert "provider" in error["detail"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("colour=red", "unknown-parameter"),
        ("limit=0", "min-value"),
        ("limit=x", "invalid"),
        ("limit=5&limit=6", "repeated"),
        ("cursor=rubbish", "bad-cursor"),
        ("cursor=WyJ4Il0", "bad-cursor"),
    ],
)
def test_a_wrong_query_is_400(api: Api, query: str, code: str) -> None:
    problem = assert_problem(api.get(f"/api/providers?{query}"), 400, "bad-query")

    (error,) = problem["errors"]
    assert error["code"] == code
    assert error["pointer"].startswith("?")


def test_a_fault_of_ours_is_500_and_tells_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(serving, "tracked_model", fail)

    answer = api.get("/api/model-versions/acme/zeta/history")

    assert "secret" not in assert_problem(answer, 500, "server-error")["detail"]


def test_the_callers_request_id_is_kept(api: Api) -> None:
    answer = api.get("/api/nothing", X_Request_ID="mine-1")

    assert assert_problem(answer, 404, "not-found")["request_id"] == "mine-1"


@pytest.mark.parametrize("given", ["a b", "x" * 65, "<script>"])
def test_a_request_id_that_could_harm_a_log_is_replaced(api: Api, given: str) -> None:
    assert api.get("/livez", X_Request_ID=given)["X-Request-ID"] != given


@pytest.mark.parametrize("end", ["current", "history"])
def test_a_zero_byte_in_an_address_is_404(api: Api, end: str) -> None:
    slug = tracked().provider.slug

    assert_problem(api.get(f"/api/model-versions/{slug}/a%00b/{end}"), 404, "not-found")
