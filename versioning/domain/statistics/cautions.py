"""Warnings beside a comparison: numbers that are there, but doubtful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .comparison import Caution, QualityFigures, WarningCode
from .coverage import RISK, Bounds, Cell, Shares, bounds, shares
from .evidence import QUALITY, Coverage, Day, Stratum
from .moments import Moments
from .population import mix_distance, mix_has_shifted, other_hours, other_tags, split_is_off
from .thresholds import Split, Thresholds, exact


def cautions(
    *,
    strata: Sequence[Stratum],
    coverage: Coverage,
    figures: QualityFigures,
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
    share = min(figures.coverage_current, figures.coverage_candidate)
    if exact(share) < thresholds.min_quality_coverage:
        found.append(
            Caution(
                code=WarningCode.LOW_QUALITY_COVERAGE,
                text=f"only {share:.0%} of the requests have a score: those without may differ"
                + _what_it_hides(figures),
            )
        )
    return tuple(found)


def _what_it_hides(figures: QualityFigures) -> str:
    if figures.current is None or figures.candidate is None:
        return ""
    hidden = bounds(
        share_current=figures.coverage_current,
        mean_current=float(figures.current),
        share_candidate=figures.coverage_candidate,
        mean_candidate=float(figures.candidate),
    )
    return f"; {hidden.words}"


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
    what = "a score" if name == QUALITY else name.replace("_", " ")
    return Caution(
        code=WarningCode.UNEQUAL_COVERAGE,
        text=f"{seen.current:.0%} of the current version's requests have {what}, but "
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
