"""What changed, as a row of intervals: one small plot a figure, its limit drawn in.

Each figure has a scale of its own, for their units differ, and shares it with the rows of its
tasks; no change is always in the same place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from versioning.admin import words
from versioning.admin.drawing import Scale
from versioning.domain.evidence import (
    Evidence,
    KeptFigures,
    KeptGate,
    KeptJudgement,
    KeptPart,
    change_of,
)
from versioning.domain.figure_kinds import Figure, Gated, Unit
from versioning.domain.figures import FIGURES
from versioning.domain.statistics.figures import (
    Change,
    hundredths,
    per_thousand,
    points,
    significant,
)
from versioning.domain.statistics.gates import GateStatus, passes_below
from versioning.domain.statistics.inputs import Thresholds
from versioning.domain.statistics.verdict import Verdict

WIDTH, HEIGHT = 300.0, 28.0
MARGIN = float(Thresholds().not_worse_margin)
ROOM = 1.12
"""How far a scale goes beyond what it shows."""

FARTHEST_PART = 5.0
"""How many times as far as a figure's own row its tasks may widen the scale that they share: what
one of few scores may be is no reason to draw the figure itself as a point."""

SIGNS = {"good": "✓", "bad": "✕", "warn": "?", "plain": "?"}
QUALITY, COST = "quality", "cost_per_success"
GATES = {each.gated.name: each.gated for each in FIGURES if each.gated}
RATES = {each.gated.name for each in FIGURES if each.gated and each.rate}
OF_GATES = {each.gated.name: each for each in FIGURES if each.gated}
SUMMARY = (QUALITY, *sorted(GATES, key=RATES.__contains__))
"""The figures of a row in the inbox, always in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRow:
    """One figure: positions in the units of the view box, and the same in words.

    ``key`` is what the evidence calls it, ``most`` the upper end of its interval as a figure.
    ``sides`` is the figure of the earlier version and of the new one, ``counts`` on how many scores
    each rests; both are empty where nobody told.
    ``left`` and ``right`` are the ends of the interval, at the edge where it is open on that side
    or goes on beyond the plot;
    ``beyond`` is the part of the scale on the wrong side of the limit, as x and width, and
    ``tolerated`` the part beyond the limit where an end may lie of what passes. What nobody knows
    has no plot: ``unknown`` says why, and is empty otherwise.
    """

    key: str
    name: str
    is_part: bool
    most: float | None
    middle: float
    value: float | None
    left: float
    right: float
    is_open_left: bool
    is_open_right: bool
    limit: float | None
    beyond: tuple[float, float] | None
    tolerated: tuple[float, float] | None
    sides: str
    counts: str
    change: str
    interval: str
    limit_words: str
    verdict: SafeString
    tone: str
    unknown: str

    @property
    def sign(self) -> str:
        return SIGNS[self.tone]


