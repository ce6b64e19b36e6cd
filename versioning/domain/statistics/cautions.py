"""Cautions beside a comparison: figures that are there, but doubtful.

A signal is compared over the requests that have it. That is fair while having it has nothing to
do with the version: so unequal shares of what was answered are a doubt, however good the figures
look.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from versioning.domain.figure_kinds import Figure, Rate
from versioning.domain.figures import FIGURES, TOLD_RATES
from versioning.domain.signals import QUALITY

from .figures import exact
from .inputs import Day, Split, Stratum, Thresholds
from .intervals import FLOOR, half_width
from .population import mix_distance, mix_has_shifted, other_hours, other_tags, split_is_off
from .summaries import Moments


class WarningCode(StrEnum):
    """What makes the numbers doubtful although they are there."""

    SAMPLE_RATIO_MISMATCH = "sample_ratio_mismatch"
    POPULATION_SHIFT = "population_shift"
    LOW_QUALITY_COVERAGE = "low_quality_coverage"
    LOW_COVERAGE = "low_coverage"
    UNEQUAL_COVERAGE = "unequal_coverage"
    OTHER_HOURS = "other_hours"
    OTHER_TAGS = "other_tags"
    UNCOVERED_TASKS = "uncovered_tasks"
    MIXED_SESSIONS = "mixed_sessions"


DOUBTS = frozenset(
    {
        WarningCode.SAMPLE_RATIO_MISMATCH,
        WarningCode.OTHER_HOURS,
        WarningCode.OTHER_TAGS,
        WarningCode.UNEQUAL_COVERAGE,
    }
)
"""Warnings with which nothing is enough for a move."""

ALL_BUT_NOTHING = 0.995
"""The distance of two mixes that is 100% as it is said."""

UNLIKE_BEGINNINGS = frozenset({WarningCode.OTHER_HOURS})
"""Doubts that the first hours of a canary always give: it began in the middle of a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """A warning with its sentence."""

    code: WarningCode
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The current version's tasks that nothing is known of, and their share of its traffic."""

    uncovered: tuple[Stratum, ...]
    uncovered_share: float


def cautions(
    *,
    strata: Sequence[Stratum],
    coverage: Coverage,
    thresholds: Thresholds,
    split: Split | None,
    unlike: Sequence[Caution] = (),
) -> tuple[Caution, ...]:
    """Return what a reader must know before believing the figures; `unlike` comes first."""
    found = list(unlike)
    if split is not None and split_is_off(split):
        got = split.candidate / (split.candidate + split.current)
        found.append(
            Caution(
                code=WarningCode.SAMPLE_RATIO_MISMATCH,
                text=f"the candidate got {got:.1%} of the requests instead of "
                f"{split.expected_share:.1%}: find out why before trusting the numbers; requests "
                "without a key, or a few keys with most of the requests, are the usual reasons",
            )
        )
    if mix_has_shifted(strata):
        found.append(
            Caution(
                code=WarningCode.POPULATION_SHIFT,
                text=_on_the_mix(mix_distance(strata)),
            )
        )
    if coverage.uncovered:
        names = ", ".join(stratum.task for stratum in coverage.uncovered[:5])
        found.append(
            Caution(
                code=WarningCode.UNCOVERED_TASKS,
                text=f"{coverage.uncovered_share:.0%} of the traffic is on tasks without scores of "
                f"both versions ({names})",
            )
        )
    return (*found, *_little_known(strata, thresholds=thresholds))


def _little_known(strata: Sequence[Stratum], *, thresholds: Thresholds) -> list[Caution]:
    """Return a caution for each part of quality that is known of few requests of a side.

    Who answers may differ from who doesn't, also where equally many do: no count shows that.
    """
    found = []
    sides = [[stratum.current for stratum in strata], [stratum.candidate for stratum in strata]]
    days = [[day for arm in arms for day in arm.days] for arms in sides]
    names = {name for arms in sides for arm in arms for day in arm.days for name in day.components}
    for name in sorted(names):
        current, candidate = (Moments.total(arm.component(name) for arm in arms) for arms in sides)
        if not current.n or not candidate.n:
            continue
        shares = (
            current.n / sum(_may_be_known(day, name, thresholds) for day in days[0]),
            candidate.n / sum(_may_be_known(day, name, thresholds) for day in days[1]),
        )
        if exact(min(shares)) < thresholds.min_quality_coverage:
            hidden = bounds(
                share_current=shares[0],
                mean_current=current.mean,
                share_candidate=shares[1],
                mean_candidate=candidate.mean,
            )
            found.append(
                Caution(
                    code=WarningCode.LOW_QUALITY_COVERAGE,
                    text=f"only {min(shares):.0%} of the answered requests have {_what(name)}: "
                    f"those without may differ; {hidden.words}",
                )
            )
    return found


def _what(name: str) -> str:
    return "a score" if name == QUALITY else name.replace("_", " ")


def unequal_coverage(strata: Sequence[Stratum], *, thresholds: Thresholds) -> tuple[Caution, ...]:
    """Return a doubt for each thing of which more is known of one version than of the other."""
    days = [
        pair
        for stratum in strata
        for pair in _same_days(stratum.current.days, stratum.candidate.days)
    ]
    names = sorted({name for pair in days for day in pair for name in day.components})
    found = []
    for name in names:
        cells = [_cell(*pair, name=name, thresholds=thresholds) for pair in days]
        seen = shares(cells, alpha=COVERAGE_RISK / len(names))
        if seen is not None and seen.are_unequal:
            found.append(_unequal(name, seen, _hidden(strata, seen, name=name)))
    return tuple(found)


def told_of_few(strata: Sequence[Stratum], *, thresholds: Thresholds) -> tuple[Caution, ...]:
    """Return cautions of limited figures that samples tell as true or false, if they tell it.

    A doubt where it is told of more of one version's answered requests than of the other's, a
    warning where it is told of few: those of which it isn't may differ.
    """
    limited = [
        each for each in TOLD_RATES if each.gated and thresholds.limit_of(each.gated) is not None
    ]
    return tuple(
        caution
        for figure in limited
        for caution in _told_of_few(
            strata, figure, thresholds=thresholds, alpha=COVERAGE_RISK / len(limited)
        )
    )


def _told_of_few(
    strata: Sequence[Stratum], figure: Figure, *, thresholds: Thresholds, alpha: float
) -> list[Caution]:
    cells = [
        KnownCounts(
            n_current=current.n - current.errors,
            known_current=current.rates.get(figure.name, Rate()).n,
            n_candidate=candidate.n - candidate.errors,
            known_candidate=candidate.rates.get(figure.name, Rate()).n,
        )
        for stratum in strata
        for current, candidate in _same_days(stratum.current.days, stratum.candidate.days)
    ]
    seen = shares(cells, alpha=alpha)
    if seen is None or not min(seen.current, seen.candidate):
        return []  # the gate says that nobody tells it
    what = figure.field.name if figure.field else figure.name
    if seen.are_unequal:
        text = (
            f"{seen.current:.0%} of the current version's answered requests tell {what}, but "
            f"{seen.candidate:.0%} of the candidate's: those without may differ, so tell it alike"
        )
        return [Caution(code=WarningCode.UNEQUAL_COVERAGE, text=text)]
    least = min(seen.current, seen.candidate)
    if exact(least) >= thresholds.min_quality_coverage:
        return []
    text = f"only {least:.0%} of the answered requests tell {what}: those without may differ"
    return [Caution(code=WarningCode.LOW_COVERAGE, text=text)]


def _unequal(name: str, seen: Shares, hidden: Bounds) -> Caution:
    if not min(seen.current, seen.candidate):
        # What none has can't be compared: what it may be like would be said of nothing.
        told, of = ("the candidate", "the current version")
        if seen.candidate:
            told, of = of, told
        share = max(seen.current, seen.candidate)
        return Caution(
            code=WarningCode.UNEQUAL_COVERAGE,
            text=f"{share:.0%} of {of}'s answered requests have {_what(name)}, none of {told}'s: "
            "ask for it alike",
        )
    return Caution(
        code=WarningCode.UNEQUAL_COVERAGE,
        text=f"{seen.current:.0%} of the current version's answered requests have {_what(name)}, "
        f"{seen.candidate:.0%} of the candidate's: ask for it alike; {hidden.words}",
    )


def _same_days(current: Sequence[Day], candidate: Sequence[Day]) -> list[tuple[Day, Day]]:
    by_number = {day.number: day for day in candidate}
    return [(day, by_number[day.number]) for day in current if day.number in by_number]


def _cell(current: Day, candidate: Day, *, name: str, thresholds: Thresholds) -> KnownCounts:
    return KnownCounts(
        n_current=_may_be_known(current, name, thresholds),
        known_current=current.components[name].n if name in current.components else 0,
        n_candidate=_may_be_known(candidate, name, thresholds),
        known_candidate=candidate.components[name].n if name in candidate.components else 0,
    )


def _may_be_known(day: Day, name: str, thresholds: Thresholds) -> int:
    """Return of how many requests it may be known: of those that were answered.

    A request that failed hides nothing where a limit judges errors: it is known to have failed.
    Where failures are scored as well, they are among those of which it is known.
    """
    if ERRORS.gated is None or thresholds.limit_of(ERRORS.gated) is None:
        return day.n
    known = day.components[name].n if name in day.components else 0
    return max(day.n - day.errors, known)


def _hidden(strata: Sequence[Stratum], seen: Shares, *, name: str) -> Bounds:
    current = Moments.total(stratum.current.component(name) for stratum in strata)
    candidate = Moments.total(stratum.candidate.component(name) for stratum in strata)
    return bounds(
        share_current=seen.current,
        mean_current=current.mean,
        share_candidate=seen.candidate,
        mean_candidate=candidate.mean,
    )


