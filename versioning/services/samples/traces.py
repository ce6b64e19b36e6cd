"""Traces as samples: spans of requests to models, by OpenTelemetry's GenAI conventions.

Each request once, each span apart: one that can't be used costs no other. Prompts and answers are
never read.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import InterfaceError, OperationalError

from versioning.services import sample_settings
from versioning.services.errors import Busy
from versioning.services.samples import ingestion, left_out_spans, removal, trace_deduplication
from versioning.services.samples.batch import hasher
from versioning.services.samples.incoming import Rejected, SampleIn, TooLarge, sample_from
from versioning.services.samples.trace_dialects import WRAPPERS, dialect_of
from versioning.services.samples.trace_format import Fault, Receipt, Scalar, Span
from versioning.services.samples.trace_names import (
    EMBEDDINGS,
    ERROR,
    FROM_CACHE,
    OPERATION,
    OURS,
    REQUESTS,
    RESPONSE_ID,
    TOTAL,
    AttributeMap,
    counts_cache_apart,
    reading_of,
)
from versioning.services.samples.trace_providers import Providers

SHORTEST_UNIQUE_ID = 20
"""Shorter response ids come again: some servers number their answers from 0 to 999."""

REASONS_TOLD = 3
_CUT = {"service_tier": 40, "session": 200}
"""Letters that are kept of texts that nobody here chose."""

_OWN_REQUEST_ID = f"{OURS}request_id"


def accept(spans: Iterable[Span | Fault], *, api_key_id: int | None, now: datetime) -> Receipt:
    """Store the requests to models among the spans as samples; the other spans are left out.

    A span that was sent before changes nothing, and one that wraps another's request is none.
    Raises TooLarge, or Busy when the database can't take it now: sent again, it counts once.
    """
    read = list(spans)
    told = [span for span in read if isinstance(span, Span)]
    faults = [Rejected(0, "invalid-field", f"{f.reason}.") for f in read if isinstance(f, Fault)]
    asked = [index for index, span in enumerate(told) if _is_request(span)]
    most = sample_settings.most_items()
    if len(asked) > most:
        raise TooLarge(f"An export holds at most {most} requests to models, not {len(asked)}.")
    requests = set(asked)
    dialects = (dialect_of(span) for index, span in enumerate(told) if index not in requests)
    kept_out = Counter(filter(None, dialects))
    hash_of = hasher(api_key_id)
    hashes = {i: hash_of(name) if (name := _request_of(told[i])) else None for i in asked}
    try:
        found = trace_deduplication.sort_out(told, requests=hashes, now=now)
        kept_out[WRAPPERS] += len(found.wrapping) + removal.take_back(found.taken_back, now=now)
        traced = {hash_ for hash_ in hashes.values() if hash_ is not None}
        inner = [told[index] for index in asked if index not in found.wrapping]
        rejected = [*faults, *_store(inner, api_key_id=api_key_id, traced=traced, now=now)]
        overtaken = trace_deduplication.overtaken(found.keys)
        kept_out[WRAPPERS] += removal.take_back(overtaken, now=now)
        left_out_spans.note(kept_out, now=now)
    except (OperationalError, InterfaceError) as error:
        raise Busy("The database can't take traces now; send them again.") from error
    return Receipt(len(rejected), _reasons(rejected, +kept_out))


def _store(
    spans: Sequence[Span], *, api_key_id: int | None, traced: Set[int], now: datetime
) -> Sequence[Rejected]:
    """Store a sample of each span; return those that can't be used."""
    if not spans:
        return ()
    providers = Providers.load()
    samples = [_sample(span, index, providers) for index, span in enumerate(spans)]
    return ingestion.accept(samples, api_key_id=api_key_id, traced=traced, now=now).rejected


def _reasons(rejected: Sequence[Rejected], left_out: Mapping[str, int]) -> str:
    """Return the first few different reasons, and what was left out, for a log over there."""
    reasons = list(dict.fromkeys(item.detail for item in rejected))
    more = [f"And {len(reasons) - REASONS_TOLD} more."] if len(reasons) > REASONS_TOLD else []
    said = [f"Left out: {count} {reason}." for reason, count in sorted(left_out.items())]
    return " ".join([*reasons[:REASONS_TOLD], *more, *said])


def _is_request(span: Span) -> bool:
    told = span.attributes
    if told.get(FROM_CACHE) in (True, "True", "true"):
        return False  # answered by a cache: says nothing about the model
    if str(told.get(OPERATION, "")) not in REQUESTS:
        return False
    return any(told[name] for name in reading_of(told).models)


def _sample(span: Span, index: int, providers: Providers) -> SampleIn | Rejected:
    try:
        fields = _fields(span, providers)
    except (ValueError, OverflowError, OSError):
        return Rejected(
            index, "invalid-field", "A span's time or one of its numbers can't be used."
        )
    return sample_from({k: v for k, v in fields.items() if v is not None}, index=index)


