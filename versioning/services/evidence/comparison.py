"""Evidence for a move: roll-ups -> domain.statistics -> a verdict that can be acted on."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from versioning.domain.evidence import Evidence
from versioning.domain.figures import TOLD_RATES
from versioning.domain.statistics.cautions import Caution, WarningCode
from versioning.domain.statistics.comparison import compare
from versioning.domain.statistics.inputs import (
    NEAR,
    PARTS,
    Arm,
    Day,
    PerDay,
    Slice,
    Split,
    Stratum,
    Thresholds,
)
from versioning.domain.statistics.summaries import Moments
from versioning.domain.transitions import State
from versioning.models import Canary, ModelVersion, PerformanceSample, Word
from versioning.models.fields import from_ms, to_ms
from versioning.services import sample_settings
from versioning.services.samples import rollups
from versioning.services.samples.rollup_sums import DAY_MS, HOUR_MS, SampleSums
from versioning.services.samples.rollups import PeriodSums

NO_TASK = "(no task named)"
WINDOW = timedelta(days=180)
"""How far back a comparison reads: older days tell little of today, and its cost stays the same."""

RECENT_DAYS = 7
"""Today's traffic is that of so many last days."""

_COUNTED_OUT = PerformanceSample.Source.COUNTED_OUT
_COMPARED = (*PerformanceSample.LIVE, _COUNTED_OUT)
_USD = 1e-9


Pair = tuple[int, int]
"""The ids of the version in use and of the candidate."""


@dataclass(frozen=True, slots=True)
class SamplesOfPairs:
    """What is known of pairs of versions, read in the same few queries for any number of them."""

    entries: Mapping[Pair, Sequence[PeriodSums]]
    texts: Mapping[int, str]
    """The text of each task and slice number."""
    canaries: Mapping[Pair, Canary]
    """Those that are on."""

    @classmethod
    def read(cls, pairs: Collection[Pair], *, now: datetime) -> Self:
        """Read what is compared of the pairs."""
        entries = _entries(pairs, now=now)
        numbers = {
            number
            for some in entries.values()
            for entry in some
            for number in (entry.cell.task_id, entry.cell.slice_id)
        }
        return cls(
            entries=entries,
            texts=dict(Word.objects.filter(pk__in=numbers).values_list("pk", "text")),
            canaries=_canaries(pairs),
        )


def evidence(
    *,
    from_version: ModelVersion,
    to_version: ModelVersion,
    now: datetime,
    task: str | None = None,
    slice_name: str | None = None,
    thresholds: Thresholds | None = None,
    samples: SamplesOfPairs | None = None,
) -> Evidence:
    """Compare two versions on live samples, on all tasks or one, all slices or one.

    It is safe to ask at every look. ``samples`` are those of now, where the caller compares many.

    The same few queries and the same cost at any number of samples and any age of the version in
    use. Where a canary is on between the two, it warns when the requests are not split as its step
    means.
    """
    pair = (from_version.pk, to_version.pk)
    samples = samples or SamplesOfPairs.read([pair], now=now)
    entries, texts = samples.entries[pair], samples.texts
    split = _split(entries, pair=pair, trial=samples.canaries.get(pair))
    if task is not None:
        entries = [entry for entry in entries if texts[entry.cell.task_id] == task]
    if slice_name is not None:
        entries = [e for e in entries if slice_name in texts[e.cell.slice_id].split(",")]
    found = compare(
        strata=_strata(entries, pair=pair, texts=texts),
        thresholds=thresholds or Thresholds(),
        per_day=_per_day(
            [e for e in entries if e.cell.source in PerformanceSample.LIVE], pair=pair, now=now
        ),
        slices=_slices(entries, pair=pair, texts=texts),
        split=split,
        weights=sample_settings.component_weights(),
    )
    mixed = _mixed_sessions(entries)
    found = replace(found, warnings=(*found.warnings, *mixed))
    return Evidence.of(found)


