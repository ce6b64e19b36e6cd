"""Is the candidate better on live samples, and what should be done?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .cautions import cautions, unequal_coverage, unlikeness
from .comparison import Comparison, Decision, PartVerdict, WarningCode
from .contrast import Basis
from .decision import decide, harm_unseen
from .evidence import WEIGHTS, Arm, Coverage, Day, Stratum
from .gates import Gate, GateStatus, check_gates
from .judgement import Verdict, counted
from .meeting import Meeting, cut_like, meeting
from .needed import Needed
from .quality import Quality, quality
from .sentences import quality_sentence
from .sequence import METHOD, METHOD_VERSION
from .thresholds import PerDay, Split, Thresholds, exact

__all__ = [
    "Arm",
    "Comparison",
    "Day",
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

AFTERWARDS = "the days after the last one side by side"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Requests with a declared tag, such as language=de, task by task."""

    name: str
    strata: tuple[Stratum, ...]


def compare(
    *,
    strata: Sequence[Stratum],
    thresholds: Thresholds,
    per_day: PerDay | None = None,
    slices: Sequence[Slice] = (),
    split: Split | None = None,
    weights: Mapping[str, float] = WEIGHTS,
) -> Comparison:
    """Compare a candidate with the current version on live samples; safe at every look.

    Side by side on the days that both served; where they hardly did, before and after, which is
    never enough for a move. `strata` has each task once. `per_day` (requests a day of each side)
    turns needed samples into days. `slices` are judged beside the whole: a worse one blocks.
    `split` is the canary's intended share with the counts since it began. `weights` are those of
    the components of quality. Raise ValueError when a task comes twice.
    """
    if len({stratum.task for stratum in strata}) < len(strata):
        raise ValueError("Each task comes once.")
    met = meeting(strata)
    tagged = {part.name: cut_like(part.strata, basis=met.basis) for part in slices}
    unlike = unlikeness(strata=met.strata, slices=tagged) if met.shared_days else ()
    uneven = unequal_coverage(met.strata)
    look = _Look(
        met=met, alike=not unlike, as_known=not uneven, weights=weights, thresholds=thresholds
    )
    # A slice's requests all have its tag, so only other hours make them unlike.
    same_hours = all(caution.code is not WarningCode.OTHER_HOURS for caution in unlike)
    sliced = replace(look, alike=same_hours)
    whole = look.quality(met.strata, alpha=thresholds.alpha, per_day=per_day)
    tasks = tuple(
        look.part(stratum.task, (stratum,), of=len(strata), per_day=per_day)
        for stratum in met.strata
    )
    parts = tuple(
        sliced.part(name, cut, of=len(slices), per_day=per_day) for name, cut in tagged.items()
    )
    gates = look.gates(per_day=per_day)
    afterwards, late = look.afterwards()
    coverage = _coverage(strata, tasks=whole.tasks)
    warnings = cautions(
        strata=met.strata,
        coverage=coverage,
        thresholds=thresholds,
        split=split,
        unlike=(*unlike, *uneven),
    )
    decision, reasons = decide(
        quality=whole.figures,
        judgement=whole.judgement,
        thresholds=thresholds,
        gates=gates + late,
        parts=tasks + parts + ((afterwards,) if afterwards else ()),
        uncovered_share=exact(coverage.uncovered_share),
        warnings=warnings,
        basis=met.basis,
    )
    return Comparison(
        verdict=whole.judgement.verdict,
        decision=decision,
        reasons=reasons,
        sentence=quality_sentence(
            quality=whole.figures,
            judgement=whole.judgement,
            alpha=thresholds.alpha,
            tasks=tasks,
            basis=met.basis,
            days=whole.days,
        ),
        quality=whole.figures,
        judgement=whole.judgement,
        basis=met.basis,
        shared_days=met.shared_days,
        method=METHOD,
        method_version=METHOD_VERSION,
        alpha=thresholds.alpha,
        alpha_split=_alpha_split(gates=gates, tasks=tasks, slices=slices),
        tasks=tasks,
        slices=parts,
        gates=gates + late,
        afterwards=afterwards,
        warnings=warnings,
        harm_unseen=harm_unseen(
            quality=whole.figures,
            judgement=whole.judgement,
            thresholds=thresholds,
            gates=gates,
            warnings=warnings,
            basis=met.basis,
        ),
        uncovered_tasks=tuple(stratum.task for stratum in coverage.uncovered),
        uncovered_share=coverage.uncovered_share,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One comparison: what all its parts have in common."""

    met: Meeting
    alike: bool
    """Whether the requests of both are of one kind."""
    as_known: bool
    """Whether as much is known of one's requests as of the other's: scores are of the same ones."""
    weights: Mapping[str, float]
    thresholds: Thresholds

    def quality(
        self,
        strata: Sequence[Stratum],
        *,
        alpha: float,
        per_day: PerDay | None,
        basis: Basis | None = None,
    ) -> Quality:
        return quality(
            strata=strata,
            basis=basis or self.met.basis,
            alike=self.alike and self.as_known,
            weights=self.weights,
            thresholds=self.thresholds,
            alpha=alpha,
            per_day=per_day,
        )

    def part(
        self, name: str, strata: Sequence[Stratum], *, of: int, per_day: PerDay | None
    ) -> PartVerdict:
        """Judge one of so many tasks or slices, with its part of alpha."""
        found = self.quality(
            strata,
            alpha=self.thresholds.alpha / of,
            per_day=_part_of_traffic(per_day, strata, self.met.strata),
        )
        return PartVerdict(name=name, quality=found.figures, judgement=found.judgement)

    def gates(self, *, per_day: PerDay | None) -> tuple[Gate, ...]:
        return check_gates(
            strata=self.met.strata,
            thresholds=self.thresholds,
            per_day=per_day,
            basis=self.met.basis,
            alike=self.alike,
        )

    def afterwards(self) -> tuple[PartVerdict | None, tuple[Gate, ...]]:
        """Judge the days on which only the candidate served, and the gates that fail there."""
        strata = self.met.afterwards
        if not strata:
            return None, ()
        found = self.quality(
            strata, alpha=self.thresholds.alpha, per_day=None, basis=Basis.BEFORE_AFTER
        )
        gates = check_gates(
            strata=strata, thresholds=self.thresholds, basis=Basis.BEFORE_AFTER, alike=False
        )
        part = PartVerdict(name=AFTERWARDS, quality=found.figures, judgement=found.judgement)
        return part, tuple(gate for gate in gates if gate.status is GateStatus.FAILED)


def _coverage(strata: Sequence[Stratum], *, tasks: frozenset[str]) -> Coverage:
    """Say which tasks of the current version have scores of both, and which have not."""
    traffic = sum(stratum.current.n for stratum in strata)
    uncovered = tuple(s for s in strata if s.current.n and s.task not in tasks)
    outside = sum(stratum.current.n for stratum in uncovered)
    return Coverage(uncovered=uncovered, uncovered_share=outside / traffic if traffic else 0.0)


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
