"""Better, not worse, worse or not enough data: one difference judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .evidence import Difference
from .sequence import FLOOR, samples_until
from .thresholds import PerDay, exact


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
class Needed:
    """How many more samples, both sides together, would settle it if things stay as they are.

    `samples` is None when no realistic number would; `days` is None when that is so, or traffic
    is unknown or nil.
    """

    samples: int | None
    days: int | None = None

    @property
    def words(self) -> str:
        """For a sentence: "about 340 more samples (about 9 days)"."""
        if self.samples is None:
            return "no realistic number of samples would settle it"
        days = "" if self.days is None else f" (about {counted(self.days, 'day')})"
        return f"about {_rounded(self.samples)} more samples{days}"


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
    *, difference: Difference, alpha: float, margin: Decimal, per_day: PerDay | None = None
) -> Judgement:
    """Return the verdict on a difference where more is better.

    Better: the interval lies above 0. Worse: below 0. Not worse: above minus the margin.
    Below the floor of samples a side nothing is claimed. `per_day` counts samples.
    """
    estimate = difference.estimate
    half = difference.half_width(alpha=alpha)
    low, high = estimate - half, estimate + half
    verdict = _verdict(low=low, high=high, margin=margin)
    if difference.reach < FLOOR:
        verdict = Verdict.NOT_ENOUGH_DATA
    needed = to_tell_apart = None
    if verdict is Verdict.NOT_ENOUGH_DATA:
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


def judge_nothing(*, n_current: int, n_candidate: int, per_day: PerDay | None = None) -> Judgement:
    """Return "not enough data" where no task has been scored on both sides.

    Needed is what the floor still lacks; the days are those of the slower side, None when a side
    gets no traffic.
    """
    lacks_current, lacks_candidate = max(0, FLOOR - n_current), max(0, FLOOR - n_candidate)
    days = None
    if per_day is not None and min(per_day.current, per_day.candidate) > 0:
        days = math.ceil(
            max(lacks_current / per_day.current, lacks_candidate / per_day.candidate, 1)
        )
    needed = Needed(samples=max(1, lacks_current + lacks_candidate), days=days)
    return Judgement(verdict=Verdict.NOT_ENOUGH_DATA, needed=needed)


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
    """Find how many samples would settle it if means and spreads stay as they are."""
    rates = per_day or PerDay(current=difference.n_current, candidate=difference.n_candidate)
    total = rates.current + rates.candidate
    if total <= 0:
        return Needed(samples=None)

    def settled(samples: float) -> bool:
        current = 1 + samples * rates.current / total / difference.n_current
        candidate = 1 + samples * rates.candidate / total / difference.n_candidate
        if difference.reach_current * current < FLOOR:
            return False
        if difference.reach_candidate * candidate < FLOOR:
            return False
        half = difference.half_width(alpha=alpha, more_current=current, more_candidate=candidate)
        return half < max(abs(difference.estimate), difference.estimate + margin)

    return _with_days(samples=samples_until(settled=settled), per_day=per_day)


def _with_days(*, samples: int | None, per_day: PerDay | None) -> Needed:
    if samples is None or per_day is None:
        return Needed(samples=samples)
    return Needed(
        samples=samples, days=max(1, math.ceil(samples / (per_day.current + per_day.candidate)))
    )


def _rounded(samples: int) -> str:
    """Two leading digits are all that an "about" can promise."""
    size = 10 ** max(0, len(str(samples)) - 2)
    return f"{math.ceil(samples / size) * size:,}"


def counted(number: int, noun: str) -> str:
    """Return "1 day" or "9 days"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
