"""Warnings beside a comparison: numbers that are there, but doubtful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .comparison import Caution, WarningCode
from .coverage import RISK, Bounds, Cell, Shares, bounds, shares
from .evidence import QUALITY, Coverage, Day, Stratum
from .moments import Moments
from .population import mix_distance, mix_has_shifted, other_hours, other_tags, split_is_off
from .thresholds import Split, Thresholds, exact


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
                text=f"{mix_distance(strata):.0%} of the candidate's requests are for other tasks "
                "than the current version's: only the verdicts task by task compare like with like",
            )
        )
    if coverage.uncovered:
        names = ", ".join(stratum.task for stratum in coverage.uncovered[:5])
        found.append(
            Caution(
                code=WarningCode.UNCOVERED_TASKS,
                text=f"{coverage.uncovered_share:.0%} of the traffic is on tasks without scores of "
                f"both versions ({names}): nothing is known of these",
            )
        )
    return (*found, *_little_known(strata, thresholds=thresholds))


def _little_known(strata: Sequence[Stratum], *, thresholds: Thresholds) -> list[Caution]:
    """Return a caution for each part of quality that is known of few requests of a side.

    Who answers may differ from who doesn't, also where equally many do: no count shows that.
    """
    found = []
    sides = [[stratum.current for stratum in strata], [stratum.candidate for stratum in strata]]
    requests = [sum(arm.n for arm in arms) for arms in sides]
    names = {name for arms in sides for arm in arms for day in arm.days for name in day.components}
    for name in sorted(names):
        current, candidate = (Moments.total(arm.component(name) for arm in arms) for arms in sides)
        if not current.n or not candidate.n:
            continue
        shares = current.n / requests[0], candidate.n / requests[1]
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
                    text=f"only {min(shares):.0%} of the requests have {_what(name)}: those "
                    f"without may differ; {hidden.words}",
                )
            )
    return found


def _what(name: str) -> str:
    return "a score" if name == QUALITY else name.replace("_", " ")


def unequal_coverage(strata: Sequence[Stratum]) -> tuple[Caution, ...]:
    """Return a doubt for each thing of which more is known of one version than of the other."""
    days = [
        pair
        for stratum in strata
        for pair in _same_days(stratum.current.days, stratum.candidate.days)
    ]
    names = sorted({name for pair in days for day in pair for name in day.components})
    found = []
    for name in names:
        seen = shares([_cell(*pair, name=name) for pair in days], alpha=RISK / len(names))
        if seen is not None and seen.are_unequal:
            found.append(_unequal(name, seen, _hidden(strata, seen, name=name)))
    return tuple(found)


def _unequal(name: str, seen: Shares, hidden: Bounds) -> Caution:
    return Caution(
        code=WarningCode.UNEQUAL_COVERAGE,
        text=f"{seen.current:.0%} of the current version's requests have {_what(name)}, but "
        f"{seen.candidate:.0%} of the candidate's: those without may differ, so ask for it alike; "
        f"{hidden.words}",
    )


def _same_days(current: Sequence[Day], candidate: Sequence[Day]) -> list[tuple[Day, Day]]:
    by_number = {day.number: day for day in candidate}
    return [(day, by_number[day.number]) for day in current if day.number in by_number]


def _cell(current: Day, candidate: Day, *, name: str) -> Cell:
    return Cell(
        n_current=current.n,
        known_current=current.components[name].n if name in current.components else 0,
        n_candidate=candidate.n,
        known_candidate=candidate.components[name].n if name in candidate.components else 0,
    )


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
                "current version's: only the verdicts slice by slice compare like with like",
            )
        )
    return tuple(found)
