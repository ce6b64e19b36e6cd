"""What the description of the API (OpenAPI) needs beside the views."""

import inspect
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

from versioning.api.operations import V1
from versioning.api.problems import CONTENT_TYPE
from versioning.domain.evidence import Evidence
from versioning.services.samples.incoming import SampleIn, ScoreIn
from versioning.services.samples.ingestion import Accepted
from versioning.services.samples.late_scores import ScoresAccepted

Endpoint = tuple[str, str, str, Callable[..., Any]]


def one_address_each(endpoints: list[Endpoint], **_: Any) -> list[Endpoint]:
    """Tell of v1 alone, without a slash at the end: each address has twins."""
    return [
        endpoint
        for endpoint in endpoints
        if endpoint[0].startswith(V1) and not endpoint[0].endswith("/")
    ]


class OnceGenerator(SchemaGenerator):
    """Describes the API once a process: the description doesn't depend on who asks for it."""

    def get_schema(self, request: Any = None, public: bool = True) -> dict[str, Any]:
        """Return the description, which nobody may change. Others wait while it is made."""
        with _ONE_AT_A_TIME:
            return _described()


@cache
def _described() -> dict[str, Any]:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    found: dict[str, Any] = generator.get_schema(None, public=True)  # type: ignore[no-untyped-call]
    return found


_ONE_AT_A_TIME = Lock()
"""The generator changes classes of its own while it works: two threads would spoil each other's."""


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How an application says who it is."""

    target_class = "versioning.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A key with the scope that the operation needs: read, ingest or decide. "
            "Make one in the admin, or with `manage.py create_api_key`.",
        }


def for_generators(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say the same in words that generators of clients understand.

    They make a class of each alternative: of any value or null, an enum or an empty text.
    """
    schemas = result["components"]["schemas"]
    result["components"]["schemas"] = {
        name: _plain(schema, schemas) for name, schema in schemas.items() if name != _BLANK
    }
    return result


_BLANK = "BlankEnum"


def _plain(schema: Any, known: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_plain(each, known) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(each, known) for name, each in schema.items()}
    choices = plain.get("oneOf", [])
    if choices == [{}, {"type": "null"}]:
        del plain["oneOf"]
    elif {"$ref": _reference(_BLANK)} in choices:
        (choice,) = (each for each in choices if each != {"$ref": _reference(_BLANK)})
        enum = known[choice["$ref"].rpartition("/")[2]]["enum"]
        del plain["oneOf"]
        plain |= {"type": "string", "enum": [*enum, ""]}
    elif {"type": "string", "maxLength": 0} in choices:
        (choice,) = (each for each in choices if each.get("maxLength") != 0)
        del plain["oneOf"]
        plain |= {name: each for name, each in choice.items() if name != "format"}
    return plain


def _reference(name: str) -> str:
    return f"#/components/schemas/{name}"


