"""A question written as one line of JSON, read with care: it may hold anything."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from versioning.domain.lineage.known import Known

LONGEST_LINE: Final = 16 * 1024 * 1024  # bytes: far more than any provider's list
MOST_LISTED: Final = 20_000
_FIRST_MOMENT: Final = 10**9  # seconds since 1970: September 2001; less is no moment
_FLAGS: Final = ("reasoning", "tool_call", "structured_output", "open_weights")
# The names that catalogues and providers give to the same fact; the first one found counts.
_RELEASED: Final = ("released", "created", "release_date")
_DEPRECATED_ON: Final = ("deprecated_on", "deprecated", "deprecation_date")
_RETIRES_ON: Final = ("retires_on", "retirement", "retirement_date", "shutdown_date")
_REVISION: Final = ("revision", "canonical_slug", "slug")
_HUGGING_FACE: Final = ("hugging_face_id", "hf")
_CONTEXT: Final = ("context", "context_tokens", "context_length")
_OUTPUT: Final = ("output", "output_tokens")
_PARAMETERS: Final = ("parameters", "supported_parameters")
_STATUS: Final = ("status", "lifecycle_status", "lifecycle")
_NO_LETTERS: Final = re.compile("[^a-z]+")
# What providers and catalogues call the same stage of a model's life.
_STAGES_OF_LIFE: Final = {
    word: stage
    for stage, words in {
        "deprecated": "deprecated deprecating deprecation sunset sunsetting retiring",
        "retired": "retired endoflife eol discontinued removed shutdown",
        "preview": "preview publicpreview privatepreview alpha beta experimental",
    }.items()
    for word in words.split()
}
_LISTED_SINCE: Final = ("listed_since", "first_listed")


class UnreadableQuestion(ValueError):
    """The line is not a question about a model; `model_id` is its id where it has one."""

    def __init__(self, message: str, *, model_id: str | None = None) -> None:
        super().__init__(message)
        self.model_id = model_id


@dataclass(frozen=True, slots=True)
class Question:
    """The model in use and what its provider lists."""

    current: Known
    listed: tuple[Known, ...]
    provider: str


def read_question(line: bytes) -> Question:
    """Read `{"provider", "id", "listed": [{"id", …}, …]}`; raise UnreadableQuestion.

    Whatever is known beside an id is evidence: a value of the wrong kind counts as missing.
    What the question says of the model in use completes what the list says of it.
    """
    found = _object(line)
    current = _known(found, "The question")
    try:
        listed = _listed(found.get("listed"))
    except UnreadableQuestion as error:
        raise UnreadableQuestion(str(error), model_id=current.id) from None
    return Question(
        current=_completed(current, listed),
        listed=listed,
        provider=_text(found.get("provider")),
    )


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise UnreadableQuestion(f"The line is longer than {LONGEST_LINE} bytes.")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise UnreadableQuestion("The line is not JSON.") from None
    if not isinstance(found, dict):
        raise UnreadableQuestion("The line is not a JSON object.")
    return found


def _listed(rows: object) -> tuple[Known, ...]:
    if not isinstance(rows, list):
        raise UnreadableQuestion("`listed` is missing or not a list.")
    if len(rows) > MOST_LISTED:
        raise UnreadableQuestion(f"`listed` has more than {MOST_LISTED} models.")
    return tuple(_known(row, f"listed[{at}]") for at, row in enumerate(rows))


def _completed(current: Known, listed: tuple[Known, ...]) -> Known:
    row = next((known for known in listed if known.id == current.id), None)
    if row is None:
        folded = current.id.casefold()
        alike = [known for known in listed if known.id.casefold() == folded]
        if len({known.id for known in alike}) != 1:
            return current
        row = alike[0]
    said = {
        field.name: value
        for field in fields(Known)
        if (value := getattr(current, field.name)) not in (None, "", ())
    }
    return replace(row, **said)


def _known(row: object, where: str) -> Known:
    if not isinstance(row, dict):
        raise UnreadableQuestion(f"{where} is not an object.")
    if not isinstance(row.get("id"), str):
        raise UnreadableQuestion(f"{where} has no `id` that is a text.")
    modalities = row.get("modalities")
    gives: Mapping[str, Any] = modalities if isinstance(modalities, dict) else {}
    is_deprecated = row.get("deprecated") is True
    return Known(
        id=row["id"],
        name=_text(row.get("name")),
        revision=_first_text(row, _REVISION),
        released=_first_date(row, _RELEASED),
        context_tokens=_first_count(row, _CONTEXT),
        output_tokens=_first_count(row, _OUTPUT),
        input_price=_price(row.get("input_price")),
        output_price=_price(row.get("output_price")),
        input_modalities=_texts(gives.get("input")),
        output_modalities=_texts(gives.get("output")),
        capabilities=_capabilities(row),
        parameters=_parameters(row),
        aliases=_texts(row.get("aliases")),
        hugging_face_id=_first_text(row, _HUGGING_FACE),
        status="deprecated" if is_deprecated else _status(row),
        deprecated_on=_first_date(row, _DEPRECATED_ON),
        retires_on=_first_date(row, _RETIRES_ON),
        replacement=_text(row.get("replacement")),
        replacement_source=_text(row.get("replacement_source")),
        replacement_dated=_date(row.get("replacement_dated")),
        listed_since=_first_date(row, _LISTED_SINCE),
    )


def _capabilities(row: Mapping[str, Any]) -> tuple[str, ...]:
    flags = [flag for flag in _FLAGS if row.get(flag) is True]
    return (*flags, *_texts(row.get("capabilities")))


def _status(row: Mapping[str, Any]) -> str:
    """Return the word for the stage of its life, in one spelling where it is a known one."""
    said = _first_text(row, _STATUS)
    return _STAGES_OF_LIFE.get(_NO_LETTERS.sub("", said.lower()), said)


def _parameters(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the parameters, sorted: their order says nothing."""
    told = next((row[name] for name in _PARAMETERS if name in row), None)
    return tuple(sorted({_text(told)} - {""})) or tuple(sorted(_texts(told)))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _first_text(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        if name in row and (text := _text(row[name])):
            return text
    return ""


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple([text for text in value if text and isinstance(text, str)])


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _first_count(row: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    return next((count for name in names if (count := _count(row.get(name)))), None)


def _price(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        price = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return price if price.is_finite() and price >= 0 else None


def _first_date(row: Mapping[str, Any], names: tuple[str, ...]) -> date | None:
    for name in names:
        if name in row and (day := _date(row[name])):
            return day
    return None


def _date(value: object) -> date | None:
    """Read a day, the day of a moment, seconds since 1970, or a month or year as its first day."""
    if isinstance(value, str):
        return _date_in(value[:10])
    if not isinstance(value, int) or value < _FIRST_MOMENT:
        return None
    try:
        return datetime.fromtimestamp(value, UTC).date()
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache(maxsize=4096)
def _date_in(text: str) -> date | None:
    if len(text) not in (4, 7, 10):
        return None
    try:
        return date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        return None
