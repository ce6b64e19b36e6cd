"""Traces as samples: spans of requests to models, by OpenTelemetry's GenAI conventions.

Names: https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/ with the older
ones that instrumentations still send, and litellm's own. Prompts and answers are never read.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from providers import registry
from providers.models import Provider
from versioning.services import options
from versioning.services.samples import ingestion
from versioning.services.samples.sample_format import Rejected, SampleIn, TooLarge, sample_from
from versioning.services.samples.trace_format import Receipt, Scalar, Span

OURS = "hotswap."
"""Attributes under this name, on the span or its resource, say what no convention does."""

TAG = "hotswap.tag."
SHORTEST_UNIQUE_ID = 20
"""Shorter response ids come again: some servers number their answers from 0 to 999."""

REASONS_TOLD = 3

_TEXTS = {
    "upstream_id": ("gen_ai.request.model",),
    "served_id": ("gen_ai.response.model",),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
}
_TOKENS = {
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "cached_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
    ),
    "reasoning_tokens": ("gen_ai.usage.reasoning.output_tokens",),
}
_FIRST_TOKEN_S = ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
_COST_USD = ("gen_ai.cost.total_cost", "gen_ai.usage.cost")
_OPERATION, _RESPONSE_ID = "gen_ai.operation.name", "gen_ai.response.id"
_ERROR, _HOST, _PORT = "error.type", "server.address", "server.port"
_FROM_CACHE = "litellm.cache_hit"
_SESSION = ("hotswap.session", "gen_ai.conversation.id", "session.id")
_PARAMETERS = {
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
_REQUESTS = frozenset({
    "", "chat", "text_completion", "generate_content", "embeddings",
    # litellm's names, which tell awaited requests from the others
    "completion", "acompletion", "atext_completion", "embedding", "aembedding",
    "responses", "aresponses", "anthropic_messages", "aanthropic_messages",
    "agenerate_content", "generate_content_stream", "agenerate_content_stream",
})  # fmt: skip
"""Operations that ask a model; agents, tools and workflows only hold such requests."""

_READ = frozenset(
    {_OPERATION, _RESPONSE_ID, _ERROR, _HOST, _PORT, _FROM_CACHE, *_FIRST_TOKEN_S, *_COST_USD}
    | {*_SESSION, *_PARAMETERS}
    | {name for names in (*_TEXTS.values(), *_TOKENS.values()) for name in names}
)
_KIND_OF = {
    "aws.bedrock": "bedrock", "bedrock_converse": "bedrock",
    "azure.ai.openai": "azure", "az.ai.openai": "azure",
    "gcp.gemini": "gemini", "gcp.gen_ai": "gemini",
    "mistral_ai": "mistral", "ollama_chat": "ollama",
    "x_ai": "xai", "together_ai": "together", "fireworks_ai": "fireworks",
    "hosted_vllm": "vllm", "lm_studio": "lmstudio",
}  # fmt: skip
"""What conventions and libraries call a provider, where we say it otherwise."""


def is_read(name: str) -> bool:
    """Say whether an attribute is read at all: never one with a prompt or an answer in it."""
    return name in _READ or name.startswith(OURS)


def accept(spans: Iterable[Span], *, api_key_id: int | None, now: datetime) -> Receipt:
    """Store the requests to models among the spans as samples; the other spans are left out.

    A span that was sent before changes nothing. Raises TooLarge, or Busy when the database
    can't take it now: nothing is stored then.
    """
    asked = [span for span in spans if _is_request(span)]
    most = options.most_items()
    if len(asked) > most:
        raise TooLarge(f"An export holds at most {most} requests to models, not {len(asked)}.")
    if not asked:
        return Receipt(0, "")
    providers = _Providers.load()
    samples = [_sample(span, index, providers) for index, span in enumerate(asked)]
    rejected = ingestion.accept(samples, api_key_id=api_key_id, now=now).rejected
    return Receipt(len(rejected), _reasons(rejected))


def _reasons(rejected: Sequence[Rejected]) -> str:
    """Return the first few different reasons, for a log on the other side."""
    reasons = list(dict.fromkeys(item.detail for item in rejected))
    more = f" And {len(reasons) - REASONS_TOLD} more." if len(reasons) > REASONS_TOLD else ""
    return " ".join(reasons[:REASONS_TOLD]) + more


def _is_request(span: Span) -> bool:
    told = span.attributes
    if told.get(_FROM_CACHE) in (True, "True", "true"):
        return False  # answered by a cache: says nothing about the model
    names = any(told.get(name) for name in (*_TEXTS["upstream_id"], *_TEXTS["served_id"]))
    return names and str(told.get(_OPERATION, "")) in _REQUESTS


def _sample(span: Span, index: int, providers: "_Providers") -> SampleIn | Rejected:
    try:
        fields = _fields(span, providers)
    except (ValueError, OverflowError, OSError):
        return Rejected(index, "invalid-field", "A span's time or one of its numbers is none.")
    return sample_from({k: v for k, v in fields.items() if v is not None}, index=index)


def _fields(span: Span, providers: "_Providers") -> dict[str, Any]:
    told = span.attributes
    texts = {name: _text(told, names) for name, names in _TEXTS.items()}
    first_token_s = _number(_first(told, _FIRST_TOKEN_S))
    return {
        **texts,
        "provider": providers.slug_of(told, named=texts["provider"]),
        "requested_id": texts["upstream_id"],
        **{name: _whole(_first(told, names)) for name, names in _TOKENS.items()},
        "ttft_ms": None if first_token_s is None else first_token_s * 1000,
        "cost_usd": _cost(told),
        "error": _error(span),
        "request_id": _request_id(span),
        "session": _text(told, _SESSION)[:200],
        "parameters": _parameters(told),
        **_times(span),
        **_own({**span.resource, **told}),
    }


def _parameters(told: Mapping[str, Scalar]) -> list[str] | None:
    """Return what the request used; None where the instrumentation tells no parameter."""
    return [name for attribute, name in _PARAMETERS.items() if attribute in told] or None


def _request_id(span: Span) -> str:
    given = str(span.attributes.get(_RESPONSE_ID, ""))
    return given if SHORTEST_UNIQUE_ID <= len(given) <= 200 else span.span_id


def _error(span: Span) -> str:
    """Return the class of the error; never its message, which may quote the prompt."""
    told = str(span.attributes.get(_ERROR, ""))
    if not (told or span.failed):
        return ""
    return (told or span.exception.rpartition(".")[2] or "error")[:100]


def _times(span: Span) -> dict[str, Any]:
    if not span.start_ns:
        return {}
    took_ns = span.end_ns - span.start_ns
    return {
        "time": datetime.fromtimestamp(span.start_ns / 1e9, UTC),
        "latency_ms": took_ns / 1e6 if span.end_ns and took_ns >= 0 else None,
    }


def _cost(told: Mapping[str, Scalar]) -> Decimal | None:
    """Return the cost in USD; litellm says 0 for a model of unknown price: that is unknown."""
    number = _number(_first(told, _COST_USD))
    return Decimal(repr(number)) if number else None


def _own(told: Mapping[str, Scalar]) -> dict[str, Any]:
    """Return the fields that our own attributes give, under the names of samples."""
    fields: dict[str, Any] = {
        name: str(told[OURS + name])
        for name in ("model", "provider", "task", "source", "request_id")
        if OURS + name in told
    }
    if (quality := _number(told.get(f"{OURS}quality"))) is not None:
        fields["quality"] = quality
    if f"{OURS}cost_usd" in told:
        fields["cost_usd"] = _decimal(told[f"{OURS}cost_usd"])
    signals = {
        "valid_output": told.get(f"{OURS}valid_output"),
        "user_feedback": _number(told.get(f"{OURS}user_feedback")),
        "retries": _whole(told.get(f"{OURS}retries")),
        "latency_budget_ms": _number(told.get(f"{OURS}latency_budget_ms")),
    }
    if any(value is not None for value in signals.values()):
        fields["signals"] = signals
    if tags := {k.removeprefix(TAG): str(v) for k, v in told.items() if k.startswith(TAG)}:
        fields["tags"] = tags
    return fields


def _first(told: Mapping[str, Scalar], names: Iterable[str]) -> Scalar | None:
    return next((told[name] for name in names if name in told), None)


def _text(told: Mapping[str, Scalar], names: Iterable[str]) -> str:
    value = _first(told, names)
    return "" if value is None else str(value)


def _number(value: Scalar | None) -> float | None:
    """Return the number, None for none. Raises ValueError for a text that is no finite number."""
    if value is None or isinstance(value, bool):
        return None
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _whole(value: Scalar | None) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _decimal(value: Scalar) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("not a number") from error


@dataclass(frozen=True, slots=True)
class _Providers:
    """The names and places of the providers here, to find whose request a span tells of."""

    names: frozenset[str]
    by_place: Mapping[tuple[str, int | None], str]

    @classmethod
    def load(cls) -> "_Providers":
        names: set[str] = set()
        places: dict[tuple[str, int | None], set[str]] = {}
        for slug, kind, base_url in Provider.objects.values_list("slug", "kind", "base_url"):
            names |= {slug, kind}
            host, port = _place(base_url or _default_url(kind))
            for place in ((host, port), (host, None)):
                places.setdefault(place, set()).add(slug)
        return cls(
            names=frozenset(names),
            by_place={p: min(s) for p, s in places.items() if p[0] and len(s) == 1},
        )

    def slug_of(self, told: Mapping[str, Scalar], *, named: str) -> str:
        """Return whom the request went to: by the server's address, else by the name told.

        Empty where neither is known here: the model's own name decides then.
        """
        host = str(told.get(_HOST, "")).lower()
        port = str(told.get(_PORT, ""))
        places = ((host, int(port) if port.isdecimal() else None), (host, None))
        found = next((self.by_place[place] for place in places if place in self.by_place), "")
        name = _KIND_OF.get(named, named)
        return found or (name if name in self.names else "")


def _place(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        usual = {"https": 443, "http": 80}.get(parts.scheme)
        return (parts.hostname or "").lower(), parts.port or usual
    except ValueError:
        return "", None


def _default_url(kind: str) -> str:
    try:
        return registry.adapter_class(kind).default_base_url
    except registry.UnknownKind:
        return ""
