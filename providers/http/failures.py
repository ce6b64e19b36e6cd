"""What an answer with an error status means: one of the four kinds, with a sentence to act on."""

import itertools
import json
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, quote_plus

from providers.base import (
    Connection,
    Incompatible,
    Nonsense,
    NotThere,
    ProviderError,
    Refused,
    Unavailable,
)
from providers.http.decoding import clean, looks_like_html, page_title
from providers.http.transport import Reply

# What a provider says is shown in notices and logs: a sentence is enough, a page is not.
MESSAGE_LIMIT = 300
# A shorter part of a key stands in too many words: blotting it out would spoil the sentence.
SHORTEST_PART = 8
# Some write a moment where seconds belong; nobody means to be asked again in years.
LONGEST_WAIT_S = 24 * 3600.0

# Of the 4xx those that aren't about the request: the same one may be answered in a moment.
_BUSY = frozenset({408, 409, 425, 429})
_BAD_KEY = re.compile(
    r"api.?key.{0,40}(invalid|incorrect|not valid|missing|expired)"
    r"|(invalid|incorrect|missing|expired|no).{0,12}api.?key",
    re.IGNORECASE | re.DOTALL,
)


def failure(reply: Reply, *, connection: Connection, host: str, is_chat: bool) -> ProviderError:
    """Return the error that an answer with a status of 400 or more stands for."""
    said = scrub(message_of(reply.body), connection)
    more = f" It says: {said}" if said else ""
    status = reply.status
    if is_chat and _is_content_refusal(reply.body):
        return Incompatible(f"{host} refused the content.{more}", is_content_refusal=True)
    if status in {401, 403} or (status == 400 and _BAD_KEY.search(said)):
        return Refused(
            f"{host} refused the request ({status}): key missing, wrong or expired."
            f"{_key_advice(connection)}{more}"
        )
    if status == 402:
        return Refused(f"{host} asks for payment (402): add credit to the account.{more}")
    if status in _BUSY or status >= 500:
        what = "has too many requests" if status == 429 else "is busy or broken"
        return Unavailable(
            f"{host} {what} ({status}): try again later.{more}", retry_after_s=retry_after_s(reply)
        )
    if is_chat:
        return Incompatible(f"{host} can't do this request ({status}).{more}")
    if status == 404:
        return NotThere(f"{host} has nothing at this address (404): check the base URL.{more}")
    return Nonsense(f"{host} did not accept the request ({status}): check the base URL.{more}")


def _key_advice(connection: Connection) -> str:
    if not connection.key_variable:
        return " The provider has no environment variable for a key: name one."
    if not connection.api_key:
        return ""  # the adapter names it, as for every failure
    return f" Check the environment variable {connection.key_variable}."


def retry_after_s(reply: Reply) -> float | None:
    """Return the seconds of ``Retry-After`` (number or HTTP date), 0 to a day; None if unsaid.

    A date is held against that of the answer itself: this machine's clock may be off.
    """
    told = reply.headers.get("retry-after", "").strip()
    if not told:
        return None
    try:
        seconds = float(told)
    except ValueError:
        moment = _moment(told)
        if moment is None:
            return None
        said = _moment(reply.headers.get("date", "")) or datetime.now(UTC)
        seconds = (moment - said).total_seconds()
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_S)


def _moment(told: str) -> datetime | None:
    """Return the moment of an HTTP date; None where it is none."""
    try:
        moment = parsedate_to_datetime(told)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def message_of(body: bytes) -> str:
    """Return the message in an error body of any provider, on one line; empty if there is none."""
    if looks_like_html(body):
        return page_title(body) or "(a web page)"
    payload = _payload(body)
    if payload is None:
        return clean(body[: 64 * 1024].decode("utf-8", errors="replace"))
    return clean(_find_message(payload))


def _payload(body: bytes) -> Any:
    try:
        return json.loads(body[: 1024 * 1024])
    except (ValueError, RecursionError):
        return None


def _is_content_refusal(body: bytes) -> bool:
    """Tell whether a filter turned the prompt away: Azure, OpenAI and OpenRouter say so."""
    payload = _payload(body)
    error = payload.get("error") if isinstance(payload, dict) else None
    if not isinstance(error, dict):
        return False
    metadata = error.get("metadata")
    flagged = isinstance(metadata, dict) and "flagged_input" in metadata
    return flagged or error.get("code") in {"content_filter", "content_policy_violation"}


def _find_message(payload: Any) -> str:
    """Read OpenAI, Anthropic, Gemini, Mistral, FastAPI, Ollama and AWS shapes."""
    if isinstance(payload, list):
        return _find_message(payload[0]) if payload else ""
    if not isinstance(payload, dict):
        return payload if isinstance(payload, str) else ""
    for name in ("error", "message", "Message", "msg", "detail", "error_description"):
        if found := _find_message(payload.get(name)):
            return found
    return ""


def scrub(text: str, connection: Connection) -> str:
    """Return the text without any part of a secret in any spelling, cut to what a person reads.

    A part is any run of ``SHORTEST_PART`` characters: providers repeat the beginning or the end.
    """
    for secret in (connection.api_key, *connection.other_secrets):
        for spelling in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)} - {""}:
            text = _without(text, spelling)
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"


def _without(text: str, secret: str) -> str:
    """Return the text with [key] for every run of characters that stands in the secret, too."""
    length = min(SHORTEST_PART, len(secret))
    secret, lower = secret.lower(), text.lower()
    if len(lower) != len(text):  # some letters change their number with their case
        text = lower
    told = bytearray(len(text))
    for start in range(len(secret) - length + 1):
        part = secret[start : start + length]
        at = lower.find(part)
        while at >= 0:
            told[at : at + length] = b"\1" * length
            at = lower.find(part, at + 1)
    runs = itertools.groupby(zip(text, told, strict=True), key=lambda pair: pair[1])
    return "".join("[key]" if is_told else "".join(c for c, _ in run) for is_told, run in runs)
