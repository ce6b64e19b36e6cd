"""Read JSON bodies and query parameters; whatever can't be read is the caller's error."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from django.http import HttpRequest
from django.http.request import UnreadablePostError
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from versioning.api.problems import Problem
from versioning.services import storable
from versioning.services.errors import FieldError, Invalid

MOST_BYTES = 1024 * 1024
DEEPEST = 100
"""Levels of nested JSON; prompts, schemas and parameters of real requests have about ten."""

LARGEST = 2**63 - 1
"""The largest whole number that both databases hold."""


class JsonParser(BaseParser):
    """Reads strict JSON in UTF-8: no NaN, no endless nesting."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            read = json.loads(
                stream.read(), parse_constant=_refuse_constant, parse_float=_finite_float
            )
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON: {str(error)[:200]}.") from error
        if _is_deeper(read, than=DEEPEST):
            # Less than Python's own limit, so that nothing that walks it later gives up.
            raise ParseError(f"The body is nested deeper than {DEEPEST} levels.")
        return read


class CsvFile(BaseParser):
    """Takes a CSV file as it is."""

    media_type = "text/csv"
    form = "csv"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return {"content": stream.read(), "form": self.form}


class JsonlFile(CsvFile):
    """Takes a file of JSON, an object a line, as it is."""

    media_type = "application/jsonl"
    form = "jsonl"


def raw_body(request: HttpRequest, *, most: int = MOST_BYTES) -> bytes:
    """Return the body. Raises Problem where it has more bytes than ``most``, or breaks off."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > most:
        raise Problem(413, "too-large", f"A body may have {most} bytes, not {length}.")
    try:
        return request.body
    except UnreadablePostError as error:
        raise Problem(400, "broken-off", "The body broke off.") from error


def read_body(
    request: Request,
    form: type[serializers.Serializer[Any]] | None,
    *,
    may_be_empty: bool = True,
) -> dict[str, Any]:
    """Return the checked fields of the body. Raises Invalid, also for unknown fields.

    ``may_be_empty`` is for operations that do something without being told more; a change of
    nothing is never a success.
    """
    data = request.data
    if not isinstance(data, Mapping):
        raise Invalid("The body must be a JSON object.", [FieldError("", "invalid", "Not one.")])
    fields = form() if form is not None else serializers.Serializer()
    if not data and not may_be_empty and fields.fields:
        message = f"Send at least one field. {_known('fields', fields.fields)}"
        needed = [name for name, field in fields.fields.items() if field.required]
        missing = [FieldError(f"/{name}", "required", "This field is required.") for name in needed]
        raise Invalid(message, missing or [FieldError("", "empty", message)])
    errors = [
        FieldError(f"/{_escaped(name)}", "unknown-field", _known("fields", fields.fields))
        for name in data
        if name not in fields.fields
    ]
    if not errors:
        read = form(data=data) if form is not None else serializers.Serializer(data={})
        if read.is_valid():
            errors = list(_unstorable(read.validated_data)) + list(_too_large(read.validated_data))
            if not errors:
                return dict(read.validated_data)
        else:
            errors = list(_flattened(read.errors, ""))
    raise Invalid("Some fields can't be used as they are.", errors)


def read_query(request: Request, form: type[serializers.Serializer[Any]] | None) -> dict[str, Any]:
    """Return the checked query parameters. Raises Problem (400), also for unknown ones."""
    known = form().fields if form is not None else {}
    errors = []
    for name, values in request.query_params.lists():
        if name not in known:
            errors.append(FieldError(f"?{name}", "unknown-parameter", _known("parameters", known)))
        elif len(values) > 1:
            errors.append(FieldError(f"?{name}", "repeated", "Give it once."))
    if form is not None and not errors:
        read = form(data=request.query_params.dict())
        found = _too_large(read.validated_data) if read.is_valid() else _flattened(read.errors, "")
        errors = [
            FieldError(error.pointer.replace("/", "?", 1), error.code, error.detail)
            for error in found
        ]
        if not errors:
            return dict(read.validated_data)
    if errors:
        raise Problem(400, "bad-query", "Some query parameters can't be used.", errors)
    return {}


def _unstorable(data: Mapping[str, Any]) -> Iterator[FieldError]:
    """Name the fields whose JSON PostgreSQL can't keep; plain texts are looked at before."""
    for name, value in data.items():
        if not storable.is_storable(value):
            yield FieldError(f"/{_escaped(name)}", "unstorable", storable.WHY_NOT)


def _too_large(data: Mapping[str, Any]) -> Iterator[FieldError]:
    """Name the whole numbers that no database holds: SQLite's driver raises for them."""
    for name, value in data.items():
        if isinstance(value, int) and abs(value) > LARGEST:
            detail = f"Give a number from -{LARGEST} to {LARGEST}."
            yield FieldError(f"/{_escaped(name)}", "out-of-range", detail)


def _is_deeper(value: Any, *, than: int) -> bool:
    """Say whether lists and objects are nested deeper; without recursion, whatever the depth."""
    level = [value]
    for _ in range(than):
        level = [
            part
            for held in level
            if isinstance(held, dict | list)
            for part in (held.values() if isinstance(held, dict) else held)
        ]
        if not level:
            return False
    return any(isinstance(held, dict | list) for held in level)


def _flattened(errors: Any, pointer: str) -> Iterator[FieldError]:
    """Turn the framework's nested errors into one row each, with JSON pointers."""
    if isinstance(errors, Mapping):
        for name, nested in errors.items():
            at = pointer if name == "non_field_errors" else f"{pointer}/{_escaped(str(name))}"
            yield from _flattened(nested, at)
    elif isinstance(errors, list):
        for number, nested in enumerate(errors):
            is_text = isinstance(nested, str)
            yield from _flattened(nested, pointer if is_text else f"{pointer}/{number}")
    else:
        code = str(getattr(errors, "code", "invalid")).replace("_", "-")
        yield FieldError(pointer, code, str(errors))


def _known(what: str, names: Mapping[str, Any]) -> str:
    return f"Known {what}: {', '.join(names)}." if names else f"No {what} are taken here."


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large for a number")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
