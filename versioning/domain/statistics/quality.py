"""Quality of two versions: compared component by component, then weighed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .comparison import QualityFigures
from .contrast import Basis, Difference, Group, difference, groups_of, shared_out
from .evidence import Arm, Stratum
from .judgement import Judgement, judge, judge_nothing
from .moments import Moments
from .thresholds import PerDay, Thresholds, exact, rise

COMMON_LEVEL = 0.1
"""Points by which quality may have changed for everybody: between before and after, or where the
two versions' requests are not alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Quality over some tasks: the figures, what they say, and on which tasks and days it rests."""

    figures: QualityFigures
    judgement: Judgement
    tasks: frozenset[str]
    days: int


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
        parts = []
        for name, weight in weights.items():
            (*groups,) = groups_of(
                (stratum,),
                values=lambda _s, day, _c, name=name: day.components.get(name, Moments()),  # type: ignore[misc]
                basis=basis,
            )
            parts += [replace(group, share=weight) for group in groups if weight > 0]
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
    told = [(weights.get(name, 0.0), one.mean) for name, one in components.items() if one.n]
    total = math.fsum(weight for weight, _ in told)
    return math.fsum(weight * mean for weight, mean in told) / total if total else None


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
