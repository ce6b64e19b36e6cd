"""Single fields of a provider's answer, read with suspicion: unknown stays unknown."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from providers.base import BadItem, Lifecycle

# What is longer is no name, and a description that is cut still says what it is about.
LONGEST_ID = 255
LONGEST_TEXT = 4000
MOST_WORDS = 500
"""No model takes so many parameters; a catalogue's row must not hold megabytes of them."""

MILLION = Decimal(1_000_000)
LEAST_PRICE, MOST_PRICE = Decimal("0.0001"), Decimal(10_000)
"""USD per million tokens; no model is known outside. A price in the wrong unit lands there."""

PLACES = Decimal("0.000001")

_LARGEST_COUNT = 2**31 - 1
"""What a database's integer holds; no limit of a model comes near it."""

_EARLIEST = date(1990, 1, 1)
_FARTHEST = date(2090, 1, 1)
"""Sources write 1970-01-01 and 2098-12-31 where they mean that they don't know."""


def read_id(row: Any, *names: str) -> str:
    """Return the first of the named fields that holds an id; BadItem where none does."""
    if not isinstance(row, Mapping):
        raise BadItem("is not an object")
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            found = value.strip()
            if len(found) > LONGEST_ID or not found.isprintable():
                raise BadItem(f"tells as {name} what can't be a model's name")
            return found
    raise BadItem(f"has no {names[0]}")


def read_text(value: Any) -> str:
    """Return the text without characters that a database refuses; empty for anything else."""
    if not isinstance(value, str):
        return ""
    # Cut before it is taken apart: each sign of millions would be an object of its own.
    kept = "".join(c for c in value[: 4 * LONGEST_TEXT] if c.isprintable() or c in "\n\t")
    return kept.strip()[:LONGEST_TEXT]


def read_answer(value: Any) -> str:
    """Return a model's own words whole, except NUL and halves of surrogate pairs."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode("utf-8", errors="replace").decode("utf-8")


def read_words(value: Any) -> tuple[str, ...]:
    """Return the short texts in a list, each once, in their order; empty for anything else.

    Of more than ``MOST_WORDS`` the first.
    """
    if not isinstance(value, list | tuple):
        return ()
    found = dict.fromkeys(word for word in map(read_text, value[:MOST_WORDS]) if word)
    return tuple(found)


def read_object(value: Any) -> Mapping[str, Any]:
    """Return the JSON object, an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def read_count(value: Any) -> int | None:
    """Return a whole number of at least 1, such as tokens; None for anything else."""
    number = read_decimal(value)
    if number is None or not 1 <= number <= _LARGEST_COUNT:
        return None
    return int(number)


def read_tokens(value: Any) -> int | None:
    """Return a used number of tokens, 0 or more; None for anything else."""
    number = read_decimal(value)
    return int(number) if number is not None and 0 <= number < 10**12 else None


def read_price(value: Any, *, per_tokens: int) -> Decimal | None:
    """Return USD per million tokens from USD per ``per_tokens``.

    None if unknown, negative, or so that no model costs that: 0 is a price, nearly 0 is none.
    """
    number = read_decimal(value)
    if number is None or not 0 <= number < 10**9:
        return None
    price = number * MILLION / per_tokens
    return price.quantize(PLACES) if not price or LEAST_PRICE <= price <= MOST_PRICE else None


def read_cost(value: Any) -> Decimal | None:
    """Return a cost in USD, 0 or more; None for anything else."""
    number = read_decimal(value)
    return number if number is not None and 0 <= number < 10**9 else None


def read_decimal(value: Any) -> Decimal | None:
    """Return a finite number, also from text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    if isinstance(value, str) and len(value) > 40:
        return None
    try:
        number = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        return None
    # What has more places than any price or count overflows where it is reckoned with.
    exponent = number.as_tuple().exponent
    is_usual = isinstance(exponent, int) and abs(exponent) < 100 and abs(number.adjusted()) < 100
    return number if is_usual else None


def read_day(value: Any) -> date | None:
    """Return the UTC day of an epoch (s or ms), an RFC 3339 time or a YYYY-MM-DD date.

    Epoch 0 and far-future placeholders are None, as is everything that can't be read.
    """
    moment = read_moment(value)
    return moment.date() if moment is not None else None


def read_moment(value: Any) -> datetime | None:
    """Return the moment (UTC) of what ``read_day`` reads; a day alone is its midnight."""
    is_number = isinstance(value, int | float)
    moment = _moment_of_number(value) if is_number else _moment_of_text(value)
    return moment if moment is not None and _EARLIEST <= moment.date() < _FARTHEST else None


def _moment_of_number(value: float) -> datetime | None:
    if isinstance(value, bool) or not -(10**15) < value < 10**15:  # NaN isn't, either
        return None
    seconds = value / 1000 if value > 10**11 else value
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _moment_of_text(value: Any) -> datetime | None:
    text = value.strip() if isinstance(value, str) else ""
    if text.isdecimal() and len(text) > 8:
        return _moment_of_number(int(text[:18]))
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


_WORDS: Sequence[tuple[Lifecycle, str]] = (
    ("active", "active ga generallyavailable stable available production released current"),
    ("preview", "beta alpha experimental unstableexperimental earlyaccess eap prerelease rc"),
    ("preview", "releasecandidate"),
    ("legacy", "legacy superseded obsolete"),
    ("deprecated", "deprecated deprecating retiring sunset sunsetting phasingout"),
    ("retired", "retired endoflife eol decommissioned discontinued shutdown removed withdrawn"),
)
_LIFECYCLE = {word: meant for meant, words in _WORDS for word in words.split()}
"""What providers and catalogues write, without case, spaces, hyphens and underscores."""

_WHERE_IT_STANDS = ("status", "stage", "state", "value", "phase")
"""What an object that tells a lifecycle calls the word."""


def read_lifecycle(*values: Any) -> Lifecycle:
    """Return the first of the values that is a known word for where a model stands, else empty.

    A value may be an object with the word in it, as in ``{"status": "LEGACY"}``.
    """
    for value in values:
        is_object = isinstance(value, Mapping)
        for text in map(value.get, _WHERE_IT_STANDS) if is_object else (value,):
            word = "".join(letter for letter in read_text(text).lower() if letter.isalpha())
            if found := _LIFECYCLE.get(word, "preview" if word.endswith("preview") else ""):
                return found
    return ""
