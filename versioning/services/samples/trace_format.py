"""OTLP traces, as protobuf or as JSON: of each span only what the caller asks for is read.

A span that can't be read is handed over as a Fault: it costs no other span. In JSON, null is the
default value, and a number may come as a text or with an exponent, as in all of protobuf's JSON.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import msgspec

from versioning.services.errors import Invalid

Scalar = str | int | float | bool
Wanted = Callable[[str], bool]
"""Tells by its name whether an attribute is to be read; the others (prompts too) never are."""

_ERROR = (2, "2", "STATUS_CODE_ERROR")
_EXCEPTION_TYPE = "exception.type"
_NESTING = re.compile(r'"(?:[^"\\]+|\\.)*"?|[\[\]{}]', re.DOTALL)
_DEEPEST = 60
"""Levels of brackets; what is read of a span lies no deeper than nine."""

_MOST_DIGITS = 25
"""Of a number of 64 bits, its exponent included; a longer text is none, and slow to read."""


class UnreadableTraces(Invalid):
    """The body is no OTLP request in the form that its content type says."""

    code = "unreadable-body"
    status = 400


@dataclass(frozen=True, slots=True)
class Span:
    """What was read of one span. Times are nanoseconds since 1970, 0 where untold."""

    attributes: Mapping[str, Scalar]
    resource: Mapping[str, Scalar]
    scope: str
    """The name of the instrumentation that made it."""
    trace_id: str
    span_id: str
    parent_id: str
    """In hexadecimal; the parent's is empty for the first span of a trace."""
    start_ns: int
    end_ns: int
    failed: bool
    exception: str
    """The type of the exception that an event tells, without its message."""

    @property
    def name(self) -> str:
        """``trace:span``, empty where either is untold."""
        return f"{self.trace_id}:{self.span_id}" if self.trace_id and self.span_id else ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A span, or what stood in place of spans, that can't be read, and why."""

    reason: str


class _Unreadable(ValueError):
    """A field that is read has another type than OTLP gives it; the text says which."""


class Receipt(NamedTuple):
    """The answer to an export: how many spans can't be used, and why (empty for none)."""

    rejected: int
    message: str

    def as_protobuf(self) -> bytes:
        # Here and below: a process that gets no traces does without the memory of protobuf.
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

        answer = trace_service_pb2.ExportTraceServiceResponse()
        if self.rejected or self.message:
            answer.partial_success.rejected_spans = self.rejected
            answer.partial_success.error_message = self.message
        body: bytes = answer.SerializeToString()
        return body

    def as_json(self) -> bytes:
        if not (self.rejected or self.message):
            return b"{}"
        # 64-bit numbers are texts in OTLP's JSON.
        told = {"rejectedSpans": str(self.rejected), "errorMessage": self.message}
        return msgspec.json.encode({"partialSuccess": told})


def read_protobuf(body: bytes, *, wanted: Wanted) -> Iterator[Span | Fault]:
    """Yield the spans of an ExportTraceServiceRequest. Raises UnreadableTraces."""
    from google.protobuf.message import DecodeError

    from versioning.services.samples.trace_protobuf import messages

    try:
        request = messages().request.FromString(body)
    except DecodeError as error:
        raise UnreadableTraces("The body is no OTLP trace request in protobuf.") from error
    return _protobuf_spans(request, _Names(wanted))


