"""What requests use beside text: which parameters and inputs, and how long they are."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Max, Sum

from versioning.models import RequestUse
from versioning.models.fields import from_ms
from versioning.services import clock
from versioning.services.samples.rollup_sums import DAY_MS, SampleRow

Kind = RequestUse.Kind
READ_DAYS = 30
_Key = tuple[int, date, int, str]
_MOST_FOLDED = 200


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


def note(told: Iterable[Told], *, stored: Sequence[SampleRow]) -> None:
    """Append what the stored ones of these samples used; a repeat of a request adds nothing."""
    uses = list(told)
    if not uses:
        return
    hashes = {row.request_hash for row in stored}
    seen: set[int] = set()
    alike: defaultdict[tuple[int, int, Use], _Sum] = defaultdict(_Sum)
    for each in uses:
        row = each.row
        if row.version_id is None or row.request_hash not in hashes or row.request_hash in seen:
            continue
        if row.request_hash is not None:
            seen.add(row.request_hash)
        total = alike[row.version_id, row.at // DAY_MS, each.use]
        total.add(1, row.input_tokens or 0, row.output_tokens or 0)
    sums: defaultdict[_Key, _Sum] = defaultdict(_Sum)
    for (version_id, days, use), total in alike.items():
        day = clock.utc_day(from_ms(days * DAY_MS))
        for kind, name in use.names:
            sums[version_id, day, kind, name].add(*total.values)
    _store(sums)


def fold() -> int:
    """Make one row of the rows of each day and thing; return how many went.

    The caller holds ``rollups.folding``.
    """
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
    rows = (
        RequestUse.objects.filter(
            version=version_id, day__gte=clock.utc_day(now - timedelta(days=READ_DAYS))
        )
        .values_list("kind", "name")
        .annotate(n=Sum("requests"), inputs=Max("longest_input"), outputs=Max("longest_output"))
    )
    found = {(kind, name): (n, inputs, outputs) for kind, name, n, inputs, outputs in rows}
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
    rows = (
        RequestUse.objects.filter(
            version__in=list(version_ids),
            kind=Kind.UNPRICED,
            day__gte=(now - timedelta(days=READ_DAYS)).date(),
        )
        .values_list("version_id", "name")
        .annotate(n=Sum("requests"))
        .order_by("name")
    )
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for version_id, name, n in rows:
        found[version_id][name] = n
    return dict(found)


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
