"""The difference of two versions: side by side on the days that both served, or before and after.

Side by side the unit is the day and task on which both served. d = candidate - current of that
day: what changed for both (customers, a template, a season) cancels, whatever it was. Days are
weighed by what they tell, tasks by the current version's traffic, and the days' differences by
what they show of wandering: see `intervals`. Before and after nothing cancels, so a change of the
common level is added to the doubt by whoever judges.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from .inputs import Arm, Basis, Day, Stratum
from .intervals import (
    RATES,
    SCORES,
    DayValue,
    Wandering,
    doubt_of,
    half_width,
    variance_floor,
    wandering_variance,
)
from .summaries import Moments

A_DAY_IN_DOUBT = 0.4
"""Standard deviations of a score that a day's level is taken to be off by when days are weighed:
so a day of very many requests doesn't outvote all others (it counts like a dozen at most)."""

_NOTHING = 1e-30
"""A variance that nothing costs, so that amounts that are all 0 can be divided by it."""


class ValueKind(StrEnum):
    """What values are, as far as their levels wander: scores and amounts, or rare events."""

    SCORES = "scores"
    RATES = "rates"

    @property
    def ideas(self) -> tuple[Wandering, ...]:
        """How their levels may wander."""
        return SCORES if self is ValueKind.SCORES else RATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Values of both versions on one task, day by day; `share` is its weight, all together 1.

    `bounded` says that values lie between 0 and 1: then equal ones are no proof that all will be.
    """

    task: str
    share: float
    current: Mapping[int, Moments]
    candidate: Mapping[int, Moments]
    bounded: bool = True

    @property
    def met(self) -> Group:
        """The same on the days that both have."""
        days = sorted(self.current.keys() & self.candidate.keys())
        return replace(
            self,
            current={day: self.current[day] for day in days},
            candidate={day: self.candidate[day] for day in days},
        )

    @property
    def n(self) -> int:
        """How many values the side has that has fewer."""
        return min(
            sum(values.n for values in side.values()) for side in (self.current, self.candidate)
        )

    @property
    def tells(self) -> bool:
        """Whether both sides have two values: fewer have no spread."""
        return self.n >= 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A weighted difference of means with all that its interval needs.

    `reach` is the number of samples that each side's variance is worth; `sampling` the variance of
    the difference if values were independent, `wander` what levels add to it, `days` on how many
    it rests. `series` are the days themselves: one of differences, or one of each side.
    `sampling_if_equal` is the sampling variance of rates as a test of equality needs it.
    """

    basis: Basis
    current: float
    candidate: float
    n_current: int
    n_candidate: int
    reach_current: float
    reach_candidate: float
    sampling: float
    days: int
    series: tuple[tuple[DayValue, ...], ...]
    wander: float = 0.0
    sampling_if_equal: float | None = None

    @property
    def estimate(self) -> float:
        """Candidate minus current."""
        return self.candidate - self.current

    @property
    def even_days(self) -> float:
        """How many days of equal weight tell as much: 1 / sum of weights^2, the fewer side's."""
        return min(1 / math.fsum(day.weight**2 for day in days) for days in self.series)

    @property
    def design(self) -> float:
        """How many times wandering levels make the variance that of independent values."""
        return 1 + self.wander / self.sampling if self.sampling else 1.0

    @property
    def reach(self) -> float:
        """The smaller side's reach: floors of samples apply to it."""
        return min(self.reach_current, self.reach_candidate)

    @property
    def standard_error(self) -> float:
        """How far the estimate is off at one look, days reckoned in."""
        return math.sqrt((self.sampling + self.wander) * doubt_of(self.even_days))

    def low(self, *, alpha: float) -> float:
        """Return the low end of the interval; of rates, by their variance if they were equal."""
        return self.estimate - self._half_width(alpha=alpha, sampling=self.sampling_if_equal)

    def high(self, *, alpha: float) -> float:
        """Return the high end of the interval."""
        return self.estimate + self.half_width(alpha=alpha)

    def half_width(self, *, alpha: float, times: float = 1) -> float:
        """Return the half-width of an interval that holds at every look.

        `times` is how many times the days there are by then, with as many requests. Time in the
        sequence is the harmonic total of samples, 4 / (1/n + 1/m): four times the smaller side
        when the other has far more, since it alone limits us; less what days take away.
        """
        return self._half_width(alpha=alpha, times=times)

    def _half_width(
        self, *, alpha: float, sampling: float | None = None, times: float = 1
    ) -> float:
        variance = self.sampling if sampling is None else sampling
        doubt = doubt_of(self.even_days * times)
        reach = 4 / (1 / self.reach_current + 1 / self.reach_candidate)
        return half_width(
            n=times * reach / self.design,
            variance=(variance + self.wander) * doubt / times,
            alpha=alpha,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One version's own weighted mean over all its days; see `Difference` for the words."""

    mean: float
    reach: float
    sampling: float
    series: tuple[DayValue, ...]
    wander: float = 0.0

    @property
    def design(self) -> float:
        """How many times wandering levels make the variance that of independent values."""
        return 1 + self.wander / self.sampling if self.sampling else 1.0

    def half_width(self, *, alpha: float) -> float:
        """Return the half-width of an interval that holds at every look."""
        even_days = 1 / math.fsum(day.weight**2 for day in self.series)
        return half_width(
            n=self.reach / self.design,
            variance=(self.sampling + self.wander) * doubt_of(even_days),
            alpha=alpha,
        )


def groups_of(
    strata: Sequence[Stratum],
    *,
    values: Callable[[Stratum, Day, bool], Moments],
    basis: Basis,
    bounded: bool = True,
) -> tuple[Group, ...]:
    """Return the groups that can be compared: tasks on which both sides have values, together.

    `values` gives those of a day; its third argument says whether it is the candidate's. A task
    weighs what its share of the current version's requests is among these tasks.
    """
    found = []
    for stratum in strata:
        group = Group(
            task=stratum.task,
            share=float(stratum.current.n),
            current=_by_day(stratum.current, lambda day, s=stratum: values(s, day, False)),  # type: ignore[misc]
            candidate=_by_day(stratum.candidate, lambda day, s=stratum: values(s, day, True)),  # type: ignore[misc]
            bounded=bounded,
        )
        group = group.met if basis is Basis.SIDE_BY_SIDE else group
        if group.tells:
            found.append(group)
    return shared_out(found)


def shared_out(groups: Sequence[Group]) -> tuple[Group, ...]:
    """Return the groups with shares that make 1 together."""
    total = sum(group.share for group in groups)
    return tuple(replace(group, share=group.share / total) for group in groups)


def difference(
    groups: Sequence[Group],
    *,
    basis: Basis,
    kind: ValueKind = ValueKind.SCORES,
    design: float | None = None,
) -> Difference | None:
    """Return sum of share (candidate - current) over the groups; None without one.

    A `design` that is known already (how many times wandering levels make the variance that of
    independent values) saves asking the days again.

    Several groups of one task (the components of its quality) count as if they went hand in hand:
    their standard deviations add up, tasks' variances do.
    """
    if not groups:
        return None
    found = (_side_by_side if basis is Basis.SIDE_BY_SIDE else _before_after)(groups)
    if design is None:
        wander = math.fsum(
            wandering_variance(days, ideas=kind.ideas, unit=unit_of(groups, kind))
            for days in found.series
        )
    else:
        wander = (design - 1) * found.sampling
    if_equal = _sampling_if_equal(groups) if kind is ValueKind.RATES else None
    return replace(found, wander=wander, sampling_if_equal=if_equal)


def level(groups: Sequence[Group]) -> Level | None:
    """Return the level of the groups' current side; None without one."""
    if not groups:
        return None
    found = _one_side(groups, candidate=False)
    unit = unit_of(groups, ValueKind.SCORES)
    return replace(found, wander=wandering_variance(found.series, ideas=SCORES, unit=unit))


@dataclass(frozen=True, slots=True)
class _Part:
    """One group on one day: its weight in the whole, its value, its standard deviation."""

    number: int
    task: str
    weight: float
    value: float
    deviation: float


def _side_by_side(groups: Sequence[Group]) -> Difference:
    parts: list[_Part] = []
    means = [0.0, 0.0]
    spent = [0.0, 0.0]
    for group in groups:
        before, after = _spreads(group)
        aside = A_DAY_IN_DOUBT**2 * _pooled(group)
        noise = {
            day: before / group.current[day].n + after / group.candidate[day].n
            for day in group.current
        }
        told = {day: 1 / (noise[day] + aside) for day in noise}
        total = math.fsum(told.values())
        for day, one in told.items():
            old, new, weight = group.current[day], group.candidate[day], group.share * one / total
            means[0] += weight * old.mean
            means[1] += weight * new.mean
            spent[0] += weight**2 / old.n
            spent[1] += weight**2 / new.n
            parts.append(_Part(day, group.task, weight, new.mean - old.mean, math.sqrt(noise[day])))
    days = _merged(parts)
    return Difference(
        basis=Basis.SIDE_BY_SIDE,
        current=means[0],
        candidate=means[1],
        n_current=_samples(groups, candidate=False),
        n_candidate=_samples(groups, candidate=True),
        reach_current=1 / spent[0],
        reach_candidate=1 / spent[1],
        sampling=_sampling(days),
        days=len(days),
        series=(tuple(days),),
    )


def _before_after(groups: Sequence[Group]) -> Difference:
    before, after = (_one_side(groups, candidate=side) for side in (False, True))
    return Difference(
        basis=Basis.BEFORE_AFTER,
        current=before.mean,
        candidate=after.mean,
        n_current=_samples(groups, candidate=False),
        n_candidate=_samples(groups, candidate=True),
        reach_current=before.reach,
        reach_candidate=after.reach,
        sampling=before.sampling + after.sampling,
        days=min(len(before.series), len(after.series)),
        series=(before.series, after.series),
    )


def _one_side(groups: Sequence[Group], *, candidate: bool) -> Level:
    parts: list[_Part] = []
    spent = 0.0
    for group in groups:
        values = group.candidate if candidate else group.current
        spread = _spreads(group)[candidate]
        total = sum(one.n for one in values.values())
        for day, one in values.items():
            weight = group.share * one.n / total
            spent += weight**2 / one.n
            parts.append(_Part(day, group.task, weight, one.mean, math.sqrt(spread / one.n)))
    days = _merged(parts)
    return Level(
        mean=math.fsum(part.weight * part.value for part in parts),
        reach=1 / spent,
        sampling=_sampling(days),
        series=tuple(days),
    )


def _merged(parts: Sequence[_Part]) -> list[DayValue]:
    """Add the groups of each day up, in order of time."""
    by_day: defaultdict[int, list[_Part]] = defaultdict(list)
    for part in parts:
        by_day[part.number].append(part)
    return [_merged_day(number, by_day[number]) for number in sorted(by_day)]


def _merged_day(number: int, parts: Sequence[_Part]) -> DayValue:
    weight = math.fsum(part.weight for part in parts)
    by_task: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        by_task[part.task] += part.weight * part.deviation
    return DayValue(
        number=number,
        value=math.fsum(part.weight * part.value for part in parts) / weight,
        weight=weight,
        noise=math.fsum(one**2 for one in by_task.values()) / weight**2,
    )


def _sampling(days: Sequence[DayValue]) -> float:
    return math.fsum(day.weight**2 * day.noise for day in days)


def _spreads(group: Group) -> tuple[float, float]:
    """Return the variance of one value of each side, about its day.

    At least that of both sides: a small arm that has not met the tail yet (a rare failure, a rare
    high score) looks too sure of itself, and the other knows. At least the floor, too.
    """
    pooled = _pooled(group)
    before, after = (
        max(
            _within([side]),
            pooled,
            variance_floor(sum(one.n for one in side.values())) * _reach_of_values(side, group),
        )
        for side in (group.current, group.candidate)
    )
    return before, after


def _reach_of_values(side: Mapping[int, Moments], group: Group) -> float:
    """Return the square of how far an unseen value may lie off: 1, or the mean of amounts."""
    mean = Moments.total(side.values()).mean
    return 1.0 if group.bounded else max(mean * mean, _NOTHING)


def _pooled(group: Group) -> float:
    return _within([group.current, group.candidate])


def _within(sides: Sequence[Mapping[int, Moments]]) -> float:
    """Return the variance of values about their day's mean.

    About their side's, where most days have a single value.
    """
    days = [values for side in sides for values in side.values()]
    freedom = sum(values.n - 1 for values in days)
    if days and freedom >= len(days):
        return math.fsum(values.m2 for values in days) / freedom
    # Each side about its own mean: what they differ by is no spread.
    wholes = [Moments.total(side.values()) for side in sides]
    left = sum(whole.n - 1 for whole in wholes)
    return math.fsum(whole.m2 for whole in wholes) / left if left > 0 else 0.0


def unit_of(groups: Sequence[Group], kind: ValueKind) -> float:
    """Return what ideas of wandering are told in: a score's standard deviation, or a rate."""
    if kind is ValueKind.SCORES:
        return math.sqrt(math.fsum(group.share * min(_spreads(group)) for group in groups))
    # Not of both sides: a harm would make itself look like wandering.
    totals = [(group.share, Moments.total(group.current.values())) for group in groups]
    return math.fsum(share * (total.sum + 1) / (total.n + 1) for share, total in totals)


def _samples(groups: Sequence[Group], *, candidate: bool) -> int:
    """Count samples; components of a task's quality are of the same requests."""
    most: defaultdict[str, int] = defaultdict(int)
    for group in groups:
        side = group.candidate if candidate else group.current
        most[group.task] = max(most[group.task], sum(values.n for values in side.values()))
    return sum(most.values())


def _by_day(arm: Arm, values: Callable[[Day], Moments]) -> dict[int, Moments]:
    found = ((day.number, values(day)) for day in arm.days)
    return {number: one for number, one in found if one.n}


def _sampling_if_equal(groups: Sequence[Group]) -> float:
    """Return the variance with which a difference of rates is a test that they are equal.

    The one that makes its square over the variance the likelihood ratio of both rates against one
    rate for both: so few events are judged by their own law, not by the normal one (signed root
    of the deviance; McCullagh & Nelder, "Generalized Linear Models", 1989).
    """
    found = 0.0
    for group in groups:
        before, after = (Moments.total(side.values()) for side in (group.current, group.candidate))
        both = before.merge(after)
        floor = both.n / (both.n + 1) ** 2 * (1 / before.n + 1 / after.n)
        deviance = 2 * sum(side.n * _divergence(side.mean, both.mean) for side in (before, after))
        apart = (after.mean - before.mean) ** 2
        equal = both.mean * (1 - both.mean) * (1 / before.n + 1 / after.n)
        # Close to equality both are the same, and the quotient loses its digits.
        variance = apart / deviance if deviance > 1e-6 else equal
        found += group.share**2 * max(variance, floor)
    return found


def _divergence(rate: float, other: float) -> float:
    """Return the Kullback-Leibler divergence of two rates."""
    return math.fsum(
        part * math.log(part / whole)
        for part, whole in ((rate, other), (1 - rate, 1 - other))
        if part > 0
    )
