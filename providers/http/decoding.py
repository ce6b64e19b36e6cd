"""Bodies: strict JSON, or what can be said of something else."""

import html
import json
import re
from typing import Any

FEWEST_ALLOWED = 500_000
BYTES_A_VALUE = 16
"""A body of eight megabytes can hold millions of empty lists, which take twenty times its size.
All catalogues that are known have less than a quarter of half a million; who lets larger ones in
lets more values in, too, at so many bytes each."""


class Unreadable(ValueError):
    """The body is no JSON, or too much of it; the text ends the sentence "It answered with"."""


def most_values(max_bytes: int) -> int:
    """Return how many values may be read where an answer may have so many bytes."""
    return max(FEWEST_ALLOWED, max_bytes // BYTES_A_VALUE)


def values_in(body: bytes) -> int:
    """Return the most values that a body can hold as JSON: commas in its texts count, too."""
    return sum(map(body.count, (b",", b"[", b"{")))


def too_many(most: int) -> str:
    """Say what Unreadable says of more values than may be read."""
    return f"more than {most:,} values, so they were not read."


def decode(body: bytes, *, most: int) -> Any:
    """Return the JSON in the body, of at most so many values.

    Raises Unreadable for more, and for anything else, NaN and Infinity among them.
    """
    if values_in(body) > most:
        raise Unreadable(too_many(most))
    if looks_like_html(body):
        raise Unreadable(f"a web page, not JSON: check the base URL. {page_title(body)}".rstrip())
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        pass  # raised below, so that the body is not in the error's context
    raise Unreadable("something that is not JSON: check the base URL.")


def looks_like_html(body: bytes) -> bool:
    """Tell whether the body is a web page: what a proxy or a wrong address answers."""
    return body.lstrip()[:1] == b"<"


def page_title(body: bytes) -> str:
    """Return the title of a web page on one line; empty if it has none."""
    text = body[: 64 * 1024].decode("utf-8", errors="replace")
    found = re.search(r"<title[^<>]*>([^<]*)", text, re.IGNORECASE)
    return clean(f"Its title: {html.unescape(found.group(1))}") if found else ""


def clean(text: str) -> str:
    """Return the text on one line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
