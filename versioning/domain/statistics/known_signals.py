"""What is known of one request beside its score, in one whole number: so that more can come later.

A score is made of whichever signals are known. To complete it when another comes, each signal
must be kept apart, and a sample must stay a short row of numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from .score import Signal, Signals, values_of, weighted

QUALITY = "quality"
"""The component of a score that was given as such, beside the signals."""

GIVEN = 1 << 62
"""Set where the score was given and not made of the signals."""

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
