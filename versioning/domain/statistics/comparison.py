"""The outcome of a comparison: a value that can be shown, stored and hashed."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from .contrast import Basis
from .gates import Gate
from .judgement import Judgement, Verdict
from .needed import Needed

_DIGITS = 6


class Decision(StrEnum):
    """What to do about it."""

    UPGRADE = "UPGRADE"
    STAY = "STAY"
    NOT_ENOUGH_EVIDENCE = "NOT ENOUGH EVIDENCE"
    BLOCKED = "BLOCKED"


class WarningCode(StrEnum):
    """What makes the numbers doubtful although they are there."""

    SAMPLE_RATIO_MISMATCH = "sample_ratio_mismatch"
    POPULATION_SHIFT = "population_shift"
    LOW_QUALITY_COVERAGE = "low_quality_coverage"
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

UNLIKE_BEGINNINGS = frozenset({WarningCode.OTHER_HOURS})
"""Doubts that the first hours of a canary always give: it began in the middle of a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """A warning with its sentence."""

    code: WarningCode
    text: str


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
class PartVerdict:
    """The verdict on one task or one slice, corrected for how many there are."""

    name: str
    quality: QualityFigures
    judgement: Judgement

    @property
    def verdict(self) -> Verdict:
        """Better, not worse, worse or not enough data."""
        return self.judgement.verdict


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
