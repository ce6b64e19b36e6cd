"""A history that shows who wrote in it unasked: a seal for each row, and the seals in a chain.

A seal keeps a short hash of each field of a row, so that a row which was changed names the field.
Each link of the chain is a hash of the seal and of the link before it (the way of Haber and
Stornetta, "How to time-stamp a digital document", 1991): no seal can be changed, left out or put
in between without changing every link after it.
"""

import hashlib
import json
from collections.abc import Mapping

FIELD_DIGITS = 16
"""Hexadecimal digits kept of a field's hash: 64 bits. A forger needs one given value of them, so a
birthday's luck is no help; the link over all of them keeps 256."""

START = "0" * 64
"""What the first link follows."""


def seal(*, table: str, row: int, values: Mapping[str, str]) -> dict[str, str]:
    """Return the hash of each field, by its name. ``values`` are the fields as text.

    Table, row and name are hashed with a value: so no hash fits another place.
    """
    return {name: _hash([table, row, name, value])[:FIELD_DIGITS] for name, value in values.items()}


def link(*, before: str, number: int, table: str, row: int, fields: Mapping[str, str]) -> str:
    """Return the link of a seal: 64 hexadecimal digits, which the next one follows."""
    return _hash([before, number, table, row, sorted(fields.items())])


def changed(*, sealed: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the names of the fields that are not what they were when they were sealed.

    A column that came later was not sealed, and one that is gone can't be told: neither counts.
    """
    return sorted(name for name in sealed.keys() & now.keys() if sealed[name] != now[name])


def _hash(parts: list[object]) -> str:
    text = json.dumps(parts, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
