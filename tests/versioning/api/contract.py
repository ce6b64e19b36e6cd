"""The contract: every answer of the API, in whichever test, is as the description says.

A middleware of the tests' settings looks at each answer last, as a client gets it: its status is
described for the operation, its content type for the status, and its body has the described shape
with nothing beside it. What a request's body has that was taken (2xx) is described as well.
``tests/conftest.py`` fails the test in which something was otherwise.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.versioning.api.walk import description, path_of
from versioning.api.problems import CONTENT_TYPE, is_for_programs

JSON = "application/json"
HERE = "urn:description"
FORMATS = FormatChecker(["date"])


@FORMATS.checks("date-time")
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or bool(MOMENT.fullmatch(value))


@FORMATS.checks("decimal")
def _is_decimal(value: object) -> bool:
    return not isinstance(value, str) or bool(DECIMAL.fullmatch(value))


MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
DECIMAL = re.compile(r"-?\d+(\.\d+)?")
broken: list[str] = []
"""What was found since the last look; cleared by the fixture that looks."""

seen: set[tuple[str, str]] = set()
"""Operation and status of each answer, for the walk at the end of the API's tests."""


class ContractMiddleware:
    """Write down each answer that is not as described."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if is_for_programs(request) and isinstance(response, HttpResponse):
            broken.extend(
                f"{request.method} {request.get_full_path()} {response.status_code}: {why}"
                for why in breaches(request, response)
            )
        return response


def breaches(request: HttpRequest, response: HttpResponse) -> Iterator[str]:
    """Say what of the answer is not described."""
    if request.method == "HEAD":
        return
    operation = operation_of(request)
    status = str(response.status_code)
    if operation is None:
        yield from _breaches_elsewhere(response)
        return
    seen.add((operation["operationId"], status))
    described = operation["responses"].get(status)
    if described is None:
        yield f"{operation['operationId']} doesn't describe this status"
        return
    yield from _breaches_of_body(described.get("content", {}), response)
    if response.status_code < 300:
        yield from _breaches_of_request(operation, request)


def operation_of(request: HttpRequest) -> dict[str, Any] | None:
    """Return what the description says of the request's method and address; None where nothing."""
    try:
        route = resolve(request.path_info).route
    except Resolver404:
        return None
    methods: dict[str, Any] = description()["paths"].get(path_of(route), {})
    found: dict[str, Any] | None = methods.get(str(request.method).lower())
    return found


def _breaches_elsewhere(response: HttpResponse) -> Iterator[str]:
    """Errors are problems also where no operation is; pages of the docs are no part of this."""
    if response.status_code < 400:
        return
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    yield from _breaches_of_body({CONTENT_TYPE: problem}, response)


def _breaches_of_body(content: dict[str, Any], response: HttpResponse) -> Iterator[str]:
    sent = response.get("Content-Type", "").partition(";")[0]
    if not content:
        if response.content:
            yield f"a body of {sent} where none is described"
    elif sent not in content:
        yield f"{sent or 'no content type'} instead of {' or '.join(content)}"
    elif sent in {JSON, CONTENT_TYPE}:
        yield from _unlike(content[sent]["schema"], response.content)


def _breaches_of_request(operation: dict[str, Any], request: HttpRequest) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    body = getattr(request, "_body", b"")  # read by ingest alone: what it takes is described apart
    if JSON in content and body.strip():
        for why in _unlike(content[JSON]["schema"], body, is_sent=True):
            yield f"the request was taken, and {why}"


def _unlike(schema: dict[str, Any], body: bytes, *, is_sent: bool = False) -> Iterator[str]:
    for error in _validator(json.dumps(schema)).iter_errors(json.loads(body)):
        if not (is_sent and _is_another_way_of_writing(error)):
            yield f"{error.json_path}: {error.message[:300]}"


def _is_another_way_of_writing(error: ValidationError) -> bool:
    """Say whether a text, number or truth value stands for another: 0.5 for "0.5", 0 for false."""
    return error.validator in ("type", "format") and isinstance(error.instance, str | int | float)


@cache
def _validator(schema: str) -> Validator:
    resource = DRAFT202012.create_resource(_closed_description())
    found = re.sub(r'"\$ref": "#', f'"$ref": "{HERE}#', schema)
    return Draft202012Validator(
        _closed(json.loads(found)),
        registry=Registry().with_resource(HERE, resource),
        format_checker=FORMATS,
    )


@cache
def _closed_description() -> dict[str, Any]:
    found: dict[str, Any] = _closed(description())
    return found


def _closed(schema: Any) -> Any:
    """Return the schema with no room for properties that it doesn't name."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(each) for name, each in schema.items()}
    if isinstance(closed.get("properties"), dict) and closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed
