"""Better, not worse, worse or not enough data; and how much more would settle it.

Quality of two versions is compared component by component, then weighed, then judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from .contrast import Difference, Group, difference, groups_of, shared_out
from .figures import counted, exact, rise
from .inputs import Arm, Basis, PerDay, Stratum, Thresholds
from .intervals import FLOOR, LEAST_DAYS
from .summaries import Moments

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


NOT_WITH_THIS_TRAFFIC = Needed(
    because=f"not with this traffic: it would take more than {MOST_DAYS} days"
)
NO_COMMON_TASK = Needed(because="no task has scores of both versions")


def no_traffic(rates: PerDay) -> Needed | None:
    """Say which version gets no requests; None where both get some."""
    idle = [
        name
        for name, rate in (("current version", rates.current), ("candidate", rates.candidate))
        if rate <= 0
    ]
    if not idle:
        return None
    gets = "gets" if len(idle) == 1 else "get"
    return Needed(because=f"the {' and the '.join(idle)} {gets} no requests at present")


def too_early(*, days: int, samples: float) -> Needed:
    """Say which floor is not reached, and how much of it there is.

    ``days`` are those side by side, ``samples`` what the smaller side is worth.
    """
    short = []
    if days < LEAST_DAYS:
        short.append(f"{LEAST_DAYS} days side by side (so far {days})")
    if samples < FLOOR:
        short.append(f"{FLOOR} samples a side (so far worth {math.floor(samples)})")
    return Needed(because=f"at least {' and '.join(short)} come first")


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
    if (idle := no_traffic(rates)) is not None:
        return idle
    if days < LEAST_DAYS or difference.reach < FLOOR:
        return too_early(days=days, samples=difference.reach)
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
        return f"{counted(low, noun)} or more, perhaps not within {MOST_DAYS} days"
    return f"about {counted(low, noun)}" if low == high else f"{low} to {high} {noun}s"


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
    idle = no_traffic(per_day) if per_day is not None else None
    return Judgement(verdict=Verdict.NOT_ENOUGH_DATA, needed=idle or NO_COMMON_TASK)


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


IN_FULL = 100
"""Values from which on a component of quality counts its whole weight."""

COMMON_LEVEL = 0.1
"""Points by which quality may have changed for everybody: between before and after, or where the
two versions' requests are not alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFigures:
    """Quality of both versions over the same tasks, weighted by the current version's traffic.

    Means are None without a shared task; `relative` also when the current mean is 0. `n` counts
    scores on shared tasks, coverage the share of all requests that have a score.
    """

    current: Decimal | None
    candidate: Decimal | None
    relative: Decimal | None
    n_current: int
    n_candidate: int
    coverage_current: float
    coverage_candidate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Quality over some tasks: the figures, what they say, and on which tasks and days it rests."""

    figures: QualityFigures
    judgement: Judgement
    tasks: frozenset[str]
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartVerdict:
    """The verdict on one task or one slice, corrected for how many there are."""

    name: str
    quality: QualityFigures
    judgement: Judgement

    @property
    def verdict(self) -> Verdict:
        """Better, not worse, worse or not enough data."""
        return self.judgement.verdict


def quality(
    *,
    strata: Sequence[Stratum],
    basis: Basis,
    alike: bool,
    weights: Mapping[str, float],
    thresholds: Thresholds,
    alpha: float,
    per_day: PerDay | None,
) -> Quality:
    """Return the verdict on quality over these tasks.

    Before / after, and where requests are not alike, what may have changed for everybody widens
    the interval, and only harm beyond it is claimed.
    """
    groups = quality_groups(strata, basis=basis, weights=weights)
    found = difference(groups, basis=basis)
    scored_current = _scored([stratum.current for stratum in strata])
    scored_candidate = _scored([stratum.candidate for stratum in strata])
    scores = None
    if per_day is not None:
        scores = PerDay(
            current=per_day.current * scored_current,
            candidate=per_day.candidate * scored_candidate,
        )
    if found is None:
        judgement = judge_nothing(per_day=per_day)
    else:
        unlike = basis is Basis.BEFORE_AFTER or not alike
        judgement = judge(
            difference=found,
            alpha=alpha,
            margin=thresholds.not_worse_margin,
            per_day=scores,
            allowance=COMMON_LEVEL if unlike else 0.0,
        )
    return Quality(
        figures=_figures(found, scored_current=scored_current, scored_candidate=scored_candidate),
        judgement=judgement,
        tasks=frozenset(group.task for group in groups),
        days=found.days if found else 0,
    )


def quality_groups(
    strata: Sequence[Stratum], *, basis: Basis, weights: Mapping[str, float]
) -> tuple[Group, ...]:
    """Return the groups of quality: each task's components that both sides have.

    Signals are known of some requests only, and of other ones for each: so a mean over whatever is
    known would rise as signals go missing. Each component is compared over those who have it.
    """
    found: list[Group] = []
    for stratum in strata:
        by_name: dict[str, Group] = {}
        for name, weight in weights.items():
            (*groups,) = groups_of(
                (stratum,),
                values=lambda _s, day, _c, name=name: day.components.get(name, Moments()),  # type: ignore[misc]
                basis=basis,
            )
            if weight > 0 and groups:
                (by_name[name],) = groups
        counts = {name: group.n for name, group in by_name.items()}
        shares = counting(counts, weights=weights)
        parts = [replace(group, share=shares[name]) for name, group in by_name.items()]
        if parts:
            found += [
                replace(part, share=part.share * stratum.current.n) for part in shared_out(parts)
            ]
    return shared_out(found)


def mean_quality(
    components: Mapping[str, Moments], *, weights: Mapping[str, float]
) -> float | None:
    """Return the weighted mean of components' means, each over those who have it; 0 to 1.

    None where none of them has a value and a weight.
    """
    shares = counting({name: one.n for name, one in components.items()}, weights=weights)
    total = math.fsum(shares.values())
    if not total:
        return None
    return math.fsum(share * components[name].mean for name, share in shares.items()) / total


def counting(counts: Mapping[str, int], *, weights: Mapping[str, float]) -> dict[str, float]:
    """Return what components count by how many values they have; those that count nothing not.

    From `IN_FULL` values on a component counts its whole weight, however many requests have it:
    else a mean would rise as signals go missing. With fewer, and fewer than others have, it counts
    in proportion: so the first thumb among many scores hardly moves the mean.
    """
    told = {name: n for name, n in counts.items() if n and weights.get(name, 0.0) > 0}
    full = min(IN_FULL, max(told.values(), default=0))
    return {name: weights[name] * min(1.0, n / full) for name, n in told.items()}


def _figures(
    found: Difference | None, *, scored_current: float, scored_candidate: float
) -> QualityFigures:
    current = candidate = relative = None
    if found is not None:
        current, candidate = exact(found.current), exact(found.candidate)
        relative = rise(before=found.current, after=found.candidate)
    return QualityFigures(
        current=current,
        candidate=candidate,
        relative=relative,
        n_current=found.n_current if found else 0,
        n_candidate=found.n_candidate if found else 0,
        coverage_current=scored_current,
        coverage_candidate=scored_candidate,
    )


def _scored(arms: Sequence[Arm]) -> float:
    """Return the share of requests with a score; 0 without requests."""
    requests = sum(arm.n for arm in arms)
    return sum(arm.scored for arm in arms) / requests if requests else 0.0
