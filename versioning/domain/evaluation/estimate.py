"""What a run will need, before it starts; and the most that one request can cost."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from versioning.domain.evaluation import judging
from versioning.domain.evaluation.cases import Case
from versioning.domain.pricing import PriceList, Unknown, Usage

ORDERS: Final = 2
"""The judge is asked about each pair in both orders."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedVersion:
    """One version that a run asks: what it charges, and what is known of its requests."""

    name: str
    prices: PriceList
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How a run asks: the limit of an answer, repeats of each case, and how fast.

    ``requests_per_minute`` None is no limit; ``criteria`` are what the judge is told to look at.
    """

    max_tokens: int
    repeats: int
    concurrency: int
    requests_per_minute: int | None
    criteria: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    tokens: Tokens
    seconds: float
    cost: Decimal | None


def estimate(
    *,
    cases: Iterable[Case],
    current: AskedVersion,
    candidate: AskedVersion,
    judge: AskedVersion | None,
    load: Load,
) -> Estimate:
    """Return what a run of the cases over both versions takes, with the judge's requests.

    A version that was never asked is expected to answer as the other one does. What the judge
    reads is as long as their answers, whatever it was asked before.
    """
    arms = [
        replace(current, seen=current.seen.or_as(candidate.seen)),
        replace(candidate, seen=candidate.seen.or_as(current.seen)),
    ]
    if judge is not None:
        judge = replace(judge, seen=replace(judge.seen, input_tokens=None))
    requests = [
        request
        for case in cases
        for request in _requests_of(case, arms=arms, judge=judge, load=load)
    ]
    known = [request.cost for request in requests if request.cost is not None]
    # Side by side as far as the suite lets them, and never faster than its limit a minute.
    seconds = sum(request.seconds for request in requests) * load.repeats / load.concurrency
    if load.requests_per_minute:
        seconds = max(seconds, len(requests) * load.repeats * 60 / load.requests_per_minute)
    return Estimate(
        requests=len(requests) * load.repeats,
        input_tokens=sum(request.tokens.input for request in requests) * load.repeats,
        output_tokens=sum(request.tokens.output for request in requests) * load.repeats,
        cost_usd=sum(known, Decimal(0)) * load.repeats if len(known) == len(requests) else None,
        seconds=seconds,
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


def _requests_of(
    case: Case, *, arms: Sequence[AskedVersion], judge: AskedVersion | None, load: Load
) -> Iterator[_Request]:
    messages = case.filled()
    for arm in arms:
        yield _request(arm, messages, most=load.max_tokens, expected=case.expected)
    if judge is not None:
        question = _judge_question(case, seen=[arm.seen for arm in arms], load=load)
        for _ in range(ORDERS):
            yield _request(judge, question, most=judging.MAX_TOKENS)


def _request(
    arm: AskedVersion, messages: Sequence[Mapping[str, str]], *, most: int, expected: str = ""
) -> _Request:
    tokens = usual_tokens(messages, max_tokens=most, seen=arm.seen, expected=expected)
    cost = arm.prices.cost(Usage(input=tokens.input, output=tokens.output))
    return _Request(
        tokens=tokens,
        seconds=usual_seconds(output_tokens=tokens.output, seen=arm.seen),
        cost=None if isinstance(cost, Unknown) else cost,
    )


def _judge_question(case: Case, *, seen: Sequence[Seen], load: Load) -> list[dict[str, str]]:
    """Return a question of about the length that the judge will get."""
    lengths = [
        load.max_tokens / 3 if each.output_tokens is None else each.output_tokens for each in seen
    ]
    first, second = ("x" * int(BYTES_PER_TOKEN * tokens) for tokens in lengths)
    return judging.question(
        request=case.filled()[-1]["content"],
        expected=case.expected,
        first=first,
        second=second,
        criteria=load.criteria,
    )


def _bytes(messages: Sequence[Mapping[str, str]]) -> int:
    return sum(len(message["content"].encode()) for message in messages)