def _entries(pairs: Collection[Pair], *, now: datetime) -> dict[Pair, list[PeriodSums]]:
    """Return what is compared: the candidates' last days, and the current versions' beside them.

    Counted back from the candidate's latest sample, so that the evidence stays the same until
    more come; of the current version so many days more as count before and after. Each version is
    read by one statement, so that parts that are being folded count once.
    """
    candidates = {to_id for _, to_id in pairs}
    latest = rollups.latest(version_ids=candidates)
    of_candidate = _by_version(
        rollups.read_since({id: _midnight(latest.get(id, now)) - WINDOW for id in candidates})
    )
    starts = {}
    for pair in pairs:
        first = min((from_ms(entry.cell.start) for entry in of_candidate[pair[1]]), default=now)
        starts[pair] = _midnight(first) - timedelta(days=NEAR)
    earliest: dict[int, datetime] = {}
    for (from_id, _), start in starts.items():
        earliest[from_id] = min(start, earliest.get(from_id, start))
    of_current = _by_version(rollups.read_since(earliest))
    return {
        pair: [
            entry
            for entry in (
                *of_candidate[pair[1]],
                *(e for e in of_current[pair[0]] if e.cell.start >= to_ms(start)),
            )
            if entry.cell.source in _COMPARED
        ]
        for pair, start in starts.items()
    }


def _by_version(entries: Iterable[PeriodSums]) -> defaultdict[int, list[PeriodSums]]:
    found: defaultdict[int, list[PeriodSums]] = defaultdict(list)
    for entry in entries:
        found[entry.cell.version_id].append(entry)
    return found


def _canaries(pairs: Collection[Pair]) -> dict[Pair, Canary]:
    trials = Canary.objects.filter(
        record__state=State.CANARY.value,
        record__from_version__in={from_id for from_id, _ in pairs},
        record__to_version__in={to_id for _, to_id in pairs},
    ).select_related("record")
    return {
        (trial.record.from_version_id or 0, trial.record.to_version_id): trial for trial in trials
    }


