"""A question written as one line of JSON, read with care: it may hold anything."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from versioning.domain.lineage.known import Known

LONGEST_LINE: Final = 16 * 1024 * 1024  # bytes: far more than any provider's list
MOST_LISTED: Final = 20_000
_FLAGS: Final = ("reasoning", "tool_call", "structured_output", "open_weights")


class UnreadableQuestion(ValueError):
    """The line is not a question about a model."""


@dataclass(frozen=True, slots=True)
class Question:
    """The model in use and what its provider lists."""

    current: Known
    listed: tuple[Known, ...]
    provider: str


def read_question(line: bytes) -> Question:
    """Read `{"provider", "id", "listed": [{"id", …}, …]}`; raise UnreadableQuestion.

    Whatever is known beside an id is evidence: a value of the wrong kind counts as missing.
    """
    if len(line) > LONGEST_LINE:
        raise UnreadableQuestion(f"The line is longer than {LONGEST_LINE} bytes.")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise UnreadableQuestion("The line is not JSON.") from None
    if not isinstance(found, dict):
        raise UnreadableQuestion("The line is not a JSON object.")
    listed = found.get("listed")
    if not isinstance(listed, list):
        raise UnreadableQuestion("`listed` is missing or not a list.")
    if len(listed) > MOST_LISTED:
        raise UnreadableQuestion(f"`listed` has more than {MOST_LISTED} models.")
    return Question(
        current=_known(found, "The question"),
        listed=tuple(_known(row, f"listed[{at}]") for at, row in enumerate(listed)),
        provider=_text(found.get("provider")),
    )


def _known(row: object, where: str) -> Known:
    if not isinstance(row, dict):
        raise UnreadableQuestion(f"{where} is not an object.")
    if not isinstance(row.get("id"), str):
        raise UnreadableQuestion(f"{where} has no `id` that is a text.")
    modalities = row.get("modalities")
    gives: Mapping[str, Any] = modalities if isinstance(modalities, dict) else {}
    return Known(
        id=row["id"],
        name=_text(row.get("name")),
        revision=_text(row.get("revision")),
        released=_date(row.get("released")),
        context_tokens=_count(row.get("context")),
        output_tokens=_count(row.get("output")),
        input_price=_price(row.get("input_price")),
        output_price=_price(row.get("output_price")),
        input_modalities=_texts(gives.get("input")),
        output_modalities=_texts(gives.get("output")),
        capabilities=tuple(flag for flag in _FLAGS if row.get(flag) is True),
        aliases=_texts(row.get("aliases")),
        hugging_face_id=_text(row.get("hugging_face_id")),
        status=_text(row.get("status")),
        replacement=_text(row.get("replacement")),
        replacement_source=_text(row.get("replacement_source")),
        replacement_dated=_date(row.get("replacement_dated")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(filter(None, map(_text, value))) if isinstance(value, list) else ()


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _price(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        price = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return price if price.is_finite() and price >= 0 else None


def _date(value: object) -> date | None:
    """Read a day, or a month or year as its first day."""
    text = _text(value)
    if len(text) not in (4, 7, 10):
        return None
    try:
        return date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        return None
