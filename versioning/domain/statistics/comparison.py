"""Is the candidate better on live samples, and what should be done? Said in words, too."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from .cautions import (
    Caution,
    Coverage,
    WarningCode,
    cautions,
    told_of_few,
    unequal_coverage,
    unlikeness,
)
from .decision import Decision, decide, harm_unseen
from .figures import change, counted, exact
from .gates import Gate, GateStatus, check_gates
from .inputs import (
    WEIGHTS,
    Basis,
    Meeting,
    PerDay,
    Slice,
    Split,
    Stratum,
    Thresholds,
    cut_like,
    meeting,
)
from .verdict import Judgement, Needed, PartVerdict, Quality, QualityFigures, Verdict, quality

_DIGITS = 6

METHOD = "differences of days, asymptotic confidence sequence"


METHOD_VERSION = "5"
"""Raised whenever the same samples may get another verdict; stored with each evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A candidate against the current version, with everything a decision rests on.

    `basis` and `shared_days` say whether, and on how many days, both served side by side;
    `afterwards` is what the candidate did after the last such day, before / after. `harm_unseen`
    says why harm couldn't have been seen yet, or what looks like it; empty where neither is so.
    """

    verdict: Verdict
    decision: Decision
    reasons: tuple[str, ...]
    sentence: str
    quality: QualityFigures
    judgement: Judgement
    basis: Basis
    shared_days: int
    method: str
    method_version: str
    alpha: float
    alpha_split: str
    tasks: tuple[PartVerdict, ...]
    slices: tuple[PartVerdict, ...]
    gates: tuple[Gate, ...]
    afterwards: PartVerdict | None
    warnings: tuple[Caution, ...]
    harm_unseen: tuple[str, ...]
    uncovered_tasks: tuple[str, ...]
    uncovered_share: float

    @property
    def estimate(self) -> float | None:
        """The difference of quality in points, candidate minus current."""
        return self.judgement.estimate

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval of the difference, in points."""
        low, high = self.judgement.low, self.judgement.high
        return None if low is None or high is None else (low, high)

    @property
    def needed(self) -> Needed | None:
        """How many more samples would settle it; None when it is settled."""
        return self.judgement.needed

    @property
    def worse_tasks(self) -> tuple[str, ...]:
        """Tasks on which the candidate is worse, whatever the average says."""
        return tuple(part.name for part in self.tasks if part.verdict is Verdict.WORSE)

    @property
    def worse_slices(self) -> tuple[str, ...]:
        """Declared slices in which the candidate is worse, whatever the average says."""
        return tuple(part.name for part in self.slices if part.verdict is Verdict.WORSE)

    @property
    def headline(self) -> str:
        """The decision with its first reason and its proof in one line."""
        why = f" ({self.reasons[0]})" if self.reasons else ""
        return f"{self.decision.value}{why}: {self.sentence}"

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison for JSON, always in the same order, so that it can be hashed.

        Floats are rounded to six significant digits (below the method's own precision), decimals
        are strings, a missing end of an interval is None.
        """
        plain = {
            field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)
        }
        return plain | {
            "worse_tasks": list(self.worse_tasks),
            "worse_slices": list(self.worse_slices),
            "headline": self.headline,
        }


def _plain(value: object) -> object:
    """Turn a value of this package into what JSON has."""
    if dataclasses.is_dataclass(value):
        plain = {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
        # Stored evidence keeps its words: what is needed may be said otherwise one day.
        return plain | {"words": value.words} if isinstance(value, Needed) else plain
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    return value


def _decimal_text(value: Decimal) -> str:
    """Return six significant digits without exponent: the same text for 0.10 and 0.1."""
    text = f"{Decimal(f'{value:.{_DIGITS}g}'):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


_MOST_TASKS = 5


def quality_sentence(
    *,
    quality: QualityFigures,
    judgement: Judgement,
    alpha: float,
    tasks: Sequence[PartVerdict],
    basis: Basis,
    days: int,
) -> str:
    """Return what is claimed of quality, on what it rests, how surely, and on which tasks.

    "Better: quality 0.75 -> 0.85 (+0.10, 95 % interval from +0.07 to +0.13: +13 %), side by side
    on 14 days, 412 samples; on summarise better, on extract not enough data: about 340 more
    samples"
    """
    claim = _so(judgement)
    claim = claim[0].upper() + claim[1:]
    if quality.current is None or quality.candidate is None:
        return claim
    if judgement.low is None or judgement.high is None:
        return claim
    changed = change(
        before=float(quality.current),
        after=float(quality.candidate),
        low=judgement.low,
        high=judgement.high,
        alpha=alpha,
        relative=None if quality.relative is None else float(quality.relative),
    )
    samples = counted(quality.n_current + quality.n_candidate, "sample")
    met = f"side by side on {counted(days, 'day')}"
    return (
        f"{claim}{'; ' if judgement.needed is not None else ': '}quality {changed}, "
        f"{met if basis is Basis.SIDE_BY_SIDE else basis.words}, {samples}{_on_tasks(tasks)}"
    )


def _on_tasks(tasks: Sequence[PartVerdict]) -> str:
    if len(tasks) < 2:
        return ""
    # What needs attention first: the list may be cut.
    telling = sorted(tasks, key=lambda part: part.verdict.attention)
    words = ", ".join(f"on {part.name} {_so(part.judgement)}" for part in telling[:_MOST_TASKS])
    more = len(tasks) - _MOST_TASKS
    return f"; {words}, and {counted(more, 'more task')}" if more > 0 else f"; {words}"


def _so(judgement: Judgement) -> str:
    words = judgement.verdict.words
    return words if judgement.needed is None else f"{words}: {judgement.needed.words}"


AFTERWARDS = "the days after the last one side by side"


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
    uneven = unequal_coverage(met.strata, thresholds=thresholds)
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
        unlike=(*unlike, *uneven, *told_of_few(met.strata, thresholds=thresholds)),
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
