"""Which text the databases keep: PostgreSQL takes neither NUL nor half a surrogate pair."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
WHY_NOT = "Text can't hold the character NUL or half a surrogate pair."


def is_storable(value: Any) -> bool:
    """Say whether all texts in a piece of JSON can be kept."""
    return not any(UNSTORABLE.search(text) for text in _texts(value))


def one_line(text: str) -> str:
    """Return a text that a mail's header takes, whatever was stored."""
    return " ".join(UNSTORABLE.sub("?", text).split())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield name
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
