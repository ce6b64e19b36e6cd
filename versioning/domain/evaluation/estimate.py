"""What a run will need, before it starts; and the most that one request can cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

BYTES_PER_TOKEN: Final = 4.0
"""Of English text, about; see https://help.openai.com/en/articles/4936856."""
TOKENS_PER_MESSAGE: Final = 4
TEMPLATE_TOKENS: Final = 16
"""What a chat template adds to a request: hosted models none, small open ones a system text."""
MOST_TOKENS_PER_MESSAGE: Final = 32
"""No chat template that we know of adds more to a message."""
USUAL_OUTPUT_SHARE: Final = 0.35
"""How much of the allowed output an answer takes at most, where nothing is known."""
WORDS_AROUND: Final = 24
"""Tokens that a model says around the answer that is expected, about."""
SECONDS_TO_BEGIN: Final = 0.5
TOKENS_PER_SECOND: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tokens of one request."""

    input: int
    output: int

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run is expected to take; ``cost_usd`` None where a price is unknown."""

    requests: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a version's requests: mean tokens and latency; None is unknown."""

    input_tokens: float | None = None
    """Only of the same cases: other questions have other lengths."""
    output_tokens: float | None = None
    latency_ms: float | None = None

    def or_as(self, other: "Seen") -> "Seen":
        """Return this with its gaps filled from another version of the same line."""
        return Seen(
            input_tokens=other.input_tokens if self.input_tokens is None else self.input_tokens,
            output_tokens=(
                other.output_tokens if self.output_tokens is None else self.output_tokens
            ),
            latency_ms=other.latency_ms if self.latency_ms is None else self.latency_ms,
        )


def usual_tokens(
    messages: Sequence[Mapping[str, str]], *, max_tokens: int, seen: Seen, expected: str = ""
) -> Tokens:
    """Return about how many tokens a request takes, whose case expects an answer or none."""
    written = _bytes(messages)
    guessed = math.ceil(written / BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE * len(messages)
    guessed += TEMPLATE_TOKENS if messages else 0
    usual = seen.output_tokens
    if usual is None:
        usual = max_tokens * USUAL_OUTPUT_SHARE
        if expected:
            usual = min(usual, WORDS_AROUND + 1.5 * len(expected.encode()) / BYTES_PER_TOKEN)
    return Tokens(
        input=guessed if seen.input_tokens is None else math.ceil(seen.input_tokens),
        output=math.ceil(min(max_tokens, usual)),
    )


def most_tokens(messages: Sequence[Mapping[str, str]], *, max_tokens: int) -> Tokens:
    """Return the most tokens that a request can take: a token holds at least one byte."""
    return Tokens(
        input=_bytes(messages) + MOST_TOKENS_PER_MESSAGE * len(messages), output=max_tokens
    )


def usual_seconds(*, output_tokens: float, seen: Seen) -> float:
    """Return about how long a request takes: as seen, else as a usual server would."""
    if seen.latency_ms is not None:
        return seen.latency_ms / 1000
    return SECONDS_TO_BEGIN + output_tokens / TOKENS_PER_SECOND


def _bytes(messages: Sequence[Mapping[str, str]]) -> int:
    return sum(len(message["content"].encode()) for message in messages)