def unlikeness(
    *, strata: Sequence[Stratum], slices: Mapping[str, Sequence[Stratum]]
) -> tuple[Caution, ...]:
    """Return in what the two versions' requests of the same days differ, tasks aside."""
    found = []
    hours = other_hours(strata)
    if hours:
        found.append(
            Caution(
                code=WarningCode.OTHER_HOURS,
                text=f"{hours:.0%} of the candidate's requests came at other hours of the day than "
                "the current version's: let both serve in the same hours",
            )
        )
    tags = other_tags(strata, slices=slices)
    if tags:
        found.append(
            Caution(
                code=WarningCode.OTHER_TAGS,
                text=f"{tags:.0%} of the candidate's requests have other declared tags than the "
                "current version's: compare slice by slice",
            )
        )
    return tuple(found)


ERRORS = next(figure for figure in FIGURES if figure.name == "errors")

COVERAGE_RISK = 0.05
"""Risk of calling equal shares unequal, over all looks and all signals together."""

LEAST_POINTS = 0.02
LEAST_ODDS = 1.25
"""How far shares must be apart to matter: by points, and by the odds of being known."""

LEAST_CELLS = 7
"""Cells below which nothing is said: users who always answer come in clumps, and fewer cells
don't show how large these are. Nothing moves in less than a week anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCounts:
    """How many requests of one day and task each version had, and of how many it is known."""

    n_current: int
    known_current: int
    n_candidate: int
    known_candidate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The shares of requests of which it is known, 0 to 1, over days and tasks of both.

    `half` is the half-width of their difference, good at every look.
    """

    current: float
    candidate: float
    half: float

    @property
    def are_unequal(self) -> bool:
        """Whether the shares surely differ, and by enough to matter."""
        apart = abs(self.candidate - self.current)
        if apart <= self.half or apart < LEAST_POINTS:
            return False
        low, high = sorted((self.current, self.candidate))
        return high * (1 - low) >= LEAST_ODDS * low * (1 - high)


def shares(cells: Sequence[KnownCounts], *, alpha: float = COVERAGE_RISK) -> Shares | None:
    """Compare what is known of both on the days and tasks that both have; None without any.

    Cell by cell, so that what changes for both (a survey that begins, a quiet weekend) cancels:
    Cochran-Mantel-Haenszel weights n m / (n + m), the variance of a share or that between cells
    (users who always answer come in clumps), whichever is more.
    """
    both = [cell for cell in cells if cell.n_current and cell.n_candidate]
    if not both:
        return None
    weights = [_weight(cell) for cell in both]
    total = math.fsum(weights)
    current = math.fsum(
        w * c.known_current / c.n_current for w, c in zip(weights, both, strict=True)
    )
    candidate = math.fsum(
        w * c.known_candidate / c.n_candidate for w, c in zip(weights, both, strict=True)
    )
    apart = (candidate - current) / total
    variance = math.fsum(w * _pooled(c) for w, c in zip(weights, both, strict=True)) / total**2
    scatter = math.fsum(w**2 * (_apart(c) - apart) ** 2 for w, c in zip(weights, both, strict=True))
    # Student's excess over the normal, about: a few cells' scatter is often too small.
    excess = (len(both) + 1) / max(1, len(both) - 3)
    variance = max(variance, scatter / total**2 * excess)
    reach = 4 * total
    return Shares(
        current=current / total,
        candidate=candidate / total,
        half=math.inf
        if reach < 2 * FLOOR or len(both) < LEAST_CELLS
        else half_width(n=reach, variance=variance, alpha=alpha),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the difference (candidate minus current) of all requests may be, known or not."""

    as_failures: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """For a sentence."""
        return (
            f"if all without it were failures the difference would be {self.as_failures:+.2f}, "
            f"whatever they are {self.low:+.2f} to {self.high:+.2f}"
        )


def bounds(
    *, share_current: float, mean_current: float, share_candidate: float, mean_candidate: float
) -> Bounds:
    """Return the worst and the best that requests without a score could make of a difference.

    Scores lie between 0 and 1, so the mean over all lies between c m and c m + 1 - c (Manski,
    "Nonparametric bounds on treatment effects", 1990).
    """
    current, candidate = share_current * mean_current, share_candidate * mean_candidate
    return Bounds(
        as_failures=candidate - current,
        low=candidate - current - (1 - share_current),
        high=candidate - current + (1 - share_candidate),
    )


def _weight(cell: KnownCounts) -> float:
    return cell.n_current * cell.n_candidate / (cell.n_current + cell.n_candidate)


def _pooled(cell: KnownCounts) -> float:
    """Return the variance of one request's being known; never zero, as for equal scores."""
    n = cell.n_current + cell.n_candidate
    share = (cell.known_current + cell.known_candidate + 0.5) / (n + 1)
    return share * (1 - share)


def _apart(cell: KnownCounts) -> float:
    return cell.known_candidate / cell.n_candidate - cell.known_current / cell.n_current


def _on_the_mix(distance: float) -> str:
    """Say what two versions' different tasks mean for the figures; the distance is from 0 to 1."""
    if distance > ALL_BUT_NOTHING:
        return "the versions have no task in common: nothing of them can be compared"
    return f"the versions' mix of tasks differs by {distance:.0%}: so all is compared task by task"
