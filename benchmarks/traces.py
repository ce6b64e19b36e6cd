"""Exports of OpenTelemetry spans, as the collectors of a team's applications send them."""

import base64
import json
import random
import time

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SPANS = 500
SECOND = 10**9
PROMPT = "Say in one sentence what the customer wants. " * 20
PROTOBUF, JSON = "application/x-protobuf", "application/json"


def exports(*, shape: int, form: str, number: int) -> list[bytes]:
    """Return so many exports of about 500 spans, of requests of the last two hours.

    A request is ``shape`` spans: 1 for its SDK's alone, 3 with those of a web server and a
    framework above it. ``form`` is the content type.
    """
    dice = random.Random(shape)
    made = (_export(shape=shape, dice=dice) for _ in range(number))
    return [export.SerializeToString() if form == PROTOBUF else _as_json(export) for export in made]


def _as_json(export: ExportTraceServiceRequest) -> bytes:
    """Return OTLP's JSON: unlike in other JSON of protobuf, ids are hexadecimal."""
    told = json_format.MessageToDict(export)
    for group in told["resourceSpans"]:
        for span in (span for scope in group["scopeSpans"] for span in scope.get("spans", ())):
            for name in span.keys() & {"traceId", "spanId", "parentSpanId"}:
                span[name] = base64.b64decode(span[name]).hex()
    return json.dumps(told).encode()


def _export(*, shape: int, dice: random.Random) -> ExportTraceServiceRequest:
    export = ExportTraceServiceRequest()
    group = export.resource_spans.add()
    _tell(group.resource.attributes, {"service.name": "shop", "hotswap.task": "summarise"})
    web, framework, vendor = (group.scope_spans.add() for _ in range(3))
    web.scope.name = "opentelemetry.instrumentation.asgi"
    framework.scope.name = "opentelemetry.instrumentation.langchain"
    vendor.scope.name = "opentelemetry.instrumentation.openai_v2"
    for _ in range(SPANS // shape):
        trace, parent = dice.randbytes(16), dice.randbytes(8)
        began = time.time_ns() - round(dice.uniform(0, 7_200) * SECOND)
        if shape == 3:
            parent = _add(web.spans, trace, b"", began, {"http.route": "/ask"}, dice)
            parent = _add(framework.spans, trace, parent, began, _request(dice), dice)
        _add(vendor.spans, trace, parent, began, _request(dice), dice)
    return export


def _add(
    spans: "list[Span]",
    trace: bytes,
    parent: bytes,
    began: int,
    told: dict[str, object],
    dice: random.Random,
) -> bytes:
    span = spans.add()  # type: ignore[attr-defined]
    span.trace_id, span.span_id, span.parent_span_id = trace, dice.randbytes(8), parent
    span.name = "chat writer"
    span.start_time_unix_nano = began
    span.end_time_unix_nano = began + round(dice.lognormvariate(-0.4, 0.5) * SECOND)
    _tell(span.attributes, told)
    return bytes(span.span_id)


def _request(dice: random.Random) -> dict[str, object]:
    which = dice.randrange(2)
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "writer",
        "gen_ai.response.model": f"acme/writer-{which}",
        "gen_ai.response.id": f"chatcmpl-{dice.getrandbits(128):032x}",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 800,
        "gen_ai.usage.input_tokens": dice.randrange(50, 4_000),
        "gen_ai.usage.output_tokens": dice.randrange(10, 800),
        "gen_ai.usage.cache_read.input_tokens": dice.randrange(0, 50),
        "gen_ai.response.time_to_first_chunk": round(dice.lognormvariate(-2, 0.5), 4),
        "gen_ai.input.messages": PROMPT,
        "server.address": "api.openai.com",
        "server.port": 443,
    }


def _tell(attributes: object, told: dict[str, object]) -> None:
    fields = {str: "string_value", int: "int_value", float: "double_value"}
    for key, value in told.items():
        pair = attributes.add()  # type: ignore[attr-defined]
        pair.key = key
        setattr(pair.value, fields[type(value)], value)
