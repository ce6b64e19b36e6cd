"""How many more samples, and how much more time, would settle it: a range, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from .contrast import Basis, Difference
from .sequence import FLOOR
from .thresholds import PerDay

LEAST_DAYS = 7
"""Days side by side below which nothing good is claimed, and nothing foretold: a week has every
weekday, and fewer days tell too little of good and bad ones."""

MOST_DAYS = 180
"""Days beyond which waiting is no plan; a comparison doesn't look back further, either."""

SOONER = 0.4
LATER = 0.1
CALMER = 0.3
"""How the ends of the range are reckoned. The near one: the true difference tells more than the
estimate by `SOONER` standard errors, and days wander by `CALMER` of what they may by now, since few
days leave room for wandering that more days rule out. The far one: it tells less by `LATER`, and
days go on as doubtful as they are. Chosen by simulation: `docs/statistics.md` says how often the
range holds."""

_STEPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """How much more would probably settle it if all goes on as it does.

    `samples` to `most_samples` count both sides together, `days` to `most_days` the days that they
    take, None where traffic isn't known. A `most` that is None has no end within `MOST_DAYS`. Where
    nothing can be foretold all four are None and `because` says why.
    """

    samples: int | None = None
    most_samples: int | None = None
    days: int | None = None
    most_days: int | None = None
    because: str = ""

    @property
    def words(self) -> str:
        """For a sentence: "300 to 1,200 more samples, 2 to 5 weeks"."""
        return self.of("samples")

    def of(self, noun: str) -> str:
        """Return the words with another noun for what is counted."""
        if self.samples is None:
            return self.because
        takes = "" if self.days is None else f", {_time(self.days, self.most_days)}"
        return f"{_count(self.samples, self.most_samples)} more {noun}{takes}"


NO_TRAFFIC = Needed(because="one of the versions gets no requests at present")
NOT_WITH_THIS_TRAFFIC = Needed(
    because=f"not with this traffic: it would take more than {MOST_DAYS} days"
)
TOO_EARLY = Needed(
    because=f"at least {LEAST_DAYS} days side by side, and {FLOOR} samples a side, come first"
)


def needed_until(
    *,
    difference: Difference,
    goal: Callable[[float], float],
    alpha: float,
    per_day: PerDay | None,
) -> Needed:
    """Foretell how many samples would make the half-width less than what a true difference asks.

    `goal` gives that for each difference that the truth may be. Days to come are reckoned to tell
    as much as those seen; before and after, no day side by side has been seen.
    """
    days = difference.days if difference.basis is Basis.SIDE_BY_SIDE else 0
    were = PerDay(
        current=difference.n_current / difference.days,
        candidate=difference.n_candidate / difference.days,
    )
    rates = per_day or were
    if min(rates.current, rates.candidate) <= 0:
        return NO_TRAFFIC
    if days < LEAST_DAYS or difference.reach < FLOOR:
        return TOO_EARLY
    # What a day to come tells, in days as they were.
    worth = _harmonic(rates) / _harmonic(were)
    soonest, latest = (
        _days_until(seen, wanted=wanted, alpha=alpha, worth=worth)
        for seen, wanted in (
            (
                replace(difference, wander=CALMER * difference.wander),
                max(_goals(difference, goal, errors=SOONER)),
            ),
            (difference, min(_goals(difference, goal, errors=LATER))),
        )
    )
    if soonest is None:
        return NOT_WITH_THIS_TRAFFIC
    a_day = rates.current + rates.candidate
    found = Needed(
        samples=math.ceil(soonest * a_day),
        most_samples=None if latest is None else math.ceil(latest * a_day),
    )
    if per_day is None:
        return found
    return replace(
        found,
        days=math.ceil(soonest),
        most_days=None if latest is None else math.ceil(latest),
    )


def _goals(
    difference: Difference, goal: Callable[[float], float], *, errors: float
) -> Iterator[float]:
    """Yield what is asked where the truth is within so many standard errors of the estimate."""
    step = difference.standard_error * errors / _STEPS
    return (goal(difference.estimate + step * number) for number in range(-_STEPS, _STEPS + 1))


def _days_until(seen: Difference, *, wanted: float, alpha: float, worth: float) -> float | None:
    """Return how many days more make the half-width less than wanted, to a tenth, at least one.

    A day to come tells `worth` times as much as one seen. None where `MOST_DAYS` don't.
    """

    def settled(days: float) -> bool:
        return seen.half_width(alpha=alpha, times=1 + days * worth / seen.days) < wanted

    low, high = 0.0, float(MOST_DAYS)
    if not settled(high):
        return None
    while high - low > max(0.1, high / 100):
        middle = (low + high) / 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return high


def _harmonic(rates: PerDay) -> float:
    return 1 / (1 / rates.current + 1 / rates.candidate)


def _count(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {_rounded(least)}"
    low, high = _rounded(least), _rounded(most)
    return f"about {low}" if low == high else f"{low} to {high}"


def _rounded(samples: int) -> str:
    """Return it to a half of its leading digit: such a range can't promise more."""
    step = max(1, 10 ** (len(str(samples)) - 1) // 2)
    return f"{math.ceil(samples / step) * step:,}"


_UNITS = ((14, 1, "day"), (60, 7, "week"), (math.inf, 30, "month"))
"""Up to how many days a time is told in which unit."""


def _time(least: int, most: int | None) -> str:
    """Return "3 to 9 days", "2 to 5 weeks" or "2 to 4 months"."""
    longest = least if most is None else most
    unit, noun = next((unit, noun) for upto, unit, noun in _UNITS if longest <= upto)
    low, high = max(1, round(least / unit)), max(1, math.ceil(longest / unit))
    if most is None:
        return f"{_counted(low, noun)} or more, perhaps not within {MOST_DAYS} days"
    return f"about {_counted(low, noun)}" if low == high else f"{low} to {high} {noun}s"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