def of_evidence(evidence: Evidence, *, by_task: bool = True) -> Sequence[IntervalRow]:
    """Return quality, each task's quality, and each gate; nothing where none is known."""
    parts = evidence.tasks if by_task and len(evidence.tasks) > 1 else ()
    reach = _shared_reach(evidence.judgement, [part.judgement for part in parts])
    rows = [
        _quality(_("Quality"), evidence.quality, evidence.judgement, is_part=False, reach=reach)
    ]
    rows += [_of_part(part, reach=reach) for part in parts]
    rows += [_gate(gate) for gate in evidence.gates]
    return rows if any(not row.unknown for row in rows) else []


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure of a row in the inbox; ``row`` is None where the evidence has none of it."""

    name: str
    row: IntervalRow | None


def summary(rows: Sequence[IntervalRow]) -> Sequence[Bar]:
    """Return the figures over all tasks, those that aren't known, too; empty where none is.

    What only some policies limit is there where it is known.
    """
    known = {row.key: row for row in rows if not row.is_part and not row.unknown}
    if not known:
        return []
    asked = [key for key in SUMMARY if key in known or key == QUALITY or _is_usual(GATES[key])]
    return [
        Bar(GATES[key].brief if key in GATES else _("Quality"), known.get(key)) for key in asked
    ]


def _is_usual(gated: Gated) -> bool:
    return any(limit.default is not None for limit in gated.limits)


def _of_part(part: KeptPart, *, reach: float) -> IntervalRow:
    name = part.name or _("no task")
    return _quality(name, part.quality, part.judgement, is_part=True, reach=reach)


def _quality(
    name: str, figures: KeptFigures, judged: KeptJudgement, *, is_part: bool, reach: float
) -> IntervalRow:
    told = change_of(figures, judged)
    return _row(
        key=QUALITY,
        name=name,
        is_part=is_part,
        sides=f"{told.before} → {told.after}"
        if told
        else _sides(figures.current, figures.candidate, words.score),
        counts=f"{figures.n_current:,} → {figures.n_candidate:,}"
        if figures.n_current or figures.n_candidate
        else "",
        value=judged.estimate,
        low=judged.low,
        high=judged.high,
        limit=-MARGIN,
        tolerance=0.0,
        reach=reach,
        say=_score,
        told=told,
        verdict=words.verdict(judged.verdict),
        tone=words.VERDICT_TONES.get(words.plain_code(judged.verdict), "warn"),
        unknown=judged.needed.words if judged.needed else "",
    )


def _shared_reach(whole: KeptJudgement, parts: Sequence[KeptJudgement]) -> float:
    """Return how far the scale of a figure and of its parts goes: to all that was measured, and to
    the ends of the parts' intervals as far as the figure itself can still be read."""
    own = _reach(whole.estimate, whole.low, whole.high, MARGIN)
    widest = max((_reach(each.low, each.high) for each in parts), default=0.0)
    is_known = whole.estimate is not None
    measured = _reach(*(each.estimate for each in parts))
    return max(own, measured, min(widest, own * FARTHEST_PART) if is_known else widest)


def _reach(*figures: float | None) -> float:
    return max((abs(each) for each in figures if each is not None), default=0.0)


def _sides(before: object, after: object, say: Callable[[Any], str | None]) -> str:
    """Return "0.75 → 0.85"; empty where neither side is known."""
    if before is None and after is None:
        return ""
    least, most = (_("unknown") if each is None else say(each) or "–" for each in (before, after))
    return f"{_without_unit_of(most, least)} → {most}"


def _without_unit_of(told: str, said: str) -> str:
    """Return a figure without its unit where the one after it has the same."""
    figure, _space, unit = said.partition(" ")
    return figure if unit and told.endswith(f" {unit}") else said


def _gate(gate: KeptGate) -> IntervalRow:
    status = _said(gate)
    tolerance = 0.0
    if gate.limit is not None and gate.limit >= 0 and gate.name in GATES:
        tolerance = float(passes_below(gate.name, gate.limit) - gate.limit)
    value = None if gate.value is None else float(gate.value)
    limit = None if gate.limit is None else float(gate.limit)
    return _row(
        key=gate.name,
        name=GATES[gate.name].title
        if gate.name in GATES
        else gate.name.replace("_", " ").capitalize(),
        is_part=False,
        sides=_sides(gate.current, gate.candidate, _say_side(OF_GATES.get(gate.name))),
        counts="",
        value=value,
        low=gate.low,
        high=gate.high,
        limit=limit,
        tolerance=tolerance,
        reach=_reach(value, gate.low, gate.high, None if limit is None else abs(limit) + tolerance),
        say=hundredths if gate.name in RATES else _percent,
        verdict=words.verdict(status),
        tone=words.VERDICT_TONES.get(status, "warn"),
        unknown=gate.reason.partition(": ")[2],
    )