class _Names(dict[bytes, str | None]):
    """The names of the attributes of an export, None for those that aren't read."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted

    def __missing__(self, encoded: bytes) -> str | None:
        name = _utf8(encoded)
        self[encoded] = kept = name if self._wanted(name) else None
        return kept


def _protobuf_spans(request: Any, names: _Names) -> Iterator[Span | Fault]:
    from google.protobuf.message import DecodeError

    from versioning.services.samples.trace_protobuf import messages

    read = messages().span.FromString
    for group in request.resource_spans:
        resource = _protobuf_attributes(group.resource.attributes, names)
        for scope in group.scope_spans:
            name = _utf8(scope.scope.name)
            for encoded in scope.spans:
                try:
                    yield _protobuf_span(read(encoded), resource, name, names)
                except DecodeError:
                    yield Fault("A span is no protobuf.")


def _protobuf_span(span: Any, resource: Mapping[str, Scalar], scope: str, names: _Names) -> Span:
    return Span(
        attributes=_protobuf_attributes(span.attributes, names),
        resource=resource,
        scope=scope,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        failed=span.status.code in _ERROR,
        exception=_exception(
            _protobuf_attributes(event.attributes, _Names(_is_exception_type))
            for event in span.events
        ),
    )


def _protobuf_attributes(pairs: Iterable[Any], names: _Names) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for pair in pairs:
        name = names[pair.key]
        if name is not None and (field := (told := pair.value).WhichOneof("value")):
            value = getattr(told, field)
            found[name] = _utf8(value) if field == "string_value" else value
    return found


def _utf8(text: bytes) -> str:
    return text.decode(errors="replace")


def read_json(body: bytes, *, wanted: Wanted) -> Iterator[Span | Fault]:
    """Yield the spans of an OTLP request in JSON. Raises UnreadableTraces."""
    try:
        groups = _items(_object(_decoded(body), "The body"), "resourceSpans")
    except (ValueError, RecursionError) as error:
        raise UnreadableTraces(f"The body is no OTLP trace request in JSON: {error}.") from error
    return _json_spans(groups, wanted)


def _decoded(body: bytes) -> Any:
    """Return the JSON, also with what makes a strict reader refuse all of it for one value.

    NaN, halves of surrogate pairs, bytes that are no UTF-8, numbers out of range, and values
    nested deeper than any reader goes: such a value is read as null, or not at all.
    Raises ValueError or RecursionError.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = _cut(body.decode(errors="replace"))
        return json.loads(text, parse_int=_small_number, parse_constant=lambda _: math.nan)


def _cut(text: str) -> str:
    """Return the JSON text with null for what is nested too deeply."""
    kept: list[str] = []
    depth = start = 0
    for match in _NESTING.finditer(text):
        if (mark := match[0]) in "[{":
            depth += 1
            if depth == _DEEPEST:
                kept.append(text[start : match.start()])
        elif mark in "]}":
            if depth == _DEEPEST:
                kept.append("null")
                start = match.end()
            depth -= 1
    return "".join(kept) + text[start:]


def _small_number(digits: str) -> float:
    return int(digits) if len(digits) <= _MOST_DIGITS else math.inf


def _json_spans(groups: Iterable[Any], wanted: Wanted) -> Iterator[Span | Fault]:
    for group in groups:
        try:
            told = _object(group, "resourceSpans")
            scopes = _items(told, "scopeSpans")
            resource = _object(told.get("resource"), "resource")
            attributes = _json_attributes(resource, wanted)
        except _Unreadable as error:
            yield Fault(str(error))
            continue
        for scope in scopes:
            yield from _json_scope(scope, attributes, wanted)


def _json_scope(
    scope: Any, resource: Mapping[str, Scalar], wanted: Wanted
) -> Iterator[Span | Fault]:
    try:
        told = _object(scope, "scopeSpans")
        spans = _items(told, "spans")
    except _Unreadable as error:
        yield Fault(str(error))
        return
    named = told.get("scope")
    name = named.get("name") if isinstance(named, dict) else None
    for span in spans:
        try:
            yield _json_span(span, resource, name if isinstance(name, str) else "", wanted)
        except _Unreadable as error:
            yield Fault(str(error))


