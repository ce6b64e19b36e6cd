"""One trial: ask a version or the judge, and say what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from providers.base import (
    Adapter,
    ChatAnswer,
    ChatRequest,
    Incompatible,
    Nonsense,
    Refused,
    Unavailable,
)
from versioning.domain.evaluation import judging
from versioning.domain.evaluation.estimate import most_tokens
from versioning.domain.evaluation.outcome import SCORES_NOTHING, Outcome, outcome_of
from versioning.domain.pricing import PriceList, Unknown, Usage
from versioning.domain.scoring import Output, Score, ScorerUse, score_output
from versioning.services.evaluation.budget import CostCap

LONGEST_OUTPUT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of one request. ``answer`` None where there was none.

    ``may_ask_again`` says that the provider was not there, which says nothing of the version.
    ``never_sent`` says that the provider can't have charged it: it could not be reached.
    ``is_fatal`` says that no other request will do better: a missing key, for example.
    """

    outcome: Outcome
    answer: ChatAnswer | None = None
    problem: str = ""
    may_ask_again: bool = False
    never_sent: bool = False
    is_fatal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a request took, as far as anybody can say; ``usd`` None where no price is known."""

    usd: Decimal | None
    tokens: int


def most(request: ChatRequest, *, prices: PriceList) -> CostCap:
    """Return the most that the request can take."""
    tokens = most_tokens(request.messages, max_tokens=int(request.max_tokens or 0))
    cost = prices.most(input=tokens.input, output=tokens.output)
    # Eight places are stored: round up, so that the hold is never short.
    held = Decimal(0) if cost is None else cost.quantize(Decimal("1e-8"), rounding="ROUND_UP")
    return CostCap(usd=held, tokens=tokens.total)


def send(adapter: Adapter, request: ChatRequest) -> Answered:
    """Ask once, and tell apart what can go wrong. Runs in a thread: it touches no database."""
    try:
        answer = adapter.complete(request)
    except Unavailable as error:
        return Answered(
            outcome=Outcome.ERROR,
            problem=str(error),
            may_ask_again=True,
            never_sent=error.never_sent,
        )
    except Refused as error:
        return Answered(outcome=Outcome.ERROR, problem=str(error), is_fatal=True)
    except Nonsense as error:
        return Answered(outcome=Outcome.ERROR, problem=str(error))
    except Incompatible as error:
        outcome = Outcome.REFUSED if error.is_content_refusal else Outcome.INCOMPATIBLE
        return Answered(outcome=outcome, problem=str(error))
    return Answered(outcome=outcome_of(text=answer.text, finish=answer.finish), answer=answer)


def spent(answered: Answered, *, prices: PriceList, held: CostCap) -> Spent:
    """Say what a request took: as the provider says, else by its tokens, else the most.

    A request that the provider turned away or never got costs nothing; another without an answer
    may have been charged, so the most is counted.
    """
    answer = answered.answer
    if answer is None:
        if answered.outcome is Outcome.ERROR and not answered.never_sent:
            return Spent(usd=held.usd if prices.known else None, tokens=held.tokens)
        return Spent(usd=Decimal(0) if prices.known else None, tokens=0)
    if answer.input_tokens is None or answer.output_tokens is None:
        return Spent(
            usd=answer.cost_usd if answer.cost_usd is not None else _known(held, prices),
            tokens=held.tokens,
        )
    cost = prices.cost(
        Usage(
            input=answer.input_tokens,
            output=answer.output_tokens,
            cached=answer.cached_tokens,
            cache_write=answer.cache_write_tokens,
            reasoning=answer.reasoning_tokens,
        ).whole()
    )
    # Cached tokens, for example, may have no price of their own.
    by_tokens = _known(held, prices) if isinstance(cost, Unknown) else cost
    return Spent(
        usd=by_tokens if answer.cost_usd is None else answer.cost_usd,
        tokens=answer.input_tokens + answer.output_tokens,
    )


def _known(held: CostCap, prices: PriceList) -> Decimal | None:
    return held.usd if prices.known else None


def score(
    answered: Answered, *, expected: str, uses: tuple[ScorerUse, ...], cost: Decimal | None
) -> Score:
    """Score an answer; what could not be measured has no score."""
    if answered.outcome is Outcome.ERROR:
        return Score(None, answered.problem)
    if answered.outcome in SCORES_NOTHING or answered.answer is None:
        said = answered.outcome.value.replace("_", " ")
        return Score(0.0, f"{said}: {answered.problem}" if answered.problem else said)
    if not uses:
        return Score(None, "the judge compares it")
    output = Output(text=answered.answer.text, latency_ms=answered.answer.latency_ms, cost_usd=cost)
    return score_output(output=output, expected=expected, uses=uses)


def judged(answered: Answered) -> Score:
    """Say whether the judge's word can be read; which answer it prefers is in the reason."""
    if answered.answer is None:
        return Score(None, answered.problem or "the judge gave no answer")
    word = judging.read_word(answered.answer.text)
    if word is None:
        return Score(None, "the judge's reply could not be read")
    return Score(None, f"{word.better}: {word.reason}")


def columns(answered: Answered, *, score: Score, spent: Spent, output: str) -> Mapping[str, Any]:
    """Return what a finished trial's row says."""
    answer = answered.answer
    return {
        "outcome": answered.outcome.value,
        "score": score.value,
        "reason": score.reason[:500],
        "attempts": answer.attempts if answer else 1,
        "latency_ms": answer.latency_ms if answer else None,
        "input_tokens": answer.input_tokens if answer else None,
        "output_tokens": answer.output_tokens if answer else None,
        "cost_usd": None if spent.usd is None else spent.usd.quantize(Decimal("1e-8")),
        "served_id": answer.served_id[:200] if answer else "",
        "output": output[:LONGEST_OUTPUT],
    }
