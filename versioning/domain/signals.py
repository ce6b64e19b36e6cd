"""What an application knows of a request beside its score: one figure of it, and one number.

A score is made of whichever signals are known. To complete it when another comes, each signal
must be kept apart, and a sample must stay a short row of numbers: so they are packed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

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


QUALITY = "quality"
"""The component of a score that was given as such, beside the signals."""

GIVEN = 1 << 62
"""Set where the score was given and not made of the signals."""

# Round numbers, as fine as the bits below allow: 21 and 25 of them.
_FEEDBACK_STEPS = 2_000_000
_LATENCY_STEPS = 30_000_000
_MOST_RETRIES = (1 << 14) - 2
"""More of them make a signal of 0.0001 at most, which no sum would see."""

# Where each signal lies in the number, and how many bits it has; 0 there is "unknown", so the
# value itself is kept one higher.
_PLACES = {
    Signal.VALID_OUTPUT: (0, 2),
    Signal.USER_FEEDBACK: (2, 21),
    Signal.RETRIES: (23, 14),
    Signal.LATENCY: (37, 25),
}


class Scored(NamedTuple):
    """A sample's score and what it is made of, as its row keeps them.

    `quality` is from 0 to 1, None without a score. `signals` is the number that `pack` makes, None
    where none was given: a quality is then one that was given as such.
    """

    quality: float | None = None
    signals: int | None = None


def pack(signals: Signals) -> int:
    """Return what is known as one number from 0 to 2^62 - 1; 0 where nothing is.

    Feedback is kept to a millionth, latency within its budget to a thirty-millionth.
    """
    valid, feedback, retries = signals.valid_output, signals.user_feedback, signals.retries
    packed = 0
    if valid is not None:
        packed = 1 + valid
    if feedback is not None:
        packed |= (1 + round((feedback + 1) / 2 * _FEEDBACK_STEPS)) << 2
    if retries is not None:
        packed |= (1 + min(retries, _MOST_RETRIES)) << 23
    if signals.latency_budget_ms is not None:
        within = values_of(signals)[Signal.LATENCY]
        if within is not None:
            packed |= (1 + round(within * _LATENCY_STEPS)) << 37
    return packed


def unpack(packed: int) -> dict[Signal, float]:
    """Return the known signals, each from 0 (useless) to 1."""
    found = {}
    if packed & 3:
        found[Signal.VALID_OUTPUT] = float((packed & 3) - 1)
    if kept := packed >> 2 & 0x1FFFFF:
        found[Signal.USER_FEEDBACK] = (kept - 1) / _FEEDBACK_STEPS
    if kept := packed >> 23 & 0x3FFF:
        found[Signal.RETRIES] = 1 / kept
    if kept := packed >> 37 & 0x1FFFFFF:
        found[Signal.LATENCY] = (kept - 1) / _LATENCY_STEPS
    return found


def merged(earlier: int, later: int) -> int:
    """Return both together; of a signal that both know the later one counts."""
    result = (earlier | later) & GIVEN
    for place, bits in _PLACES.values():
        mask = ((1 << bits) - 1) << place
        result |= (later & mask) or (earlier & mask)
    return result


def scored(
    *,
    quality: float | None,
    signals: int | None,
    failed: bool,
    weights: Mapping[Signal, float],
) -> Scored:
    """Return a sample as it comes in: a quality that is given counts, else the signals make one.

    A failed request scores 0 as soon as any signal of it is given, whatever the signal says.
    """
    if signals is None or (signals == 0 and not failed):
        return Scored(quality, None)
    if quality is not None:
        return Scored(quality, signals | GIVEN)
    made = 0.0 if failed else weighted(unpack(signals), weights=weights)
    return Scored(made, signals)


def completed(
    before: Scored,
    *,
    quality: float | None,
    signals: int,
    failed: bool,
    weights: Mapping[Signal, float],
) -> Scored:
    """Return a sample once more of it is known: the same as if all had come with it.

    What comes later of the same kind takes the place of what was. What a failed request's
    sample said of its own quality stays: nothing that comes later makes it a good one.
    """
    was_given = is_given(before)
    given = before.quality if was_given else None
    if quality is not None and not (failed and was_given):
        given = 0.0 if failed else quality
    known = merged(before.signals or 0, signals) & ~GIVEN
    nothing = not known and before.signals is None
    return scored(quality=given, signals=None if nothing else known, failed=failed, weights=weights)


class _Scored(Protocol):
    @property
    def quality(self) -> float | None: ...
    @property
    def signals(self) -> int | None: ...


def is_given(sample: _Scored) -> bool:
    """Whether the score was given as such, and not made of signals."""
    if sample.quality is None:
        return False
    return sample.signals is None or bool(sample.signals & GIVEN)


def components(sample: Scored, *, failed: bool) -> dict[str, float]:
    """Return each thing that is known of a request by its name, from 0 (useless) to 1.

    A failed request is useless in all that was given of it; only a quality that came with it
    stays as it was said.
    """
    found: dict[str, float] = {}
    if sample.quality is not None and is_given(sample):
        found[QUALITY] = sample.quality
    if sample.signals:
        for signal, value in unpack(sample.signals & ~GIVEN).items():
            found[signal.value] = 0.0 if failed else value
    return found
