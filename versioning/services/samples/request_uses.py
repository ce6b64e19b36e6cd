"""What requests use beside text: which parameters and inputs, and how long they are."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, IntegerField, Max, Sum, Value

from versioning.models import RequestUse, TracedUse
from versioning.models.fields import from_ms, to_ms
from versioning.models.traces import WINDOW
from versioning.services import clock
from versioning.services.samples.rollup_sums import DAY_MS, SampleRow

Kind = RequestUse.Kind
READ_DAYS = 30
_Key = tuple[int, date, int, str]
_MOST_FOLDED = 200
_MOST_KEPT_APART = 20_000
KEPT_APART = WINDOW + timedelta(minutes=1)
"""How long a traced request may be taken back, and the minute in which that may still go on."""

_OF_TRACES = -1


class Use(NamedTuple):
    """What a request used, None where untold, and for which parts no price or count is known."""

    parameters: tuple[str, ...] | None
    modalities: tuple[str, ...] | None
    unpriced: tuple[str, ...] = ()

    @property
    def names(self) -> set[tuple[int, str]]:
        unpriced = {(int(Kind.UNPRICED), part) for part in self.unpriced}
        if self.parameters is None and self.modalities is None:
            return unpriced
        parameters = {(int(Kind.PARAMETER), name) for name in self.parameters or ()}
        modalities = {(int(Kind.MODALITY), name) for name in self.modalities or ()}
        return {(int(Kind.ALL), "")} | parameters | modalities | unpriced

    @property
    def text(self) -> str:
        return json.dumps(sorted(self.names))


class Told(NamedTuple):
    """A sample that told what its request used, or whose cost can't be known."""

    row: SampleRow
    use: Use


@dataclass(slots=True)
class _Sum:
    requests: int = 0
    longest_input: int = 0
    longest_output: int = 0

    @property
    def values(self) -> tuple[int, int, int]:
        return self.requests, self.longest_input, self.longest_output

    def add(self, requests: int, longest_input: int, longest_output: int) -> None:
        self.requests += requests
        self.longest_input = max(self.longest_input, longest_input)
        self.longest_output = max(self.longest_output, longest_output)


@dataclass(frozen=True, slots=True)
class RecordedUses:
    """What a version's requests of the last days used; shares are of those that told."""

    requests: int
    parameters: dict[str, float]
    modalities: dict[str, float]
    longest_input: int
    longest_output: int
    """Tokens."""