def _json_span(span: Any, resource: Mapping[str, Scalar], scope: str, wanted: Wanted) -> Span:
    told = _object(span, "A span")
    return Span(
        attributes=_json_attributes(told, wanted),
        resource=resource,
        scope=scope,
        trace_id=_id(told, "traceId"),
        span_id=_id(told, "spanId"),
        parent_id=_id(told, "parentSpanId"),
        start_ns=_whole(told.get("startTimeUnixNano"), "startTimeUnixNano"),
        end_ns=_whole(told.get("endTimeUnixNano"), "endTimeUnixNano"),
        failed=_is_error(_object(told.get("status"), "status").get("code")),
        exception=_exception(
            _json_attributes(_object(event, "An event"), _is_exception_type)
            for event in _items(told, "events")
        ),
    )


def _json_attributes(holder: Mapping[str, Any], wanted: Wanted) -> dict[str, Scalar]:
    """Return the wanted attributes. Raises _Unreadable for one of them that has no readable value.

    Another attribute's value may be whatever it is: it isn't looked at.
    """
    found: dict[str, Scalar] = {}
    for pair in _items(holder, "attributes"):
        told = _object(pair, "An attribute")
        key = told.get("key")
        if isinstance(key, str) and wanted(key):
            value = _scalar(_object(told.get("value"), key), key)
            if value is not None:
                found[key] = value
    return found


def _scalar(value: Mapping[str, Any], key: str) -> Scalar | None:
    """Return the value told of an attribute; None for a list, for bytes and for no value."""
    for name, read in _READERS.items():
        told = value.get(name)
        if told is not None:
            return read(told, key)
    return None


def _text(told: Any, key: str) -> str:
    if isinstance(told, str):
        return told if told.isascii() else _utf8(told.encode(errors="replace"))
    raise _Unreadable(f"{key} is no text")


def _flag(told: Any, key: str) -> bool:
    if isinstance(told, bool):
        return told
    raise _Unreadable(f"{key} is neither true nor false")


def _real(told: Any, key: str) -> float:
    try:
        if not isinstance(told, bool | dict | list):
            return float(told)
    except (ValueError, OverflowError):
        pass
    raise _Unreadable(f"{key} is no number")


def _whole(told: Any, key: str) -> int:
    """Return a whole number, as number or text; 0 for null. Raises _Unreadable for all else."""
    if told is None:
        return 0
    if isinstance(told, int) and not isinstance(told, bool):
        return told
    try:
        number = Decimal(repr(told) if isinstance(told, float) else _short(told))
        if number == number.to_integral_value() and number.adjusted() < _MOST_DIGITS:
            return int(number)
    except (InvalidOperation, ValueError, TypeError):
        pass
    raise _Unreadable(f"{key} is no whole number")


def _short(told: Any) -> str:
    if isinstance(told, str) and len(told) <= _MOST_DIGITS:
        return told
    raise ValueError("no number")


_READERS: Mapping[str, Callable[[Any, str], Scalar]] = {
    "stringValue": _text,
    "intValue": _whole,
    "doubleValue": _real,
    "boolValue": _flag,
}


def _id(told: Mapping[str, Any], name: str) -> str:
    return _text(told.get(name) or "", name).lower()


def _is_error(code: Any) -> bool:
    if code is None or (isinstance(code, int | str) and not isinstance(code, bool)):
        return code in _ERROR
    raise _Unreadable("status.code is neither a number nor a name")


def _object(told: Any, name: str) -> dict[str, Any]:
    if told is None:
        return {}
    if isinstance(told, dict):
        return told
    raise _Unreadable(f"{name} is no object")


def _items(holder: Mapping[str, Any], name: str) -> list[Any]:
    told = holder.get(name)
    if told is None:
        return []
    if isinstance(told, list):
        return told
    raise _Unreadable(f"{name} is no list")


def _exception(events: Iterable[Mapping[str, Scalar]]) -> str:
    return next((str(found) for event in events if (found := event.get(_EXCEPTION_TYPE))), "")


def _is_exception_type(name: str) -> bool:
    return name == _EXCEPTION_TYPE