def _midnight(moment: datetime) -> datetime:
    return from_ms(to_ms(moment) // DAY_MS * DAY_MS)


def _split(entries: Iterable[PeriodSums], *, pair: Pair, trial: Canary | None) -> Split | None:
    """Count both versions' requests in the step of the canary that is on; None without one.

    From the step's first full hour on: before it requests were meant to be split otherwise. Hours
    that were folded count from the first full day on.
    """
    if trial is None or not 0 < trial.weight < 1:
        return None
    first = -(-to_ms(trial.step_began_at) // HOUR_MS) * HOUR_MS
    current, candidate = (
        sum(
            entry.sums.samples
            for entry in entries
            if entry.cell.version_id == version
            and entry.cell.source in PerformanceSample.LIVE
            and entry.cell.start >= first
        )
        for version in pair
    )
    return Split(expected_share=trial.weight, current=current, candidate=candidate)


def _mixed_sessions(entries: Iterable[PeriodSums]) -> tuple[Caution, ...]:
    out = sum(e.sums.samples for e in entries if e.cell.source == _COUNTED_OUT)
    if not out:
        return ()
    requests = "1 request" if out == 1 else f"{out:,} requests"
    return (
        Caution(
            code=WarningCode.MIXED_SESSIONS,
            text=f"{requests} of sessions that got both versions of a canary are counted out",
        ),
    )


def _strata(
    entries: Iterable[PeriodSums], *, pair: Pair, texts: Mapping[int, str]
) -> tuple[Stratum, ...]:
    """Return both versions' records task by task, in the order of the tasks' names."""
    by_task: defaultdict[str, list[PeriodSums]] = defaultdict(list)
    for entry in entries:
        by_task[texts[entry.cell.task_id] or NO_TASK].append(entry)
    return tuple(
        Stratum(
            task=name,
            current=arm([e for e in group if e.cell.version_id == pair[0]]),
            candidate=arm([e for e in group if e.cell.version_id == pair[1]]),
        )
        for name, group in sorted(by_task.items())
    )


def arm(entries: Sequence[PeriodSums]) -> Arm:
    """Return a version's record on one task, day by day (UTC) in order of time."""
    found = (_day(number, group) for number, group in _by_day(entries))
    return Arm(days=tuple(day for day in found if day.n))


def _by_day(entries: Sequence[PeriodSums]) -> list[tuple[int, list[PeriodSums]]]:
    by_day: defaultdict[int, list[PeriodSums]] = defaultdict(list)
    for entry in entries:
        by_day[entry.cell.start // DAY_MS].append(entry)
    return sorted(by_day.items())


def _day(number: int, entries: Sequence[PeriodSums]) -> Day:
    sums = _compared(entries)
    components = sums.component_scores
    scored = max(sums.scores.n, *(one.n for one in components.values()), 0)
    # A score that came after a tag was declared may stand in another slice than its sample.
    n = max(sums.samples, scored, sums.errors, sums.cost.n)
    return Day(
        number=number,
        n=n,
        errors=sums.errors,
        components=components,
        scored=scored,
        cost=in_usd(sums.cost),
        latency=sums.latency_sketch,
        rates={each.name: each.rate(sums) for each in TOLD_RATES if each.rate},
        hours=_hours(entries),
    )


def _hours(entries: Sequence[PeriodSums]) -> dict[int, int]:
    """Count live requests by part of the day; empty where any hours are folded into the day."""
    live = [entry for entry in entries if entry.cell.source != _COUNTED_OUT]
    if any(entry.whole_day for entry in live):
        return {}
    found: Counter[int] = Counter()
    for entry in live:
        found[entry.cell.start % DAY_MS * PARTS // DAY_MS] += entry.sums.samples
    return dict(found)


def _compared(entries: Iterable[PeriodSums]) -> SampleSums:
    """Return the sums of what counts: live samples without those counted out."""
    live, out = _parted(entries)
    total = SampleSums.total(live)
    return total.minus(SampleSums.total(out)) if out else total


def _parted(entries: Iterable[PeriodSums]) -> tuple[list[SampleSums], list[SampleSums]]:
    """Return the sums of live samples, and those counted out of them."""
    live: list[SampleSums] = []
    out: list[SampleSums] = []
    for entry in entries:
        (out if entry.cell.source == _COUNTED_OUT else live).append(entry.sums)
    return live, out


def in_usd(cost: Moments) -> Moments:
    """Return moments of billionths of a USD as moments of USD."""
    return Moments(cost.n, cost.mean * _USD, cost.m2 * _USD**2)


def _per_day(entries: Sequence[PeriodSums], *, pair: Pair, now: datetime) -> PerDay:
    """Return each side's requests a day over its last days with traffic.

    Counted back from the latest sample, so that the evidence stays the same until more come;
    nil when that is longer ago than those days.
    """
    latest = max((entry.cell.start for entry in entries), default=0)
    first = latest - latest % DAY_MS - (RECENT_DAYS - 1) * DAY_MS
    if latest < to_ms(now) - (RECENT_DAYS + 1) * DAY_MS:
        return PerDay(current=0.0, candidate=0.0)
    recent = [entry for entry in entries if entry.cell.start >= first]
    current, candidate = (
        sum(entry.sums.samples for entry in recent if entry.cell.version_id == version)
        / max(1, len({e.cell.start // DAY_MS for e in recent if e.cell.version_id == version}))
        for version in pair
    )
    return PerDay(current=current, candidate=candidate)


def _slices(entries: Iterable[PeriodSums], *, pair: Pair, texts: Mapping[int, str]) -> list[Slice]:
    """Return the entries of each value of each declared tag: a sample counts in all of its own."""
    by_value: defaultdict[str, list[PeriodSums]] = defaultdict(list)
    for entry in entries:
        for value in filter(None, texts[entry.cell.slice_id].split(",")):
            by_value[value].append(entry)
    return [
        Slice(name=name, strata=_strata(group, pair=pair, texts=texts))
        for name, group in sorted(by_value.items())
    ]
