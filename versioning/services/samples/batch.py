"""A batch of samples as rows: placed at its versions, with texts as numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from operator import attrgetter
from typing import Any

from versioning.domain.pricing import Unknown, Usage
from versioning.domain.signals import Signals, pack, scored
from versioning.models import PerformanceSample, Word
from versioning.models.fields import from_ms, to_ms
from versioning.services import sample_settings
from versioning.services.samples import placement, unknown_models, vocabulary
from versioning.services.samples.incoming import (
    MOST_TOKENS,
    Rejected,
    SampleIn,
    SignalsIn,
)
from versioning.services.samples.placement import Destination, Ids, KnownModel, KnownVersion
from versioning.services.samples.request_uses import Told, Use
from versioning.services.samples.rollup_sums import TOLD, SampleRow, Terms

AHEAD = timedelta(minutes=5)
"""How far a client's clock may be ahead of ours."""

MOST_COST_USD = 100_000
NANO = 10**9
_told = attrgetter(*(field.name for field in TOLD))
_SOURCES = {source.name.lower(): int(source) for source in PerformanceSample.Source}
_Key = tuple[str, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Batch:
    """What can be stored, what the numbers in it mean, and what can't be."""

    rows: list[SampleRow]
    rejected: list[Rejected]
    terms: Terms
    served_by_route: Mapping[int, str]
    scores_wait: bool
    """Whether a score may be waiting for one of the samples."""

    uses: list[Told]
    """What requests used, of those that told."""


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers that stand for the texts of a batch."""

    tasks: Mapping[str, int]
    errors: Mapping[str, int]
    tags: Mapping[str, int]
    routes: Mapping[tuple[str, str, str], int]


@dataclass(frozen=True, slots=True)
class _Texts:
    """The different texts of a batch: few, however many samples it has."""

    keys: set[_Key]
    tasks: set[str]
    errors: set[str]
    tags: set[str]

    @property
    def hold_nul(self) -> bool:
        ids = {text for key in self.keys for text in key}
        return any("\0" in text for text in ids | self.tasks | self.errors | self.tags)

    def numbers(self) -> _Numbers:
        """Return the number of each text; new texts are stored."""
        return _Numbers(
            tasks=vocabulary.ids_of(Word.Kind.TASK, self.tasks),
            errors=vocabulary.ids_of(Word.Kind.ERROR, self.errors),
            tags=vocabulary.ids_of(Word.Kind.TAGS, self.tags),
            routes=vocabulary.routes_of(map(_route_of, self.keys)),
        )


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the samples with the same ids go, and by which route they came."""

    place: Destination
    route_id: int
    refusal: tuple[str, str] | None

    def version(self, version_id: int | None) -> KnownVersion | None:
        """Return one of the versions here by its number."""
        model = self.place.model
        return None if model is None or version_id is None else model.versions[version_id]


def hasher(api_key_id: int | None) -> Callable[[str], int]:
    """Return the function from a key's request id or session to 64 bits, as a signed number."""
    start = blake2b(digest_size=8, key=str(api_key_id or 0).encode())

    def hash_of(text: str) -> int:
        state = start.copy()
        state.update(text.encode())
        return int.from_bytes(state.digest(), "big", signed=True)

    return hash_of


def build(items: Sequence[SampleIn | Rejected], *, api_key_id: int | None, now: datetime) -> Batch:
    """Return the batch of the items; a handful of queries, whatever its size."""
    samples = [item for item in items if isinstance(item, SampleIn)]
    rejected = [item for item in items if isinstance(item, Rejected)]
    keys = [_key_of(item) for item in samples]
    tags = _tags_of(samples)
    texts = _Texts(
        keys=set(keys),
        tasks={item.task for item in samples},
        errors={item.error for item in samples} - {""},
        tags=set(tags),
    )
    if texts.hold_nul:
        return build(_without_nul(items), api_key_id=api_key_id, now=now)
    numbers = texts.numbers()
    ids = {key: Ids(*key[:4], *key[5:]) for key in texts.keys}
    standing = placement.context_for({name for each in ids.values() for name in each.names})
    spots = _spots(ids, models=standing.models, routes=numbers.routes, now=now)
    maker = _RowMaker(numbers=numbers, api_key_id=api_key_id, now=now)
    rows: list[SampleRow] = []
    uses: list[Told] = []
    places = (index for index, item in enumerate(items) if isinstance(item, SampleIn))
    for index, item, key, tag in zip(places, samples, keys, tags, strict=True):
        made = maker.row(item, spots[key], tag)
        if isinstance(made, SampleRow):
            rows.append(made)
            unpriced = _unpriced(item, made, spots[key])
            if item.parameters is not None or item.modalities is not None or unpriced:
                use = Use(_known(item.parameters), _known(item.modalities), tuple(unpriced))
                uses.append(Told(made, use))
        else:
            rejected.append(Rejected(index, *made))
    return Batch(
        rows=rows,
        rejected=sorted(rejected, key=lambda item: item.index),
        terms=_terms(rows, numbers=numbers, spots=spots.values(), declared=standing.declared_tags),
        served_by_route={number: route[2] for route, number in numbers.routes.items()},
        scores_wait=standing.scores_wait,
        uses=uses,
    )


def packed(signals: SignalsIn, *, latency_ms: float | None) -> int:
    """Return what the signals say of a request, as a sample keeps it."""
    return pack(
        Signals(
            valid_output=signals.valid_output,
            user_feedback=signals.user_feedback,
            retries=signals.retries,
            latency_ms=latency_ms,
            latency_budget_ms=signals.latency_budget_ms,
        )
    )


class _RowMaker:
    """Turns samples into rows, or says why it can't."""

    def __init__(self, *, numbers: _Numbers, api_key_id: int | None, now: datetime) -> None:
        self.numbers = numbers
        self.hash = hasher(api_key_id)
        self.weights = sample_settings.signal_weights()
        self.now = to_ms(now)
        self.earliest = to_ms(now - sample_settings.retention())
        self.latest = to_ms(now + AHEAD)

    def row(self, item: SampleIn, spot: _Spot, tags: str) -> SampleRow | tuple[str, str]:
        """Return the sample's row, or the code and the sentence of its refusal."""
        at = self.now if item.time is None else round(item.time.timestamp() * 1000)
        cost = item.cost_usd
        refusal = spot.refusal or self._refusal(at=at, cost=cost)
        if refusal is not None:
            return refusal
        quality, signals = item.quality, None
        if item.signals is not None:
            quality, signals = scored(
                quality=quality,
                signals=packed(item.signals, latency_ms=item.latency_ms),
                failed=bool(item.error),
                weights=self.weights,
            )
        numbers = self.numbers
        version_id = spot.place.version_at(at)
        usage = _usage_of(item)
        if max(usage.input or 0, usage.output or 0) > MOST_TOKENS:
            return "invalid-field", f"The tokens of one side are over {MOST_TOKENS:,} together."
        return SampleRow(
            at,
            self.hash(item.request_id) if item.request_id else None,
            self.hash(item.session) if item.session else None,
            version_id,
            numbers.tasks[item.task],
            spot.route_id,
            numbers.tags[tags],
            numbers.errors[item.error] if item.error else None,
            spot.place.unknown_model_id,
            _SOURCES[item.source],
            signals,
            # As RECKONED has them.
            quality,
            _listed_cost(usage, spot.version(version_id), at) if cost is None else _nano(cost),
            usage.input,
            usage.output,
            usage.cached,
            usage.reasoning,
            usage.cache_write,
            *(_told_of_failure(item) if item.error else _told(item)),
        )

    def _refusal(self, *, at: int, cost: Decimal | None) -> tuple[str, str] | None:
        if at > self.latest:
            return "time-in-future", f"The time is after now ({from_ms(self.now):%FT%TZ})."
        if at < self.earliest:
            return "too-old", f"Samples are taken in from {from_ms(self.earliest):%FT%TZ} on."
        if cost is not None and not (cost.is_finite() and 0 <= cost <= MOST_COST_USD):
            return "invalid-field", f"cost_usd is from 0 to {MOST_COST_USD}; null if unknown."
        return None


def _told_of_failure(item: SampleIn) -> tuple[Any, ...]:
    """Return what a failed request tells: what only an answer can have is unknown."""
    told = zip(TOLD, _told(item), strict=True)
    return tuple(None if field.of_answered else value for field, value in told)


def _usage_of(item: SampleIn) -> Usage:
    """Return the sample's tokens, parts within their side.

    An answered request without a single token was not counted, as litellm does with streams that
    end without usage: unknown, not free.
    """
    usage = Usage(
        item.input_tokens,
        item.output_tokens,
        item.cached_tokens,
        item.cache_write_tokens,
        item.cache_write_1h_tokens,
        item.reasoning_tokens,
        item.input_audio_tokens,
        item.input_image_tokens,
        item.output_audio_tokens,
        item.output_image_tokens,
        item.service_tier,
    ).whole()
    if usage.is_untold and not item.error:
        return usage._replace(input=None, output=None)
    return usage


def _listed_cost(usage: Usage, version: KnownVersion | None, at_ms: int) -> int | None:
    """Return what the version's prices of that moment make of the tokens, in billionths of a USD.

    None where a price or a count is unknown.
    """
    cost = Unknown(()) if version is None else version.cost_of(usage, at_ms=at_ms)
    return None if isinstance(cost, Unknown) else _nano(cost)


def _unpriced(item: SampleIn, row: SampleRow, spot: _Spot) -> Sequence[str]:
    """Return for which parts a price or a count is missing, where anything has a price at all."""
    if row.cost_nano_usd is not None or item.error:
        return ()
    version = spot.version(row.version_id)
    if version is None or not version.prices_at(row.at).prices:
        return ()
    cost = version.cost_of(_usage_of(item), at_ms=row.at)
    return cost.parts if isinstance(cost, Unknown) else ()


def _known(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _nano(usd: Decimal) -> int:
    """Return billionths of a USD; what costs something is never stored as free."""
    return max(round(usd * NANO), 1 if usd else 0)


def _key_of(item: SampleIn) -> _Key:
    return (
        item.provider,
        item.model,
        item.upstream_id,
        item.revision,
        item.requested_id,
        item.resolved_id,
        item.served_id,
    )


def _route_of(key: _Key) -> tuple[str, str, str]:
    _, model, upstream_id, _, requested, resolved, served = key
    return requested or upstream_id or model, resolved or upstream_id, served


def _tags_of(samples: Sequence[SampleIn]) -> list[str]:
    """Return each sample's tags as text; samples of a batch share a few."""
    made: dict[tuple[tuple[str, str], ...], str] = {(): ""}
    texts = []
    for item in samples:
        pairs = tuple(item.tags.items()) if item.tags else ()
        if pairs not in made:
            made[pairs] = vocabulary.tag_text(item.tags or {})
        texts.append(made[pairs])
    return texts


def _without_nul(items: Sequence[SampleIn | Rejected]) -> list[SampleIn | Rejected]:
    """Reject samples with the character NUL, which PostgreSQL can't store."""
    return [
        Rejected(index, "invalid-field", "Text can't hold the character NUL.")
        if isinstance(item, SampleIn) and "\0" in "".join(_texts_of(item))
        else item
        for index, item in enumerate(items)
    ]


def _texts_of(item: SampleIn) -> Iterable[str]:
    return (*_key_of(item), item.task, item.error, *_tags_of([item]))


def _spots(
    ids: Mapping[_Key, Ids],
    *,
    models: Mapping[str, list[KnownModel]],
    routes: Mapping[tuple[str, str, str], int],
    now: datetime,
) -> dict[_Key, _Spot]:
    places = {key: placement.place(each, models=models) for key, each in ids.items()}
    unknown = unknown_models.numbers_of(
        {
            (ids[key].provider, ids[key].names[0])
            for key, place in places.items()
            if place.model is None and ids[key].names
        },
        now=now,
    )
    spots: dict[_Key, _Spot] = {}
    for key, place in places.items():
        refusal = None
        if place.model is None and not ids[key].names:
            refusal = ("no-model", "Name the model: provider and model, or upstream_id.")
        elif place.model is None:
            number = unknown.get((ids[key].provider, ids[key].names[0]))
            place = Destination(model=None, unknown_model_id=number)
            if number is None:
                refusal = ("too-many-unknown-models", unknown_models.FULL)
        spots[key] = _Spot(place=place, route_id=routes[_route_of(key)], refusal=refusal)
    return spots


def _terms(
    rows: Sequence[SampleRow],
    *,
    numbers: _Numbers,
    spots: Iterable[_Spot],
    declared: frozenset[str],
) -> Terms:
    versions = {
        version.id: version
        for spot in spots
        if spot.place.model is not None
        for version in spot.place.model.versions.values()
    }
    served = {number: route[2] for route, number in numbers.routes.items()}
    return Terms(
        slice_of_tags=vocabulary.slices_of(numbers.tags, declared=declared),
        error_texts={number: text for text, number in numbers.errors.items()},
        foreign=foreign_pairs(
            {(row.version_id, row.route_id) for row in rows}, versions=versions, served=served
        ),
    )


def foreign_pairs(
    pairs: Iterable[tuple[int | None, int]],
    *,
    versions: Mapping[int, KnownVersion],
    served: Mapping[int, str],
) -> frozenset[tuple[int, int]]:
    """Return the (version, route) pairs in which another id than the version's own answered."""
    return frozenset(
        (version_id, route_id)
        for version_id, route_id in pairs
        if version_id is not None and not versions[version_id].answers_as(served[route_id])
    )
