"""Warnings beside a comparison: numbers that are there, but doubtful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .comparison import Caution, QualityFigures, WarningCode
from .evidence import Coverage, Stratum
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
                text=f"only {share:.0%} of the requests have a score: those without may differ",
            )
        )
    return tuple(found)


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