def _fields(span: Span, providers: Providers) -> dict[str, Any]:
    told = span.attributes
    reading = reading_of(told)
    fields: dict[str, Any] = {field: str(told[name]) for field, name in reading.texts}
    for field in fields.keys() & _CUT.keys():
        fields[field] = fields[field][: _CUT[field]]
    fields["provider"] = providers.whose(told, named=fields.get("provider", ""))
    fields["requested_id"] = fields.get("upstream_id", "")
    fields["error"] = _error(span)
    fields["request_id"] = _request_id(span)
    if reading.first_token_s and (seconds := _number(told[reading.first_token_s])) is not None:
        fields["ttft_ms"] = seconds * 1000
    if reading.cost_usd:
        fields["cost_usd"] = _cost(told[reading.cost_usd])
    if reading.parameters:
        fields["parameters"] = reading.parameters
    fields |= _counts(span, reading)
    fields |= _times(span)
    own = {**span.resource, **told} if span.resource else told
    fields |= _own(own, reading_of(own))
    return fields


def _request_of(span: Span) -> str:
    """Return the id that the span's sample gets: ours, where it is told."""
    own = span.attributes.get(_OWN_REQUEST_ID, span.resource.get(_OWN_REQUEST_ID))
    return _request_id(span) if own is None else str(own)


def _request_id(span: Span) -> str:
    given = str(span.attributes.get(RESPONSE_ID, ""))
    return given if SHORTEST_UNIQUE_ID <= len(given) <= 200 else span.name


def _error(span: Span) -> str:
    """Return the class of the error; never its message, which may quote the prompt."""
    told = str(span.attributes.get(ERROR, ""))
    if not (told or span.failed):
        return ""
    return (told or span.exception.rpartition(".")[2] or "error")[:100]


def _counts(span: Span, reading: AttributeMap) -> dict[str, int]:
    """Return the counts of tokens under the names of the sample's fields.

    The input includes what was read from a cache or written to it, whoever counts it apart.
    """
    counts: dict[str, int] = {}
    for field, name in reading.counts:
        if field not in counts and (count := _whole(span.attributes[name])) is not None:
            counts[field] = count
    five_minutes = counts.pop("cache_write_5m_tokens", None)
    if five_minutes is not None:
        whole = five_minutes + counts.get("cache_write_1h_tokens", 0)
        counts.setdefault("cache_write_tokens", whole)
    if "input_tokens" in counts and counts_cache_apart(span.scope, counts):
        in_cache = ("cached_tokens", "cache_write_tokens")
        counts["input_tokens"] += sum(counts.get(name, 0) for name in in_cache)
    if span.attributes.get(OPERATION) in EMBEDDINGS:
        counts.setdefault("output_tokens", 0)
    counts.pop(TOTAL, None)
    return counts


def _times(span: Span) -> dict[str, Any]:
    """Return when the request began and how long it took.

    A span without a beginning is one of its end. Raises ValueError or OverflowError for a time
    that no calendar has, and for a span without any: counted as now it would be of no day.
    """
    began_ns = span.start_ns or span.end_ns
    if not began_ns:
        raise ValueError("no time")
    took_ns = span.end_ns - span.start_ns
    return {
        "time": datetime.fromtimestamp(began_ns / 1e9, UTC),
        "latency_ms": took_ns / 1e6 if span.start_ns and span.end_ns and took_ns >= 0 else None,
    }


def _cost(told: Scalar) -> Decimal | None:
    """Return the cost in USD; litellm says 0 for a model of unknown price: that is unknown."""
    number = _number(told)
    return Decimal(repr(number)) if number else None


def _own(told: Mapping[str, Scalar], reading: AttributeMap) -> dict[str, Any]:
    """Return the fields that our own attributes give, under the names of samples."""
    fields: dict[str, Any] = {field: str(told[name]) for field, name in reading.own_texts}
    fields |= {field: told[name] for field, name in reading.own_flags}
    if (quality := _number(told.get(f"{OURS}quality"))) is not None:
        fields["quality"] = quality
    if f"{OURS}cost_usd" in told:
        fields["cost_usd"] = _decimal(told[f"{OURS}cost_usd"])
    if reading.has_signals and (signals := _signals(told)):
        fields["signals"] = signals
    if reading.tags:
        fields["tags"] = {tag: str(told[name]) for name, tag in reading.tags}
    return fields


def _signals(told: Mapping[str, Scalar]) -> dict[str, Any] | None:
    signals = {
        "valid_output": told.get(f"{OURS}valid_output"),
        "user_feedback": _number(told.get(f"{OURS}user_feedback")),
        "retries": _whole(told.get(f"{OURS}retries")),
        "latency_budget_ms": _number(told.get(f"{OURS}latency_budget_ms")),
    }
    return signals if any(value is not None for value in signals.values()) else None


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
    if number is not None and number != int(number):
        raise ValueError("not a whole number")
    return None if number is None else int(number)


def _decimal(value: Scalar) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("not a number") from error
