"""One quality figure from the signals that an application has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_DIGITS = 12


class Signal(StrEnum):
    """What a score can be made of."""

    VALID_OUTPUT = "valid_output"
    USER_FEEDBACK = "user_feedback"
    RETRIES = "retries"
    LATENCY = "latency"


DEFAULT_WEIGHTS: Mapping[Signal, float] = {
    Signal.VALID_OUTPUT: 0.4,
    Signal.USER_FEEDBACK: 0.4,
    Signal.RETRIES: 0.1,
    Signal.LATENCY: 0.1,
}


class BadSignal(ValueError):
    """A signal lies outside its range, or the weights can't be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What is known of one request; None is unknown, never zero.

    valid_output: did the output parse, match its schema, pass its check.
    user_feedback: from -1 (thumbs down) through 0 (neutral) to 1 (thumbs up).
    retries: how often the application had to ask again, from 0.
    latency_ms, latency_budget_ms: both are needed; the budget is what the application can wait.
    failed: the request ended in an error. The score is then 0, whatever else is known.
    """

    valid_output: bool | None = None
    user_feedback: float | None = None
    retries: int | None = None
    latency_ms: float | None = None
    latency_budget_ms: float | None = None
    failed: bool = False

    def __post_init__(self) -> None:
        if self.user_feedback is not None and not -1 <= self.user_feedback <= 1:
            raise BadSignal(f"User feedback lies between -1 and 1, not at {self.user_feedback}.")
        if self.retries is not None and self.retries < 0:
            raise BadSignal(f"Retries are counted from 0, not {self.retries}.")
        if self.latency_ms is not None and not 0 <= self.latency_ms < math.inf:
            raise BadSignal(f"Latency is a time from 0 up, not {self.latency_ms} ms.")
        if self.latency_budget_ms is not None and not 0 < self.latency_budget_ms < math.inf:
            raise BadSignal(f"A latency budget is above 0, not {self.latency_budget_ms} ms.")


def quality_score(
    *, signals: Signals, weights: Mapping[Signal, float] = DEFAULT_WEIGHTS
) -> float | None:
    """Return the weighted mean of the known signals, 0 (useless) to 1; None when none is known.

    Each signal counts from 0 to 1: valid output 0 or 1; feedback (f + 1) / 2; retries
    1 / (1 + r); latency 1 within the budget, then budget / latency. Unknown ones are left out and
    the other weights grow in proportion. Raise BadSignal for weights that are negative, not
    finite or all zero.
    """
    _check(weights)
    if signals.failed:
        return 0.0
    known = {signal: value for signal, value in values_of(signals).items() if value is not None}
    return weighted(known, weights=weights)


def weighted(
    known: Mapping[Signal, float], *, weights: Mapping[Signal, float] = DEFAULT_WEIGHTS
) -> float | None:
    """Return the weighted mean of signals from 0 to 1; None where none of them has a weight."""
    counting = [signal for signal in known if weights.get(signal, 0.0) > 0]
    if not counting:
        return None
    total = math.fsum(weights[signal] for signal in counting)
    score = math.fsum(weights[signal] * known[signal] for signal in counting) / total
    return round(score, _DIGITS)


def values_of(signals: Signals) -> dict[Signal, float | None]:
    """Return each signal from 0 (useless) to 1, None where it is unknown."""
    return {
        Signal.VALID_OUTPUT: None if signals.valid_output is None else float(signals.valid_output),
        Signal.USER_FEEDBACK: (
            None if signals.user_feedback is None else (signals.user_feedback + 1) / 2
        ),
        Signal.RETRIES: None if signals.retries is None else 1 / (1 + signals.retries),
        Signal.LATENCY: _within_budget(signals.latency_ms, signals.latency_budget_ms),
    }


def _within_budget(latency: float | None, budget: float | None) -> float | None:
    if latency is None or budget is None:
        return None
    return 1.0 if latency <= budget else budget / latency


def _check(weights: Mapping[Signal, float]) -> None:
    unknown = [str(signal) for signal in weights if signal not in set(Signal)]
    if unknown:
        raise BadSignal(f"There is no signal called {', '.join(unknown)}.")
    if any(not 0 <= weight < math.inf for weight in weights.values()):
        raise BadSignal("A weight is a number from 0 up.")
    if not any(weights.values()):
        raise BadSignal("At least one weight must be above 0.")
