"""What attributes of spans mean: OpenTelemetry's names, older ones, and those of libraries.

https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/ has today's. Counts of
tokens come under so many spellings that they are read by their words, not from a list.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from versioning.domain.figure_kinds import Unit
from versioning.domain.figures import FIELDS

OURS = "hotswap."
"""Attributes under this name, on the span or its resource, say what no convention does."""

TAG = "hotswap.tag."
SIGNALS = ("valid_output", "user_feedback", "retries", "latency_budget_ms")
_OWN_FLAGS = tuple(field.name for field in FIELDS if field.unit is Unit.YES_NO)
_OWN_TEXTS = ("model", "provider", "task", "source", "request_id")
TEXTS = {
    "upstream_id": ("gen_ai.request.model",),
    "served_id": ("gen_ai.response.model",),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
}
FIRST_TOKEN_S = ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
COST_USD = ("gen_ai.cost.total_cost", "gen_ai.usage.cost")
OPERATION, RESPONSE_ID = "gen_ai.operation.name", "gen_ai.response.id"
ERROR, HOST, PORT = "error.type", "server.address", "server.port"
FROM_CACHE = "litellm.cache_hit"
SESSION = ("hotswap.session", "gen_ai.conversation.id", "session.id")
TIER = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "gen_ai.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
    "gen_ai.request.service_tier",
)
"""What was served stands before what was asked for."""

PARAMETERS = {
    **{
        f"gen_ai.request.{name}": name
        for name in ("temperature", "top_p", "top_k", "max_tokens", "seed",
                     "frequency_penalty", "presence_penalty")
    },
    "gen_ai.request.stop_sequences": "stop",
    "gen_ai.request.choice.count": "n",
    "gen_ai.output.type": "response_format",
}  # fmt: skip
"""Attributes that show by being there that a request used a parameter; values aren't kept."""

EMBEDDINGS = frozenset({"embeddings", "embedding", "aembedding"})
REQUESTS = EMBEDDINGS | {
    "", "chat", "text_completion", "generate_content",
    # litellm's names, which tell awaited requests from the others
    "completion", "acompletion", "atext_completion",
    "responses", "aresponses", "anthropic_messages", "aanthropic_messages",
    "agenerate_content", "generate_content_stream", "agenerate_content_stream",
}  # fmt: skip
"""Operations that ask a model; agents, tools and workflows only hold such requests."""

HOLDERS = frozenset({
    "invoke_agent", "create_agent", "execute_tool", "invoke_workflow", "retrieval", "plan",
})  # fmt: skip
"""Operations whose spans are around requests, or beside them."""

DIALECTS = frozenset({
    "openinference.span.kind", "llm.request.type", "langsmith.span.kind", "mlflow.spanType",
    "langfuse.observation.type", "ai.operationId",
})  # fmt: skip
"""Attributes by which other conventions say what a span is."""

TOTAL = "total_tokens"
_USUAL_NAMES, _USUAL_LENGTH = 64, 100
"""How many attributes of a span, and letters of a name, are remembered as they come."""

_MOST_KEPT = 1024
_kept: "dict[tuple[str, ...], AttributeMap]" = {}

_USAGE = ("gen_ai.usage.", "ai.usage.", "llm.usage.")
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_NO_MEANING = frozenset({"tokens", "token", "count"})
_DETAILS = frozenset({"details", "detail"})
_CACHE = frozenset({"cache", "cached"})
_WRITE = frozenset({"write", "writes", "creation", "created"})
_OLDER = frozenset({"prompt", "completion"})
_SIDES = {
    "input_tokens": frozenset({"input", "prompt"}),
    "output_tokens": frozenset({"output", "completion"}),
}
_REASONING = frozenset({"reasoning", "thinking", "thoughts"})

_READ = frozenset(
    {OPERATION, RESPONSE_ID, ERROR, HOST, PORT, FROM_CACHE}
    | {*FIRST_TOKEN_S, *COST_USD, *SESSION, *TIER, *PARAMETERS, *DIALECTS}
    | {name for names in TEXTS.values() for name in names}
)


@dataclass(frozen=True, slots=True)
class AttributeMap:
    """Which attributes of a span tell what: the same for all spans with the same names."""

    models: Sequence[str]
    """Those that name a model."""
    texts: Sequence[tuple[str, str]]
    """Fields of the sample, each with the attribute that tells it."""
    counts: Sequence[tuple[str, str]]
    """Counts of tokens; where several tell the same, the first one with a number holds."""
    parameters: Sequence[str]
    first_token_s: str | None
    cost_usd: str | None
    own_texts: Sequence[tuple[str, str]]
    own_flags: Sequence[tuple[str, str]]
    """Figures that are true or false, each with our own attribute, since no convention has it."""
    tags: Sequence[tuple[str, str]]
    """Attributes, each with the tag that it tells."""
    has_signals: bool


