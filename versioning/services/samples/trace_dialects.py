"""Spans of requests to models that speak another language than OpenTelemetry's: counted, not read.

So a team sees why its dashboards elsewhere show requests and this one doesn't.
"""

from collections.abc import Collection, Mapping

from versioning.services.samples.trace_format import Span
from versioning.services.samples.trace_names import (
    FROM_CACHE,
    HOLDERS,
    OPERATION,
    TEXTS,
    count_of,
)

WRAPPERS = "spans around another span's request to the same model"
OTHER_OPERATION = "spans with a gen_ai operation that isn't known here"
_DIALECTS: Mapping[str, tuple[str, Collection[str]]] = {
    "OpenInference": ("openinference.span.kind", ("LLM", "EMBEDDING", "RERANKER")),
    "Traceloop": ("llm.request.type", ("chat", "completion", "embedding", "rerank")),
    "LangSmith": ("langsmith.span.kind", ("LLM", "EMBEDDING")),
    "MLflow": ("mlflow.spanType", ("LLM", "CHAT_MODEL", "EMBEDDING")),
    "Langfuse": ("langfuse.observation.type", ("GENERATION", "EMBEDDING")),
    "Vercel AI SDK": ("ai.operationId", ("DOGENERATE", "DOSTREAM", "DOEMBED")),
}
"""The attribute by which each dialect says what a span is, and what it calls a request."""


def dialect_of(span: Span) -> str | None:
    """Return how a span that was not read tells of a request to a model; None where it doesn't."""
    told = span.attributes
    if told.get(FROM_CACHE) in (True, "True", "true"):
        return None
    for dialect, (attribute, requests) in _DIALECTS.items():
        kind = str(told.get(attribute, "")).strip('"').rpartition(".")[2].upper()
        if kind and kind in {word.upper() for word in requests}:
            return f"spans of requests in the dialect {dialect}"
    if any(told.get(name) for name in (*TEXTS["upstream_id"], *TEXTS["served_id"])):
        unknown = str(told.get(OPERATION, "")) not in HOLDERS
        if unknown and any(map(count_of, told)):
            return OTHER_OPERATION
    return None
