"""Better, not worse, worse or not enough data: one difference judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .contrast import Basis, Difference
from .needed import LEAST_DAYS, NO_TRAFFIC, TOO_EARLY, Needed, needed_until
from .sequence import FLOOR
from .thresholds import PerDay, exact

GREAT_HARM = 2.0
"""Times the half-width by which a version must be worse to be called so before a week is over."""


class Verdict(StrEnum):
    """What the interval of a difference says."""

    BETTER = "better"
    NOT_WORSE = "not_worse"
    WORSE = "worse"
    NOT_ENOUGH_DATA = "not_enough_data"

    @property
    def words(self) -> str:
        """The verdict in a sentence: "not worse"."""
        return self.value.replace("_", " ")

    @property
    def attention(self) -> int:
        """Order in a list that may be cut: worse first, then better, then what is open."""
        order = (Verdict.WORSE, Verdict.BETTER, Verdict.NOT_ENOUGH_DATA, Verdict.NOT_WORSE)
        return order.index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with its interval.

    `needed` is set when there isn't enough data; `to_tell_apart` when the version is not worse and
    only more samples could show it better (or a little worse).
    """

    verdict: Verdict
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    needed: Needed | None = None
    to_tell_apart: Needed | None = None


def judge(
    *,
    difference: Difference,
    alpha: float,
    margin: Decimal,
    per_day: PerDay | None = None,
    allowance: float = 0.0,
) -> Judgement:
    """Return the verdict on a difference where more is better.

    Better: the interval lies above 0. Worse: below 0. Not worse: above minus the margin.
    Below the floor of samples a side nothing is claimed, and before `LEAST_DAYS` only great harm
    is. An `allowance` is what something else may have changed by: it widens the interval, and
    then nothing but harm is claimed. `per_day` counts samples.
    """
    estimate = difference.estimate
    half = difference.half_width(alpha=alpha) + allowance
    low, high = estimate - half, estimate + half
    if math.isfinite(half):
        # Means from 0 to 1 differ by 1 at most.
        low, high = max(-1.0, low), min(1.0, high)
    verdict = _verdict(low=low, high=high, margin=margin)
    if not _may_claim(difference, verdict=verdict, half=half, allowance=allowance):
        verdict = Verdict.NOT_ENOUGH_DATA
    needed = to_tell_apart = None
    # Where the two are not alike, more of the same would settle nothing.
    unlike = allowance and difference.basis is Basis.SIDE_BY_SIDE
    if verdict is Verdict.NOT_ENOUGH_DATA and not unlike:
        needed = _needed(difference=difference, alpha=alpha, margin=float(margin), per_day=per_day)
    if verdict is Verdict.NOT_WORSE:
        to_tell_apart = _needed(difference=difference, alpha=alpha, margin=0.0, per_day=per_day)
    return Judgement(
        verdict=verdict,
        estimate=estimate,
        low=low,
        high=high,
        needed=needed,
        to_tell_apart=to_tell_apart,
    )


def _may_claim(difference: Difference, *, verdict: Verdict, half: float, allowance: float) -> bool:
    if difference.reach < FLOOR:
        return False
    if verdict is Verdict.WORSE:
        enough = difference.days >= LEAST_DAYS or allowance > 0
        return enough or difference.estimate < -GREAT_HARM * half
    return difference.days >= LEAST_DAYS and not allowance


def judge_nothing(*, per_day: PerDay | None = None) -> Judgement:
    """Return "not enough data" where no task has been scored on both sides.

    What is needed comes first of all; nothing of it comes while a side gets no traffic.
    """
    idle = per_day is not None and min(per_day.current, per_day.candidate) <= 0
    return Judgement(verdict=Verdict.NOT_ENOUGH_DATA, needed=NO_TRAFFIC if idle else TOO_EARLY)


def _verdict(*, low: float, high: float, margin: Decimal) -> Verdict:
    if low > 0:
        return Verdict.BETTER
    if high < 0:
        return Verdict.WORSE
    if math.isfinite(low) and exact(low) > -margin:
        return Verdict.NOT_WORSE
    return Verdict.NOT_ENOUGH_DATA


def _needed(
    *, difference: Difference, alpha: float, margin: float, per_day: PerDay | None
) -> Needed:
    """Say how many more samples would show it better, worse, or within the margin."""
    return needed_until(
        difference=difference,
        goal=lambda truth: max(abs(truth), truth + margin),
        alpha=alpha,
        per_day=per_day,
    )


def counted(number: int, noun: str) -> str:
    """Return "1 day" or "9 days"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
