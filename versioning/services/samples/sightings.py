"""What samples showed beside their numbers: unknown models, and other ids than expected."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from django.db.models import F, Max, Min
from django.db.models.functions import Greatest

from versioning.models import PerformanceSample, ServedDrift, Sighting, UnknownModel
from versioning.models.fields import from_ms
from versioning.services import locks
from versioning.services.samples.rollup_sums import SampleRow


def note(
    rows: Sequence[SampleRow],
    *,
    foreign: Set[tuple[int, int]],
    served_by_route: Mapping[int, str],
) -> None:
    """Append one batch's counts of unknown models, and of versions that answered otherwise."""
    Sighting.objects.bulk_create(_counted(rows, foreign=foreign, served_by_route=served_by_route))


def take_out(
    rows: Sequence[SampleRow],
    *,
    foreign: Set[tuple[int, int]],
    served_by_route: Mapping[int, str],
) -> None:
    """Take what samples showed out of the counts; the caller holds ``rollups.folding``.

    What is left without a sample was never seen.
    """
    for gone in _counted(rows, foreign=foreign, served_by_route=served_by_route):
        waiting = Sighting.objects.filter(
            unknown_model=gone.unknown_model_id, version=gone.version_id, served=gone.served
        )
        seen = list(waiting.order_by("pk"))
        fold(seen)
        Sighting.objects.filter(pk__in=[sighting.pk for sighting in seen]).delete()
        left = Greatest(F("samples") - gone.samples, 0)
        if gone.unknown_model_id is not None:
            UnknownModel.objects.filter(pk=gone.unknown_model_id).update(samples=left)
            _see_again(gone, pk=gone.unknown_model_id)
        else:
            drift = ServedDrift.objects.filter(version=gone.version_id, served=gone.served)
            drift.filter(samples__lte=gone.samples).delete()
            drift.update(samples=left)


def _see_again(gone: Sighting, *, pk: int) -> None:
    """Let an unknown model's first and last moment be those of the samples that are left."""
    samples = PerformanceSample.objects.filter(unknown_model=pk)
    told = samples.aggregate(first=Min("at"), last=Max("at"))
    if told["first"] is None:
        return  # the next one that is seen is the first
    model = UnknownModel.objects.filter(pk=pk)
    model.filter(first_seen_at=gone.first_at).update(first_seen_at=told["first"])
    model.filter(last_seen_at=gone.last_at).update(last_seen_at=told["last"])


def _counted(
    rows: Sequence[SampleRow],
    *,
    foreign: Set[tuple[int, int]],
    served_by_route: Mapping[int, str],
) -> list[Sighting]:
    times: defaultdict[tuple[int | None, int | None, str], list[int]] = defaultdict(list)
    for row in rows:
        if row.unknown_model_id is not None:
            times[row.unknown_model_id, None, ""].append(row.at)
        elif foreign and (row.version_id, row.route_id) in foreign:
            times[None, row.version_id, served_by_route[row.route_id]].append(row.at)
    return [
        Sighting(
            unknown_model_id=unknown,
            version_id=version,
            served=served,
            samples=len(moments),
            first_at=from_ms(min(moments)),
            last_at=from_ms(max(moments)),
        )
        for (unknown, version, served), moments in times.items()
    ]


def fold(sightings: Sequence[Sighting]) -> None:
    """Add sightings, which the caller has just taken out of their table, to what they count."""
    for sighting in sightings:
        if sighting.unknown_model_id is not None:
            _count_unknown(sighting, pk=sighting.unknown_model_id)
        else:
            _count_drift(sighting)


def _count_unknown(sighting: Sighting, *, pk: int) -> None:
    model = locks.hold(UnknownModel.objects.filter(pk=pk)).get()
    if model.samples == 0:  # nothing is left of what made it, or what made it isn't counted yet
        model.first_seen_at, model.last_seen_at = sighting.first_at, sighting.last_at
    model.samples += sighting.samples
    model.first_seen_at = min(model.first_seen_at, sighting.first_at)
    model.last_seen_at = max(model.last_seen_at, sighting.last_at)
    model.save(update_fields=["samples", "first_seen_at", "last_seen_at"])


def _count_drift(sighting: Sighting) -> None:
    drift, _ = locks.hold(ServedDrift.objects.all()).get_or_create(
        version_id=sighting.version_id,
        served=sighting.served,
        defaults={"since": sighting.first_at, "last_seen_at": sighting.last_at},
    )
    drift.samples += sighting.samples
    drift.since = min(drift.since, sighting.first_at)
    drift.last_seen_at = max(drift.last_seen_at, sighting.last_at)
    drift.save(update_fields=["samples", "since", "last_seen_at"])
