"""Better, not worse, worse or not enough data: one difference judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .contrast import Basis, Difference
from .sequence import FLOOR, samples_until
from .thresholds import PerDay, exact

LEAST_DAYS = 7
"""Days side by side below which nothing good is claimed: a week has every weekday, and fewer days
tell too little of good and bad ones. It costs nothing where a rise of 0.05 is looked for."""

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


def needed_until(
    *,
    difference: Difference,
    goal: float,
    alpha: float,
    per_day: PerDay | None,
    least_days: int = LEAST_DAYS,
) -> Needed:
    """Find how many samples would make the half-width less than a goal, other things equal.

    Counted in days side by side: before and after, none has been yet.
    """
    days = difference.days if difference.basis is Basis.SIDE_BY_SIDE else 0
    were = PerDay(
        current=difference.n_current / difference.days,
        candidate=difference.n_candidate / difference.days,
    )
    rates = per_day or were
    if min(rates.current, rates.candidate) <= 0:
        return Needed(samples=None)
    # What a day to come tells, in days as they were.
    worth = _harmonic(rates) / _harmonic(were)

    def settled(samples: float) -> bool:
        more = samples / (rates.current + rates.candidate)
        times = (days + more * worth) / difference.days
        if days + more < least_days or difference.reach * times < FLOOR:
            return False
        return difference.half_width(alpha=alpha, times=times) < goal

    return _with_days(samples=samples_until(settled=settled), per_day=per_day)


def _needed(
    *, difference: Difference, alpha: float, margin: float, per_day: PerDay | None
) -> Needed:
    return needed_until(
        difference=difference,
        goal=max(abs(difference.estimate), difference.estimate + margin),
        alpha=alpha,
        per_day=per_day,
    )


def _harmonic(rates: PerDay) -> float:
    return 1 / (1 / rates.current + 1 / rates.candidate)


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
