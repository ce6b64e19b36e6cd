"""OTLP's messages for traces as far as they are read, so that one bad span costs no other.

The published classes refuse a whole request for one text that isn't UTF-8, in a prompt even,
which nobody here reads. These have bytes where those have texts, and hold each span in its
encoded form until it is read. Numbers of fields:
https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto
"""

from functools import cache
from typing import Any, NamedTuple

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

_PACKAGE = "hotswap.otlp"
_Field = tuple[str, int, str]
_MESSAGES: dict[str, list[_Field]] = {
    "Value": [
        ("string_value", 1, "BYTES"),
        ("bool_value", 2, "BOOL"),
        ("int_value", 3, "INT64"),
        ("double_value", 4, "DOUBLE"),
    ],
    "Pair": [("key", 1, "BYTES"), ("value", 2, "Value")],
    "Event": [("attributes", 3, "Pair*")],
    "Status": [("code", 3, "INT32")],
    "Span": [
        ("trace_id", 1, "BYTES"),
        ("span_id", 2, "BYTES"),
        ("parent_span_id", 4, "BYTES"),
        ("start_time_unix_nano", 7, "FIXED64"),
        ("end_time_unix_nano", 8, "FIXED64"),
        ("attributes", 9, "Pair*"),
        ("events", 11, "Event*"),
        ("status", 15, "Status"),
    ],
    "Scope": [("name", 1, "BYTES")],
    "ScopeSpans": [("scope", 1, "Scope"), ("spans", 2, "BYTES*")],
    "Resource": [("attributes", 1, "Pair*")],
    "ResourceSpans": [("resource", 1, "Resource"), ("scope_spans", 2, "ScopeSpans*")],
    "Request": [("resource_spans", 1, "ResourceSpans*")],
}
"""Fields by message: name, number and type; a star means repeated."""

_ONE_OF = {"Value": "value"}
"""Messages of which only one field is told at a time, and what that choice is called."""


class Messages(NamedTuple):
    """The classes of a request and of a span."""

    request: Any
    span: Any


@cache
def messages() -> Messages:
    """Return the classes, made once a process."""
    file = descriptor_pb2.FileDescriptorProto(
        name="hotswap/otlp.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        if name in _ONE_OF:
            message.oneof_decl.add(name=_ONE_OF[name])
        for field in fields:
            _add(message, field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    request, span = (
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in ("Request", "Span")
    )
    return Messages(request, span)


def _add(message: Any, field: _Field) -> None:
    name, number, type_ = field
    kinds = descriptor_pb2.FieldDescriptorProto
    bare = type_.removesuffix("*")
    added = message.field.add(
        name=name,
        number=number,
        label=kinds.LABEL_REPEATED if type_ != bare else kinds.LABEL_OPTIONAL,
    )
    if bare in _MESSAGES:
        added.type, added.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.{bare}"
    else:
        added.type = getattr(kinds, f"TYPE_{bare}")
    if message.name in _ONE_OF:
        added.oneof_index = 0
