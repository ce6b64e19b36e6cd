"""Samples that came before somebody tracked their model: put where they belong once it is."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef

from versioning.models import PerformanceSample, Route, UnknownModel, Word
from versioning.models.fields import to_ms
from versioning.services import locks, stopping, sweeps
from versioning.services.samples import placement, sightings, store, vocabulary
from versioning.services.samples.batch import foreign_pairs
from versioning.services.samples.placement import Ids, KnownModel
from versioning.services.samples.rollup_sums import SampleRow, Terms, sums_by_cell
from versioning.services.transactions import one_transaction

# Samples of one transaction: their rows are locked, and late scores of them wait meanwhile.
STEP = 2_000


def attach(*, now: datetime) -> int:
    """Give waiting samples of models that are tracked by now their version; return how many.

    They then count in the roll-ups of the time when they were made. In steps of one transaction
    each: to run it twice at once, or to break it off, does no harm.
    """
    waits = PerformanceSample.objects.filter(unknown_model=OuterRef("pk"))
    attached: list[int] = []
    sweeps.each(
        list(UnknownModel.objects.filter(Exists(waits)).order_by("pk")),
        lambda unknown: attached.append(_attach(unknown)),
        subject=lambda unknown: f"Samples of the unknown model {unknown.pk}",
        now=now,
    )
    return sum(attached)


def _attach(unknown: UnknownModel) -> int:
    models = placement.context_for([unknown.name]).models
    found = placement.place(_ids(unknown), models=models).model
    if found is None:
        return 0
    UnknownModel.objects.filter(pk=unknown.pk).update(tracked_model=found.id)
    return stopping.in_parts(lambda: _attach_some(unknown, found))


@one_transaction
def _attach_some(unknown: UnknownModel, model: KnownModel) -> int:
    rows = locks.hold(PerformanceSample.objects.filter(unknown_model=unknown))
    waiting = list(rows.values_list("pk", *SampleRow._fields)[:STEP])
    if not waiting:
        return 0
    routes = _routes({row[1 + SampleRow._fields.index("route_id")] for row in waiting})
    placed = []
    for pk, at, *rest in waiting:
        row = SampleRow(to_ms(at), *rest)
        ids = _ids(unknown, routes[row.route_id])
        place = placement.Destination(model=model, candidates=tuple(model.named_by(ids)))
        placed.append((pk, _at_version(row, place.version_at(row.at))))
    _store(placed, model=model, routes=routes)
    return len(placed)


def _at_version(row: SampleRow, version_id: int | None) -> SampleRow:
    placed: SampleRow = row._replace(version_id=version_id, unknown_model_id=None)
    return placed


def _store(
    placed: Sequence[tuple[int, SampleRow]], *, model: KnownModel, routes: dict[int, Route]
) -> None:
    rows = [row for _, row in placed]
    for version_id in {row.version_id for row in rows}:
        PerformanceSample.objects.filter(
            pk__in=[pk for pk, row in placed if row.version_id == version_id]
        ).update(version=version_id, unknown_model=None)
    served = {pk: route.served for pk, route in routes.items()}
    terms = Terms(
        slice_of_tags=_slices({row.tags_id for row in rows}),
        error_texts=_texts({row.error_id for row in rows if row.error_id is not None}),
        foreign=foreign_pairs(
            {(row.version_id, row.route_id) for row in rows},
            versions=model.versions,
            served=served,
        ),
    )
    store.append_parts(sums_by_cell(rows, terms=terms))
    sightings.note(rows, foreign=terms.foreign, served_by_route=served)


def _ids(unknown: UnknownModel, route: Route | None = None) -> Ids:
    return Ids(
        provider=unknown.provider_slug,
        model=unknown.name,
        upstream_id="",
        revision="",
        resolved_id=route.resolved if route else "",
        served_id=route.served if route else "",
    )


def _routes(ids: set[int]) -> dict[int, Route]:
    return Route.objects.in_bulk(ids)


def _texts(ids: set[int]) -> dict[int, str]:
    return dict(Word.objects.filter(pk__in=ids).values_list("pk", "text"))


def _slices(ids: set[int]) -> dict[int, int]:
    texts = {text: pk for pk, text in _texts(ids).items()}
    return vocabulary.slices_of(texts, declared=vocabulary.declared_tags())
