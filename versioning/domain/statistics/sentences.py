"""A comparison in words."""

from __future__ import annotations

from collections.abc import Sequence

from .comparison import PartVerdict, QualityFigures
from .contrast import Basis
from .figures import change
from .judgement import Judgement, counted

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
        return f"{claim}; quality can't be compared: no task has scores of both versions"
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
