"""A comparison in words."""

from __future__ import annotations

from collections.abc import Sequence

from .comparison import PartVerdict, QualityFigures
from .judgement import Judgement, counted

_MOST_TASKS = 5


def quality_sentence(
    *, quality: QualityFigures, judgement: Judgement, alpha: float, tasks: Sequence[PartVerdict]
) -> str:
    """Return what is claimed of quality, how surely, and on which tasks.

    "Better: quality 0.85 against 0.75 (+13 %, 95 % interval +0.07 to +0.13) on 412 samples;
    on summarise better, on extract not enough data: about 340 more samples"
    """
    claim = _so(judgement)
    claim = claim[0].upper() + claim[1:]
    if quality.current is None or quality.candidate is None:
        return f"{claim}; quality can't be compared: no task has scores of both versions"
    rise = "" if quality.relative is None else f"{_percent(float(quality.relative))}, "
    samples = quality.n_current + quality.n_candidate
    digits = _digits(judgement)
    joint = "; " if judgement.needed is not None else ": "
    return (
        f"{claim}{joint}quality {quality.candidate:.{digits}f} against "
        f"{quality.current:.{digits}f} ({rise}{(1 - alpha) * 100:.3g} % interval "
        f"{judgement.low:+.{digits}f} to {judgement.high:+.{digits}f}) on "
        f"{counted(samples, 'sample')}{_on_tasks(tasks)}"
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


def _percent(fraction: float) -> str:
    """Return +13 %, or +1.3 % for a small change."""
    percent = fraction * 100
    return f"{percent:+.0f} %" if abs(percent) >= 10 else f"{percent:+.1f} %"


def _digits(judgement: Judgement) -> int:
    """Two digits, or three where two would hide the interval."""
    ends = [abs(end) for end in (judgement.low, judgement.high) if end is not None]
    return 2 if not ends or min(ends) >= 0.01 else 3