def with_evidence(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the schema of evidence, as it is kept: of the declaration that also reads it."""
    _refs, components = msgspec.json.schema_components(
        [Evidence], ref_template="#/components/schemas/{name}"
    )
    for name, schema in components.items():
        result["components"]["schemas"][name] = schema | {
            "description": inspect.cleandoc(schema["description"])
        }
    return result


def with_ingestion(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the views of samples and scores, which are plain views for speed."""
    _refs, components = msgspec.json.schema_components(
        [SampleIn, ScoreIn, Accepted, ScoresAccepted], ref_template="#/components/schemas/{name}"
    )
    cost: Any = components["SampleIn"]["properties"]["cost_usd"]
    cost["anyOf"].append({"type": "number"})  # taken as well, digit for digit
    components["SampleAlone"] = _sample_alone(components["SampleIn"])
    components["ScoreAlone"] = {**components["ScoreIn"], "title": "ScoreAlone"}
    components["SampleInBatch"] = _wrapped("SampleIn", by="samples")
    components["ScoreInBatch"] = _wrapped("ScoreIn", by="scores")
    result["components"]["schemas"].update(components)
    paths = result["paths"]
    paths[f"{V1}performance-samples"]["post"] = _operation(
        id="performance_samples",
        summary="Report what requests cost and gave",
        description="Up to 10,000, or one alone as an object; the body may be gzip. A request id "
        "that the key has sent before is a duplicate and changes nothing. What can't be used is "
        "named in `rejected`; the rest is stored.",
        body=_many_or_one("Sample"),
        answer="Accepted",
    )
    scores = _operation(
        id="scores",
        summary="Give scores to requests reported before, or later",
        description="By request id; up to 10,000, or one alone as an object.",
        body=_many_or_one("Score"),
        answer="ScoresAccepted",
    )
    paths[f"{V1}performance-samples/scores"] = _post_or_patch(scores)
    score = _operation(
        id="score",
        summary="Give a score to one request, now or later",
        description="Of the request that was reported, or will be, with this request id.",
        body=_score_alone(components["ScoreIn"]),
        answer="ScoresAccepted",
    )
    score["parameters"] = [
        {"in": "path", "name": "request_id", "required": True, "schema": {"type": "string"}}
    ]
    paths[f"{V1}performance-samples/{{request_id}}/scores"] = _post_or_patch(score)
    paths["/v1/traces"] = {"post": _traces()}
    return result


def _traces() -> dict[str, Any]:
    traces = _operation(
        id="traces",
        summary="Take in OpenTelemetry traces (OTLP/HTTP)",
        description="Protobuf or JSON, plain or gzip; spans of generative AI become samples, the "
        "rest is passed over. Prompts and completions are never stored.",
        body={"type": "object"},
        answer="Accepted",
    )
    otlp = {"type": "object", "description": "As OpenTelemetry's protocol defines it."}
    traces["requestBody"]["content"] = {
        "application/json": {"schema": otlp},
        "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
    }
    traces["responses"]["200"]["content"] = traces["requestBody"]["content"]
    return traces


def _post_or_patch(operation: dict[str, Any]) -> dict[str, Any]:
    return {
        "post": operation,
        "patch": {**operation, "operationId": f"{operation['operationId']}_patch"},
    }


def _score_alone(score: dict[str, Any]) -> dict[str, Any]:
    """Return the shape of a score whose request stands in the address."""
    fields = {name: field for name, field in score["properties"].items() if name != "request_id"}
    return {"type": "object", "properties": fields}


def _wrapped(name: str, *, by: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {by: _list_of(name)},
        "required": [by],
        "additionalProperties": False,
    }


def _sample_alone(sample: dict[str, Any]) -> dict[str, Any]:
    """Return the shape of one sample that is a body by itself.

    It names its model: a shape that asks for nothing would be taken for any of the others by
    clients, which tell alternatives by what they ask for.
    """
    return {
        **sample,
        "title": "SampleAlone",
        "description": "One sample by itself. One that names an upstream id and no model is taken "
        f"as well; a list of it is described. {sample['description']}",
        "required": ["model"],
    }


def _many_or_one(name: str) -> dict[str, Any]:
    """Return the shape of many, wrapped or a bare list, or of one alone.

    The one has a name of its own: a generator imports each alternative, the list's items too.
    """
    return {
        "oneOf": [
            {"$ref": _reference(f"{name}InBatch")},
            _list_of(f"{name}In"),
            {"$ref": _reference(f"{name}Alone")},
        ]
    }


def _list_of(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": _reference(name)}, "maxItems": 10_000}


def _operation(
    *, id: str, summary: str, description: str, body: dict[str, Any], answer: str
) -> dict[str, Any]:
    problem = {
        "description": "",
        "content": {CONTENT_TYPE: {"schema": {"$ref": _reference("Problem")}}},
    }
    return {
        "operationId": id,
        "tags": ["samples"],
        "summary": summary,
        "description": description,
        "security": [{"apiKey": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {
                "description": "",
                "content": {"application/json": {"schema": {"$ref": _reference(answer)}}},
            },
            **{str(status): problem for status in (400, 401, 403, 404, 411, 413, 415, 500)},
            **dict.fromkeys(
                ("429", "503"),
                {**problem, "headers": {"Retry-After": {"schema": {"type": "integer"}}}},
            ),
        },
    }
