"""Documents that are kept for good: one schema with a number, and a reader for older ones.

Whatever is written says its `schema_version`; whoever reads goes through a reader that never fails:
what an older document doesn't have is unknown (None or empty), and one of a newer schema is handed
over as it is.

A field may be added with a default under the same number. One that goes, or means something else,
raises `SCHEMA_VERSION` and gets a step in `STEPS`, and a stored document in `tests/versioning/
domain/documents/` that shows it is still read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_origin

import msgspec

SCHEMA_VERSION = 2
"""Documents without a number are of version 1: nothing else was written before numbers were."""

NEWER = "written by a newer version of Hotswap: shown as it is"
UNREADABLE = "not in a form that Hotswap knows: shown as it is"

Document = Mapping[str, Any]


def as_json(kept: msgspec.Struct) -> dict[str, Any]:
    """Return it as JSON can keep it, decimals as texts."""
    return msgspec.json.decode(msgspec.json.encode(kept), type=dict[str, Any])


def _from_1(document: Document) -> Document:
    """Version 1 had no number; at first, what was compared lay under `details`."""
    details = document.get("details")
    inner = details if isinstance(details, Mapping) else {}
    return {**document, **inner}


STEPS: Mapping[int, Callable[[Document], Document]] = {1: _from_1}
"""From each older version to the next one."""


def as_text(document: Document) -> str:
    """Return a document for a person to read."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def number_of(document: Document) -> int | None:
    """Return the schema that a document says it is of; None where that is no such number."""
    number = document.get("schema_version", 1)
    return number if type(number) is int and number > 0 else None


def why_unread(document: Document) -> str:
    """Say why a document that `at_this_version` doesn't know isn't read."""
    return UNREADABLE if number_of(document) is None else NEWER


def at_this_version(document: Document) -> Document | None:
    """Bring a document to today's schema; None where it is of one that isn't known here."""
    number = number_of(document)
    if number is None or number > SCHEMA_VERSION:
        return None
    while number < SCHEMA_VERSION:
        document = STEPS[number](document)
        number += 1
    return {**document, "schema_version": SCHEMA_VERSION}


Kept = TypeVar("Kept", bound=msgspec.Struct)


def converted(kind: type[Kept], told: Document) -> Kept:
    """Read what can be read, field by field: one bad value makes none of the others unknown."""
    try:
        return msgspec.convert(told, kind, strict=False)
    except msgspec.ValidationError:
        found = {}
        for field in msgspec.structs.fields(kind):
            if field.name in told:
                try:
                    found[field.name] = _value(told[field.name], field.type)
                except msgspec.ValidationError:
                    continue
        return kind(**found)


def read_as(kind: type[Kept], document: Document, *, unread: Callable[..., Kept]) -> Kept:
    """Return a stored document of any version as its kind; never raises.

    One of a schema that isn't known here is made ``unread``, with the document and why.
    """
    known = at_this_version(document)
    if known is None:
        return unread(
            schema_version=number_of(document) or 0,
            why=why_unread(document),
            document=dict(document),
        )
    return converted(kind, known)


def _value(value: Any, kind: Any) -> Any:
    """Read one field's value. Raises ValidationError where nothing of it can be read."""
    if get_origin(kind) is dict and isinstance(value, Mapping):
        inner = _struct_in(kind)
        if inner is not None:
            return {
                str(name): converted(inner, each)
                for name, each in value.items()
                if isinstance(each, Mapping)
            }
    inner = _struct_in(kind)
    if inner is not None and isinstance(value, Mapping):
        return converted(inner, value)
    if inner is not None and isinstance(value, list | tuple):
        return tuple(converted(inner, each) for each in value if isinstance(each, Mapping))
    return msgspec.convert(value, kind, strict=False)


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((found for each in get_args(kind) if (found := _struct_in(each))), None)
