"""What a run will need, before it starts; and the most that one request can cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

MILLION: Final = Decimal(1_000_000)
BYTES_PER_TOKEN: Final = 4.0
"""Of English text, about; see https://help.openai.com/en/articles/4936856."""
TOKENS_PER_MESSAGE: Final = 4
MOST_TOKENS_PER_MESSAGE: Final = 32
"""No chat template that we know of adds more to a message."""
USUAL_OUTPUT_SHARE: Final = 0.35
"""How much of the allowed output an answer takes where nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """USD per million tokens; None is unknown, not free."""

    input: Decimal | None
    output: Decimal | None

    @property
    def known(self) -> bool:
        return self.input is not None and self.output is not None

    def cost(self, *, input_tokens: float, output_tokens: float) -> Decimal | None:
        """Return USD for these tokens, None where a price is unknown."""
        if self.input is None or self.output is None:
            return None
        return (
            self.input * Decimal(str(input_tokens)) + self.output * Decimal(str(output_tokens))
        ) / MILLION


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
    """What is known of a version's answers: mean output tokens and latency of its samples."""

    output_tokens: float | None = None
    latency_ms: float | None = None


def usual_tokens(messages: Sequence[Mapping[str, str]], *, max_tokens: int, seen: Seen) -> Tokens:
    """Return about how many tokens a request takes."""
    written = sum(len(message["content"].encode()) for message in messages)
    usual = max_tokens * USUAL_OUTPUT_SHARE if seen.output_tokens is None else seen.output_tokens
    return Tokens(
        input=math.ceil(written / BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE * len(messages),
        output=math.ceil(min(max_tokens, usual)),
    )


def most_tokens(messages: Sequence[Mapping[str, str]], *, max_tokens: int) -> Tokens:
    """Return the most tokens that a request can take: a token holds at least one byte."""
    written = sum(len(message["content"].encode()) for message in messages)
    return Tokens(input=written + MOST_TOKENS_PER_MESSAGE * len(messages), output=max_tokens)


def usual_seconds(*, output_tokens: float, seen: Seen) -> float:
    """Return about how long a request takes: as samples say, else 1 s and 50 tokens a second."""
    if seen.latency_ms is not None:
        return seen.latency_ms / 1000
    return 1 + output_tokens / 50
