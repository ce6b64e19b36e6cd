"""Is the candidate better on live samples, and what should be done?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .cautions import cautions
from .comparison import (
    Comparison,
    Decision,
    PartVerdict,
    QualityFigures,
)
from .decision import decide
from .evidence import (
    Arm,
    Difference,
    Stratum,
    covered,
    difference,
    quality_sides,
)
from .gates import Gate, GateStatus, check_gates
from .judgement import Judgement, Needed, Verdict, counted, judge, judge_nothing
from .sentences import quality_sentence
from .sequence import METHOD
from .thresholds import PerDay, Split, Thresholds, exact, rise

__all__ = [
    "Arm",
    "Comparison",
    "Decision",
    "Gate",
    "GateStatus",
    "Needed",
    "PerDay",
    "Slice",
    "Split",
    "Stratum",
    "Thresholds",
    "Verdict",
    "compare",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Requests with a declared tag, such as language=de, task by task."""

    name: str
    strata: tuple[Stratum, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quality:
    """Quality over some tasks: the figures and what they say."""

    figures: QualityFigures
    judgement: Judgement


def compare(
    *,
    strata: Sequence[Stratum],
    thresholds: Thresholds,
    per_day: PerDay | None = None,
    slices: Sequence[Slice] = (),
    split: Split | None = None,
) -> Comparison:
    """Compare a candidate with the current version on live samples; safe at every look.

    `strata` has each task once. `per_day` (requests a day of each side) turns needed samples into
    days. `slices` are judged beside the whole: a worse one blocks. `split` is the canary's
    intended share with the counts since it began. Raise ValueError when a task comes twice.
    """
    if len({stratum.task for stratum in strata}) < len(strata):
        raise ValueError("Each task comes once.")
    coverage = covered(strata, counted=lambda arm: arm.quality.n)
    alpha = thresholds.alpha
    whole = _quality(strata=strata, thresholds=thresholds, alpha=alpha, per_day=per_day)
    tasks = _task_verdicts(strata=strata, thresholds=thresholds, per_day=per_day)
    parts = tuple(
        _part(
            name=part.name,
            strata=part.strata,
            thresholds=thresholds,
            alpha=alpha / len(slices),
            per_day=_part_of_traffic(per_day, part.strata, strata),
        )
        for part in slices
    )
    gates = check_gates(strata=strata, thresholds=thresholds, per_day=per_day)
    warnings = cautions(
        strata=strata, coverage=coverage, figures=whole.figures, thresholds=thresholds, split=split
    )
    decision, reasons = decide(
        quality=whole.figures,
        judgement=whole.judgement,
        thresholds=thresholds,
        gates=gates,
        parts=tasks + parts,
        uncovered_share=exact(coverage.uncovered_share),
        warnings=warnings,
    )
    return Comparison(
        verdict=whole.judgement.verdict,
        decision=decision,
        reasons=reasons,
        sentence=quality_sentence(
            quality=whole.figures, judgement=whole.judgement, alpha=alpha, tasks=tasks
        ),
        quality=whole.figures,
        judgement=whole.judgement,
        method=METHOD,
        alpha=alpha,
        alpha_split=_alpha_split(gates=gates, tasks=tasks, slices=slices),
        tasks=tasks,
        slices=parts,
        gates=gates,
        warnings=warnings,
        uncovered_tasks=tuple(stratum.task for stratum in coverage.uncovered),
        uncovered_share=coverage.uncovered_share,
    )


def _task_verdicts(
    *, strata: Sequence[Stratum], thresholds: Thresholds, per_day: PerDay | None
) -> tuple[PartVerdict, ...]:
    return tuple(
        _part(
            name=stratum.task,
            strata=(stratum,),
            thresholds=thresholds,
            alpha=thresholds.alpha / len(strata),
            per_day=_part_of_traffic(per_day, (stratum,), strata),
        )
        for stratum in strata
    )


def _part(
    *,
    name: str,
    strata: Sequence[Stratum],
    thresholds: Thresholds,
    alpha: float,
    per_day: PerDay | None,
) -> PartVerdict:
    found = _quality(strata=strata, thresholds=thresholds, alpha=alpha, per_day=per_day)
    return PartVerdict(name=name, quality=found.figures, judgement=found.judgement)


def _quality(
    *, strata: Sequence[Stratum], thresholds: Thresholds, alpha: float, per_day: PerDay | None
) -> _Quality:
    coverage = covered(strata, counted=lambda arm: arm.quality.n)
    share_current = _scored([stratum.current for stratum in strata])
    share_candidate = _scored([stratum.candidate for stratum in strata])
    scores = None
    if per_day is not None:
        scores = PerDay(
            current=per_day.current * share_current,
            candidate=per_day.candidate * share_candidate,
        )
    found = difference(quality_sides(coverage)) if coverage.shared else None
    if found is None:
        judgement = judge_nothing(
            n_current=sum(stratum.current.quality.n for stratum in strata),
            n_candidate=sum(stratum.candidate.quality.n for stratum in strata),
            per_day=scores,
        )
    else:
        judgement = judge(
            difference=found, alpha=alpha, margin=thresholds.not_worse_margin, per_day=scores
        )
    return _Quality(
        figures=_figures(found, share_current=share_current, share_candidate=share_candidate),
        judgement=judgement,
    )


def _figures(
    found: Difference | None, *, share_current: float, share_candidate: float
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
        coverage_current=share_current,
        coverage_candidate=share_candidate,
    )


def _scored(arms: Sequence[Arm]) -> float:
    """Return the share of requests with a score; 0 without requests."""
    requests = sum(arm.n for arm in arms)
    return sum(arm.quality.n for arm in arms) / requests if requests else 0.0


def _part_of_traffic(
    per_day: PerDay | None, part: Sequence[Stratum], whole: Sequence[Stratum]
) -> PerDay | None:
    """Return the requests a day of some tasks, if their share stays as it was."""
    if per_day is None:
        return None
    current = sum(stratum.current.n for stratum in whole)
    candidate = sum(stratum.candidate.n for stratum in whole)
    return PerDay(
        current=per_day.current * sum(s.current.n for s in part) / max(1, current),
        candidate=per_day.candidate * sum(s.candidate.n for s in part) / max(1, candidate),
    )


def _alpha_split(
    *, gates: Sequence[Gate], tasks: Sequence[PartVerdict], slices: Sequence[Slice]
) -> str:
    """Name the correction: see docs/statistics.md for why quality keeps a half."""
    groups = [(len(gates), "gate"), (len(slices), "slice")]
    if len(tasks) > 1:
        groups.insert(1, (len(tasks), "task"))
    shared = [f"{counted(size, noun)} alpha / {size} each" for size, noun in groups if size]
    return f"Bonferroni: {', '.join(['quality alpha (two-sided)', *shared])}"
