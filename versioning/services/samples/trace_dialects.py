"""Spans of requests to models that speak another language than OpenTelemetry's: counted, not read.

So a team sees why its dashboards elsewhere show requests and this one doesn't.
"""

from collections.abc import Collection, Mapping

from versioning.services.samples.trace_format import Span
from versioning.services.samples.trace_names import (
    FROM_CACHE,
    HOLDERS,
    OPERATION,
    reading_of,
)

WRAPPERS = "spans around another span's request to the same model"
OTHER_OPERATION = "spans with a gen_ai operation that isn't known here"
_DIALECTS: Mapping[str, tuple[str, Collection[str]]] = {
    "openinference.span.kind": ("OpenInference", {"LLM", "EMBEDDING", "RERANKER"}),
    "llm.request.type": ("Traceloop", {"CHAT", "COMPLETION", "EMBEDDING", "RERANK"}),
    "langsmith.span.kind": ("LangSmith", {"LLM", "EMBEDDING"}),
    "mlflow.spanType": ("MLflow", {"LLM", "CHAT_MODEL", "EMBEDDING"}),
    "langfuse.observation.type": ("Langfuse", {"GENERATION", "EMBEDDING"}),
    "ai.operationId": ("Vercel AI SDK", {"DOGENERATE", "DOSTREAM", "DOEMBED"}),
}
"""The attribute by which each dialect says what a span is, and what it calls a request."""


def dialect_of(span: Span) -> str | None:
    """Return how a span that was not read tells of a request to a model; None where it doesn't."""
    told = span.attributes
    if told.get(FROM_CACHE) in (True, "True", "true"):
        return None
    for attribute, (dialect, requests) in _DIALECTS.items():
        if attribute not in told:
            continue
        kind = str(told[attribute]).strip('"').rpartition(".")[2].upper()
        if kind in requests:
            return f"spans of requests in the dialect {dialect}"
    reading = reading_of(told)
    if reading.counts and any(told[name] for name in reading.models):
        return None if str(told.get(OPERATION, "")) in HOLDERS else OTHER_OPERATION
    return None