def _say_side(figure: Figure | None) -> Callable[[float], str | None]:
    """Return how a gated figure of one version is said: a share, milliseconds or money."""
    if figure is not None and figure.rate is not None:
        return _share
    match figure.field.unit if figure is not None and figure.field is not None else None:
        case Unit.USD:
            return per_thousand
        case Unit.MILLISECONDS:
            return words.ms
    return significant


def _share(figure: float) -> str:
    return f"{figure:.1%}".replace("%", " %")


def _said(gate: KeptGate) -> str:
    """Return what a gate's row says: its status, and where the interval lies to the limit."""
    status = words.plain_code(gate.status)
    if gate.limit is None:
        return status
    if status == GateStatus.UNKNOWN and gate.value is not None and gate.value > gate.limit:
        return "perhaps_too_much"  # it was measured: what isn't known is whether it is chance
    if gate.high is None:
        return status
    if status == GateStatus.PASSED and gate.high < 0:
        return Verdict.BETTER  # of all that has a limit, less is better
    if status == GateStatus.PASSED and gate.high > gate.limit:
        return "narrowly_passed"
    if status == GateStatus.UNSURE and gate.high < gate.limit:
        return "not_alike"  # not side by side, or of requests that are not alike
    return status


def _row(
    *,
    key: str,
    name: str,
    is_part: bool,
    sides: str,
    counts: str,
    value: float | None,
    low: float | None,
    high: float | None,
    limit: float | None,
    tolerance: float,
    reach: float,
    say: Callable[[float], str],
    verdict: SafeString,
    tone: str,
    unknown: str,
    told: Change | None = None,
) -> IntervalRow:
    is_known = any(each is not None for each in (value, low, high))
    most = max(reach, 0.001) * ROOM
    x = Scale(low=-most, high=most, start=0.0, end=WIDTH).place
    return IntervalRow(
        key=key,
        name=name,
        is_part=is_part,
        most=high,
        middle=WIDTH / 2,
        value=None if value is None else x(value),
        left=2.0 if low is None else x(low),
        right=WIDTH - 2.0 if high is None else x(high),
        is_open_left=low is None or low < -most,
        is_open_right=high is None or high > most,
        limit=None if limit is None else x(limit),
        beyond=None if limit is None else _beyond(x(limit + tolerance), is_least=limit < 0),
        tolerated=(x(limit), x(limit + tolerance) - x(limit))
        if limit is not None and tolerance
        else None,
        sides=sides,
        counts=counts,
        change=told.apart if told else _change(value, say),
        interval=_span(low, high, say, told=told) if is_known else "–",
        # A part's is that of the whole, which says in words on which side it is kept.
        limit_words=say(limit) if is_part and limit is not None else _limit(limit, say),
        verdict=verdict,
        tone=tone if tone in SIGNS else "plain",
        unknown="" if is_known else unknown or _("not known"),
    )


def _beyond(at: float, *, is_least: bool) -> tuple[float, float]:
    """Return the wrong side of a limit: what quality may lose lies left of it, all else right."""
    return (0.0, at) if is_least else (at, WIDTH - at)


def _limit(limit: float | None, say: Callable[[float], str]) -> str:
    if limit is None:
        return ""
    words = _("at least %(limit)s") if limit < 0 else _("at most %(limit)s")
    return words % {"limit": say(limit)}


def _change(value: float | None, say: Callable[[float], str]) -> str:
    return "–" if value is None else say(value)


def _span(
    low: float | None, high: float | None, say: Callable[[float], str], *, told: Change | None
) -> str:
    if told:
        return f"{told.low} to {told.high}"
    if low is None:
        return _("no interval yet") if high is None else f"up to {say(high)}"
    if high is None:
        return _("from %(low)s, perhaps far more") % {"low": say(low)}
    least, most = say(low), say(high)
    return f"{_without_unit_of(most, least)} to {most}"


def _score(figure: float) -> str:
    return points(figure, digits=3)


def _percent(figure: float) -> str:
    return f"{significant(figure * 100, sign=True)} %"
