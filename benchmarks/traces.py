"""Exports of OpenTelemetry spans, as the collectors of a team's applications send them."""

import random
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SPANS = 500
SECOND = 10**9
PROMPT = "Say in one sentence what the customer wants. " * 20
SHAPES = {
    "one span a request": 1,
    "three spans a request": 3,
}
"""Spans of a trace: the SDK's alone, or below a web server's and a framework's span."""


def exports(*, shape: int, number: int, seed: int) -> list[bytes]:
    """Return so many exports of 500 spans each in protobuf, of requests of the last two hours."""
    dice = random.Random(seed)
    return [_export(shape=shape, dice=dice).SerializeToString() for _ in range(number)]


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
