"""Two versions of any models side by side: what each did, in all, on a task or in a slice."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from versioning.models import PerformanceSample, Word
from versioning.services.evidence.comparison import WINDOW
from versioning.services.evidence.performance import Figures, figures_of
from versioning.services.samples import rollups
from versioning.services.samples.rollup_sums import SampleSums
from versioning.services.samples.rollups import PeriodSums


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The figures of both over the days that comparisons read, and what one may ask for."""

    before: Figures
    after: Figures
    tasks: tuple[str, ...]
    slices: tuple[str, ...]


def side_by_side(
    *,
    from_id: int,
    to_id: int,
    now: datetime,
    task: str | None = None,
    slice_name: str | None = None,
) -> SideBySide:
    """Return how both did on live samples; two queries at any number of samples."""
    entries = [
        entry
        for entry in rollups.read(version_ids=[from_id, to_id], start=now - WINDOW)
        if entry.cell.source in PerformanceSample.LIVE
    ]
    numbers = {number for e in entries for number in (e.cell.task_id, e.cell.slice_id)}
    texts = dict(Word.objects.filter(pk__in=numbers).values_list("pk", "text"))
    chosen = [
        entry
        for entry in entries
        if (task is None or texts[entry.cell.task_id] == task)
        and (slice_name is None or slice_name in texts[entry.cell.slice_id].split(","))
    ]
    return SideBySide(
        before=_figures(chosen, from_id),
        after=_figures(chosen, to_id),
        tasks=_names(texts[entry.cell.task_id] for entry in entries),
        slices=_names(name for entry in entries for name in texts[entry.cell.slice_id].split(",")),
    )


def _figures(entries: Iterable[PeriodSums], version_id: int) -> Figures:
    return figures_of(SampleSums.total(e.sums for e in entries if e.cell.version_id == version_id))


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(filter(None, found))))
