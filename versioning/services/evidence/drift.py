"""A version that behaves otherwise although its name did not change: found once a day."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from versioning.domain.events import EventKind
from versioning.domain.figure_kinds import DriftWatch, Rate
from versioning.domain.figures import WATCHED
from versioning.domain.statistics.drift import Measure, PeriodMoments, Shift, find_shifts
from versioning.domain.statistics.figures import counted
from versioning.domain.statistics.summaries import Moments
from versioning.models import DriftFinding, PerformanceSample, TrackedModel, Word
from versioning.models.fields import from_ms
from versioning.services import clock, events, locks, lookups, sweeps
from versioning.services.actors import Actor
from versioning.services.evidence import comparison
from versioning.services.samples import rollups
from versioning.services.samples.rollup_sums import SampleSums
from versioning.services.transactions import one_transaction

NEWS = timedelta(days=14)
"""A change that was to be seen longer ago raises no finding any more."""

SAME = timedelta(days=3)
"""Changes that begin so close together are one: late samples move the day a little."""

Series = dict[date, SampleSums]


def find_drift(*, now: datetime) -> int:
    """Look at every current version's days and keep new findings; return how many there are.

    Each task is a series of its own: a task that gets more traffic is no change of the version.
    Today isn't read before it is over. Findings of versions no longer current are resolved.
    """
    current = set(
        TrackedModel.objects.active()
        .exclude(current_version=None)
        .values_list("current_version", flat=True)
    )
    DriftFinding.objects.filter(resolved_at=None).exclude(version__in=current).update(
        resolved_at=now
    )
    added: list[int] = []
    sweeps.each(
        sorted(current),
        lambda version_id: added.append(_find(version_id, now=now)),
        subject=lambda version_id: f"Drift of version {version_id}",
        now=now,
    )
    return sum(added)


def findings() -> QuerySet[DriftFinding]:
    """Return all findings, each with the version that it is about."""
    return DriftFinding.objects.select_related("version__tracked_model__provider")


def resolve(*, finding_id: int, now: datetime) -> DriftFinding:
    """Mark a finding as dealt with; a second time changes nothing. Raises NotFound."""
    DriftFinding.objects.filter(pk=finding_id, resolved_at=None).update(resolved_at=now)
    return lookups.one(
        DriftFinding.objects.filter(pk=finding_id), missing=f"There is no finding {finding_id}."
    )


def _find(version_id: int, *, now: datetime) -> int:
    today = clock.utc_day(now)
    found: defaultdict[str, list[tuple[str, Shift]]] = defaultdict(list)
    for task, series in _series(version_id, before=today).items():
        for watched in WATCHED:
            for shift in _shifts(series, watched):
                if shift.seen >= today - NEWS:
                    found[watched.measure].append((task, shift))
    known = list(DriftFinding.objects.filter(version=version_id))
    added = 0
    for measure, shifts in found.items():
        for group in _together(shifts):
            began = min(shift.began for _, shift in group)
            if any(f.measure == measure and abs(f.began_on - began) <= SAME for f in known):
                continue
            _write_finding(
                DriftFinding(
                    version_id=version_id,
                    measure=measure,
                    began_on=began,
                    sentence=_sentence(group),
                    found_at=now,
                )
            )
            added += 1
    return added


@one_transaction
def _write_finding(finding: DriftFinding) -> None:
    """Keep a finding, with its event."""
    tracked = locks.hold(
        TrackedModel.objects.filter(versions=finding.version_id).select_related("provider")
    ).get()
    finding.save(force_insert=True)
    events.write(
        EventKind.DRIFTED,
        tracked=tracked,
        version=finding.version,
        sentence=f"{finding.version}: {finding.sentence}",
        actor=Actor.scheduler(),
        now=finding.found_at,
        details={
            "finding_id": finding.pk,
            "measure": finding.measure,
            "began_on": finding.began_on.isoformat(),
        },
    )


def _series(version_id: int, *, before: date) -> dict[str, Series]:
    """Return the sums of live samples, by task and day (UTC)."""
    entries = [
        entry
        for entry in rollups.read(version_ids=[version_id])
        if entry.cell.source in PerformanceSample.LIVE
    ]
    tasks = {entry.cell.task_id for entry in entries}
    texts = dict(Word.objects.filter(pk__in=tasks).values_list("pk", "text"))
    parts: defaultdict[tuple[str, date], list[SampleSums]] = defaultdict(list)
    for entry in entries:
        day = clock.utc_day(from_ms(entry.cell.start))
        if day < before:
            parts[texts[entry.cell.task_id], day].append(entry.sums)
    series: defaultdict[str, Series] = defaultdict(dict)
    for (task, day), sums in sorted(parts.items()):
        series[task][day] = SampleSums.total(sums)
    return series


def _shifts(series: Series, watched: DriftWatch) -> list[Shift]:
    """Return the changes of one measure; of quality those of each thing that it is made of.

    A score of all that is known would fall when fewer give feedback: that is no drift.
    """
    names = sorted({name for sums in series.values() for name in sums.component_scores})
    if watched.measure != Measure.QUALITY or len(names) < 2:
        return list(find_shifts(measure=watched.measure, readings=_readings(series, watched)))
    return [
        shift
        for name in names
        for shift in find_shifts(
            measure=watched.measure,
            readings=_component_readings(series, name),
            part=name.replace("_", " "),
        )
    ]


def _component_readings(series: Series, name: str) -> Iterator[PeriodMoments]:
    for day, sums in series.items():
        moments = sums.component_scores.get(name)
        if moments is not None and moments.n:
            yield PeriodMoments(day=day, moments=moments)


def _readings(series: Series, watched: DriftWatch) -> Iterator[PeriodMoments]:
    for day, sums in series.items():
        moments = _moments(watched, sums)
        if moments.n and (moments.mean > 0 or watched.scale.takes_zero):
            yield PeriodMoments(day=day, moments=moments)


def _moments(watched: DriftWatch, sums: SampleSums) -> Moments:
    found = watched.of(sums) if watched.of else _RECKONED[watched.measure](sums)
    return Moments.of_binary(hits=found.hits, n=found.n) if isinstance(found, Rate) else found


def _reasoning(sums: SampleSums) -> Moments:
    """Return reasoning tokens a request. Of their spread only that of a waiting time is reckoned
    with (as large as the mean): sums are all that is kept."""
    n = sums.output.n
    mean = sums.reasoning_tokens / n if n else 0.0
    return Moments(n, mean, n * mean**2)


def _cost_per_success(sums: SampleSums) -> Moments:
    """Return the cost of a request in USD, times requests per success."""
    successes = sums.samples - sums.errors
    if not successes:
        return Moments()
    cost, times = comparison.in_usd(sums.cost), sums.samples / successes
    return Moments(cost.n, cost.mean * times, cost.m2 * times**2)


_RECKONED: Mapping[str, Callable[[SampleSums], Moments]] = {
    Measure.REASONING: _reasoning,
    Measure.COST: _cost_per_success,
}
"""Moments that no sum is by itself."""


def _together(shifts: Iterable[tuple[str, Shift]]) -> list[list[tuple[str, Shift]]]:
    """Return the shifts in groups of those that began at about the same time."""
    groups: list[list[tuple[str, Shift]]] = []
    for task, shift in sorted(shifts, key=lambda each: (each[1].began, each[0])):
        if groups and shift.began - groups[-1][-1][1].began <= SAME:
            groups[-1].append((task, shift))
        else:
            groups.append([(task, shift)])
    return groups


def _sentence(group: Sequence[tuple[str, Shift]]) -> str:
    """Say the first change, and on which tasks."""
    names = ", ".join(task for task, _ in group if task)
    text = group[0][1].sentence
    sentence = f"On {names}: {text}." if names else f"{text[:1].upper()}{text[1:]}."
    return sentence if len(sentence) <= 500 else f"On {counted(len(group), 'task')}: {text}."