def note(
    told: Iterable[Told], *, stored: Sequence[SampleRow], traced: Set[int], now: datetime
) -> None:
    """Append what the stored ones of these samples used; a repeat of a request adds nothing.

    Those of ``traced`` requests are kept apart: they may be taken back.
    """
    uses = list(told)
    if not uses:
        return
    hashes = {row.request_hash for row in stored}
    seen: set[int] = set()
    alike: defaultdict[tuple[int, int, Use], _Sum] = defaultdict(_Sum)
    apart: list[Told] = []
    for each in uses:
        row = each.row
        if row.version_id is None or row.request_hash not in hashes or row.request_hash in seen:
            continue
        if row.request_hash is not None:
            seen.add(row.request_hash)
        if row.request_hash in traced:
            apart.append(each)
            continue
        total = alike[row.version_id, row.at // DAY_MS, each.use]
        total.add(1, row.input_tokens or 0, row.output_tokens or 0)
    sums: defaultdict[_Key, _Sum] = defaultdict(_Sum)
    for (version_id, days, use), total in alike.items():
        day = clock.utc_day(from_ms(days * DAY_MS))
        for kind, name in use.names:
            sums[version_id, day, kind, name].add(*total.values)
    _store(sums)
    _keep_apart(apart, now=now)


def take_out(requests: Iterable[int]) -> None:
    """Forget what traced requests used; the caller holds ``rollups.folding``."""
    TracedUse.objects.filter(request_hash__in=list(requests)).delete()


def fold(*, now: datetime) -> int:
    """Make one row of the rows of each day and thing; return how many went.

    What traced requests used is added once nothing can take them back any more. The caller holds
    ``rollups.folding``.
    """
    return _add_traced(before=to_ms(now - KEPT_APART)) + _fold_alike()


def _add_traced(*, before: int) -> int:
    due = TracedUse.objects.filter(at__lt=before).order_by("at")
    taken = list(due.values_list("pk", flat=True)[:_MOST_KEPT_APART])
    if not taken:
        return 0
    # By their own ids: another may be appended meanwhile.
    rows = TracedUse.objects.filter(pk__in=taken)
    alike = rows.values_list("version_id", "day", "use").annotate(
        n=Count("pk"), inputs=Max("input_tokens"), outputs=Max("output_tokens")
    )
    sums: defaultdict[_Key, _Sum] = defaultdict(_Sum)
    for version_id, day, use, *values in alike:
        for kind, name in json.loads(use):
            sums[version_id, day, kind, name].add(*values)
    _store(sums)
    return rows.delete()[0]


def _fold_alike() -> int:
    key = ("version_id", "day", "kind", "name")
    many = RequestUse.objects.values_list(*key).annotate(n=Count("pk")).filter(n__gt=1)
    folded = 0
    for version_id, day, kind, name, _ in list(many[:_MOST_FOLDED]):
        rows = list(RequestUse.objects.filter(version=version_id, day=day, kind=kind, name=name))
        total = _Sum()
        for row in rows:
            total.add(row.requests, row.longest_input, row.longest_output)
        RequestUse.objects.filter(pk__in=[row.pk for row in rows]).delete()
        _store({(version_id, day, kind, name): total})
        folded += len(rows)
    return folded


def uses_of(*, version_id: int, now: datetime) -> RecordedUses | None:
    """Return what the version's requests used lately; None where none of them told."""
    sums = _read([version_id], since=clock.utc_day(now - timedelta(days=READ_DAYS)))
    found = {(kind, name): each.values for (_, kind, name), each in sums.items()}
    everything = found.get((Kind.ALL, ""))
    if everything is None:
        return None

    def shares(wanted: Kind) -> dict[str, float]:
        return {
            name: min(1.0, n / everything[0])
            for (kind, name), (n, _, _) in sorted(found.items())
            if kind == wanted
        }

    return RecordedUses(
        requests=everything[0],
        parameters=shares(Kind.PARAMETER),
        modalities=shares(Kind.MODALITY),
        longest_input=everything[1],
        longest_output=everything[2],
    )


def unpriced(*, version_ids: Iterable[int], now: datetime) -> dict[int, dict[str, int]]:
    """Return for each version how many requests lately lacked the price or count of which part."""
    sums = _read(version_ids, since=clock.utc_day(now - timedelta(days=READ_DAYS)))
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for (version_id, kind, name), each in sorted(sums.items()):
        if kind == Kind.UNPRICED:
            found[version_id][name] = each.requests
    return dict(found)


def _read(version_ids: Iterable[int], *, since: date) -> dict[tuple[int, int, str], _Sum]:
    """Return what the versions' requests used since a day, by version, kind and name.

    One statement reads both tables: so what is being added counts exactly once.
    """
    asked = {"version__in": list(version_ids), "day__gte": since}
    kept = RequestUse.objects.filter(**asked).values_list("version_id", "kind", "name")
    kept = kept.annotate(n=Sum("requests"), i=Max("longest_input"), o=Max("longest_output"))
    of_traces = Value(_OF_TRACES, output_field=IntegerField())
    apart = TracedUse.objects.filter(**asked).annotate(kind=of_traces)
    traced = apart.values_list("version_id", "kind", "use").annotate(
        n=Count("pk"), i=Max("input_tokens"), o=Max("output_tokens")
    )
    sums: defaultdict[tuple[int, int, str], _Sum] = defaultdict(_Sum)
    rows: Iterable[Any] = kept.union(traced, all=True)
    for version_id, told, text, n, longest_in, longest_out in rows:
        for kind, name in json.loads(text) if told == _OF_TRACES else [(told, text)]:
            sums[version_id, kind, name].add(n, longest_in, longest_out)
    return sums


def _keep_apart(told: Iterable[Told], *, now: datetime) -> None:
    TracedUse.objects.bulk_create(
        [
            TracedUse(
                request_hash=row.request_hash,
                version_id=row.version_id,
                day=clock.utc_day(from_ms(row.at)),
                use=use.text,
                input_tokens=row.input_tokens or 0,
                output_tokens=row.output_tokens or 0,
                at=to_ms(now),
            )
            for row, use in told
            if row.request_hash is not None and row.version_id is not None
        ]
    )


def _store(sums: dict[_Key, _Sum]) -> None:
    RequestUse.objects.bulk_create(
        [
            RequestUse(
                version_id=version_id,
                day=day,
                kind=kind,
                name=name,
                requests=each.requests,
                longest_input=each.longest_input,
                longest_output=each.longest_output,
            )
            for (version_id, day, kind, name), each in sums.items()
        ]
    )
