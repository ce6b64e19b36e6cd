"""OTLP traces, as protobuf or as JSON: of each span only what the caller asks for is read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from versioning.services.errors import Invalid

Scalar = str | int | float | bool
Wanted = Callable[[str], bool]
"""Tells by its name whether an attribute is to be read; the others (prompts too) never are."""

_ERROR = (Status.STATUS_CODE_ERROR, str(Status.STATUS_CODE_ERROR), "STATUS_CODE_ERROR")
_EXCEPTION_TYPE = "exception.type"


class UnreadableTraces(Invalid):
    """The body is no OTLP request in the form that its content type says."""

    code = "unreadable-body"
    status = 400


@dataclass(frozen=True, slots=True)
class Span:
    """What was read of one span. Times are nanoseconds since 1970, 0 where untold."""

    attributes: Mapping[str, Scalar]
    resource: Mapping[str, Scalar]
    span_id: str
    """Trace and span id in hexadecimal, ``trace:span``."""
    start_ns: int
    end_ns: int
    failed: bool
    exception: str
    """The type of the exception that an event tells, without its message."""


class _Value(msgspec.Struct, rename="camel", gc=False):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None


class _Pair(msgspec.Struct, gc=False):
    key: str = ""
    value: _Value | None = None


class _Event(msgspec.Struct, gc=False):
    attributes: list[_Pair] = []


class _Status(msgspec.Struct, gc=False):
    code: int | str = 0


class _Span(msgspec.Struct, rename="camel", gc=False):
    trace_id: str = ""
    span_id: str = ""
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: list[_Pair] = []
    events: list[_Event] = []
    status: _Status | None = None


class _Scope(msgspec.Struct, gc=False):
    spans: list[_Span] = []


class _Resource(msgspec.Struct, gc=False):
    attributes: list[_Pair] = []


class _ResourceSpans(msgspec.Struct, rename="camel", gc=False):
    resource: _Resource | None = None
    scope_spans: list[_Scope] = []


class _Request(msgspec.Struct, rename="camel", gc=False):
    resource_spans: list[_ResourceSpans] = []


_request = msgspec.json.Decoder(_Request)


class Receipt(NamedTuple):
    """The answer to an export: how many spans can't be used, and why (empty for none)."""

    rejected: int
    message: str

    def as_protobuf(self) -> bytes:
        answer = ExportTraceServiceResponse()
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


def read_protobuf(body: bytes, *, wanted: Wanted) -> Iterator[Span]:
    """Yield the spans of an ExportTraceServiceRequest. Raises UnreadableTraces."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise UnreadableTraces("The body is no OTLP trace request in protobuf.") from error
    return _protobuf_spans(request, wanted)


def _protobuf_spans(request: ExportTraceServiceRequest, wanted: Wanted) -> Iterator[Span]:
    for group in request.resource_spans:
        resource = _protobuf_attributes(group.resource.attributes, wanted)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Span(
                    attributes=_protobuf_attributes(span.attributes, wanted),
                    resource=resource,
                    span_id=_name(span.trace_id.hex(), span.span_id.hex()),
                    start_ns=span.start_time_unix_nano,
                    end_ns=span.end_time_unix_nano,
                    failed=span.status.code in _ERROR,
                    exception=_exception(
                        _protobuf_attributes(event.attributes, _is_exception_type)
                        for event in span.events
                    ),
                )


def _protobuf_attributes(pairs: Iterable[Any], wanted: Wanted) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for pair in pairs:
        if wanted(pair.key):
            field = pair.value.WhichOneof("value")
            if field in {"string_value", "int_value", "double_value", "bool_value"}:
                found[pair.key] = getattr(pair.value, field)
    return found


def read_json(body: bytes, *, wanted: Wanted) -> Iterator[Span]:
    """Yield the spans of an OTLP request in JSON. Raises UnreadableTraces."""
    try:
        request = _request.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableTraces(f"The body is no OTLP trace request in JSON: {error}.") from error
    return _json_spans(request, wanted)


def _json_spans(request: _Request, wanted: Wanted) -> Iterator[Span]:
    for group in request.resource_spans:
        attributes = group.resource.attributes if group.resource else []
        resource = _json_attributes(attributes, wanted)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Span(
                    attributes=_json_attributes(span.attributes, wanted),
                    resource=resource,
                    span_id=_name(span.trace_id.lower(), span.span_id.lower()),
                    start_ns=_nanoseconds(span.start_time_unix_nano),
                    end_ns=_nanoseconds(span.end_time_unix_nano),
                    failed=span.status is not None and span.status.code in _ERROR,
                    exception=_exception(
                        _json_attributes(event.attributes, _is_exception_type)
                        for event in span.events
                    ),
                )


def _json_attributes(pairs: Iterable[_Pair], wanted: Wanted) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for pair in pairs:
        if pair.value is not None and wanted(pair.key):
            told = pair.value
            values = (told.string_value, told.int_value, told.double_value, told.bool_value)
            value = next((value for value in values if value is not None), None)
            if value is not None:
                found[pair.key] = value
    return found


def _nanoseconds(told: int | str) -> int:
    try:
        return int(told)
    except ValueError:
        return 0


def _name(trace_id: str, span_id: str) -> str:
    return f"{trace_id}:{span_id}" if trace_id and span_id else ""


def _exception(events: Iterable[Mapping[str, Scalar]]) -> str:
    return next((str(found) for event in events if (found := event.get(_EXCEPTION_TYPE))), "")


def _is_exception_type(name: str) -> bool:
    return name == _EXCEPTION_TYPE