def reading_of(told: Mapping[str, Any]) -> AttributeMap:
    """Return what attributes with these names tell."""
    names = tuple(told)
    reading = _kept.get(names)
    if reading is None:
        reading = _reading(names)
        # Of one instrumentation all spans have the same few names; others mustn't fill the memory.
        if len(names) <= _USUAL_NAMES and all(len(name) <= _USUAL_LENGTH for name in names):
            if len(_kept) >= _MOST_KEPT:
                _kept.clear()
            _kept[names] = reading
    return reading


def _reading(names: Sequence[str]) -> AttributeMap:
    told = set(names)

    def first(wanted: Iterable[str]) -> str | None:
        return next((name for name in wanted if name in told), None)

    texts = {**TEXTS, "service_tier": TIER, "session": SESSION}
    counts = [(field, name) for name in names if (field := count_of(name)) is not None]
    return AttributeMap(
        models=[name for name in (*TEXTS["upstream_id"], *TEXTS["served_id"]) if name in told],
        texts=[(field, name) for field, wanted in texts.items() if (name := first(wanted))],
        counts=sorted(counts, key=lambda count: rank(count[1])),
        parameters=[name for attribute, name in PARAMETERS.items() if attribute in told],
        first_token_s=first(FIRST_TOKEN_S),
        cost_usd=first(COST_USD),
        own_texts=[(name, OURS + name) for name in _OWN_TEXTS if OURS + name in told],
        own_flags=[(name, OURS + name) for name in _OWN_FLAGS if OURS + name in told],
        tags=[(name, name.removeprefix(TAG)) for name in names if name.startswith(TAG)],
        has_signals=not told.isdisjoint(OURS + name for name in SIGNALS),
    )


def is_read(name: str) -> bool:
    """Say whether an attribute is read at all: never one with a prompt or an answer in it."""
    return name in _READ or name.startswith(OURS) or count_of(name) is not None


def count_of(name: str) -> str | None:
    """Return which count of tokens an attribute tells, under the name of the sample's field.

    None for all other attributes. Where several of a span tell the same, see ``rank``.
    """
    return _count_of(name) if name.startswith(_USAGE) and len(name) <= _USUAL_LENGTH else None


@lru_cache(maxsize=4096)
def _count_of(name: str) -> str | None:
    prefix = next(prefix for prefix in _USAGE if name.startswith(prefix))
    words = _words(name[len(prefix) :])
    if "cost" in words:
        return None
    if words & _CACHE:
        return _cache_count(words)
    if words & _REASONING:
        return "reasoning_tokens"
    return _side_count(words)


def _cache_count(words: Set[str]) -> str | None:
    if words & {"audio", "image", "text", "video"}:
        return None  # a part of a part
    if not words & _WRITE:
        return None if words & {"miss", "no"} else "cached_tokens"
    kept = "".join(word for word in ("5m", "1h") if word in words)
    return f"cache_write_{kept}_tokens" if kept else "cache_write_tokens"


def _side_count(words: Set[str]) -> str | None:
    bare = words - _NO_MEANING
    for field, names in _SIDES.items():
        if bare and bare <= names:
            return field
        side, media = field.partition("_")[0], bare - names - _DETAILS
        if bare & names and media in ({"audio"}, {"image"}):
            return f"{side}_{''.join(media)}_tokens"
    if not bare:
        return "input_tokens"  # Vercel's, of embeddings: they have no other side
    return TOTAL if bare == {"total"} else None


def rank(name: str) -> tuple[bool, bool, bool, str]:
    """Return what names of the same count are ordered by: today's names before older ones.

    A library's ``details`` repeat what the provider said, in the provider's way of counting.
    """
    words = _words(name)
    return bool(words & _DETAILS), not name.startswith(_USAGE[0]), bool(words & _OLDER), name


def _words(name: str) -> Set[str]:
    return {word.lower() for word in _WORD.findall(name)}


_APART = (
    "opentelemetry.instrumentation.bedrock",
    "@traceloop/instrumentation-bedrock",
    "opentelemetry.instrumentation.botocore.bedrock-runtime",
    "@opentelemetry/instrumentation-aws-sdk",
    "strands",
    "com.anthropic.claude_code",
)
"""Instrumentations that repeat the count of Anthropic or Bedrock, which leaves the cache out."""


def counts_cache_apart(scope: str, counts: Mapping[str, int]) -> bool:
    """Say whether a span's input tokens are told without those from and into the cache.

    Known where the total that it tells is all of them together; else by who made the span.
    By the convention they are included.
    """
    in_cache = counts.get("cached_tokens", 0) + counts.get("cache_write_tokens", 0)
    sides = counts.get("input_tokens", 0) + counts.get("output_tokens", 0)
    told_together = in_cache and counts.get(TOTAL) == sides + in_cache
    return bool(told_together) or scope.startswith(_APART)
