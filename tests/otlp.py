"""Spans in OTLP's JSON, as exporters write them."""

from typing import Any

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "acme",
    "gen_ai.request.model": "zeta-1",
    "gen_ai.response.model": "zeta-1",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 34,
}


def span(attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a span in OTLP's JSON; it took 250 ms."""
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "chat zeta-1",
        "kind": 3,
        "startTimeUnixNano": "1790000000000000000",
        "endTimeUnixNano": "1790000000250000000",
        "attributes": [{"key": k, "value": value_of(v)} for k, v in attributes.items()],
        **more,
    }


def value_of(value: Any) -> dict[str, Any]:
    for type_, name in ((bool, "boolValue"), (int, "intValue"), (float, "doubleValue")):
        if isinstance(value, type_):
            return {name: str(value) if name == "intValue" else value}
    return {"stringValue": value} if isinstance(value, str) else {"arrayValue": {"values": []}}


def export(*spans: dict[str, Any], scope: str = "tests", **resource: Any) -> dict[str, Any]:
    """Return a request with the spans; ``_`` in a resource attribute's name stands for a dot."""
    attributes = [{"key": k.replace("_", "."), "value": value_of(v)} for k, v in resource.items()]
    scopes = {"scope": {"name": scope}, "spans": list(spans)}
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [scopes]}]}
