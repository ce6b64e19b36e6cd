"""Is the answer JSON, and of the right shape?"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import regex
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from versioning.domain.scoring.base import (
    BadOptions,
    Option,
    OptionKind,
    Output,
    Score,
    Scorer,
    passed,
)
from versioning.domain.scoring.pattern import search

_FENCE = regex.compile(r"\A\s*```(?:json)?\s*\n(.*)\n\s*```\s*\Z", regex.DOTALL | regex.IGNORECASE)


def read_json(text: str, *, allow_fence: bool) -> Any:
    """Read the answer as JSON; a Markdown fence round it is looked through if allowed.

    Raises ValueError where it is none (NaN and Infinity are none).
    """
    fenced = _FENCE.match(text) if allow_fence else None
    return json.loads(fenced[1] if fenced else text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _pattern(
    _validator: Any, pattern: Any, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    """A time limit for patterns, which the library searches without one."""
    if not isinstance(instance, str):
        return
    try:
        if not search(pattern, instance):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")
    except TimeoutError:
        yield ValidationError(f"{pattern!r} took too long")


_Validator: Any = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


class JsonValid(Scorer):
    name = "json"
    explanation = "The answer is valid JSON."
    options: ClassVar[Mapping[str, Option]] = {
        "allow_fence": Option("if a Markdown fence round the JSON is fine", OptionKind.YES_OR_NO)
    }

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        try:
            read_json(output.text, allow_fence=bool(options.get("allow_fence")))
        except (ValueError, RecursionError) as error:
            return Score(0.0, f"no JSON: {error}")
        return passed(True, "valid JSON")


class JsonSchema(Scorer):
    name = "json_schema"
    explanation = "The answer is JSON that fits a JSON schema (2020-12)."
    options: ClassVar[Mapping[str, Option]] = {
        "schema": Option("the schema", OptionKind.JSON),
        "allow_fence": Option("if a Markdown fence round the JSON is fine", OptionKind.YES_OR_NO),
    }

    def check(self, options: Mapping[str, Any]) -> None:
        super().check(options)
        schema = options.get("schema")
        if not isinstance(schema, dict | bool):
            raise BadOptions("schema must be a JSON schema.")
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise BadOptions(f"schema is no JSON schema: {error.message}.") from error

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        try:
            value = read_json(output.text, allow_fence=bool(options.get("allow_fence")))
        except (ValueError, RecursionError) as error:
            return Score(0.0, f"no JSON: {error}")
        # An empty registry: a $ref never fetches anything.
        validator = _Validator(options["schema"], registry=Registry())
        try:
            first = next(validator.iter_errors(value), None)
        except (Unresolvable, RecursionError) as error:
            return Score(None, f"the schema can't be applied: {error}")
        if first is None:
            return passed(True, "fits the schema")
        return Score(0.0, f"{first.json_path}: {first.message}"[:200])
