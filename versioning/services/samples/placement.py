"""Which version served a sample: by the ids it names, else by what was current at its time."""

import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connection

from versioning.domain import lineage
from versioning.domain.pricing import PriceList, Unknown, Usage, price_list, whole_list
from versioning.models import (
    ModelVersion,
    PendingScore,
    TrackedModel,
    UnknownModel,
    UpgradeRecord,
    UpgradeStep,
)
from versioning.models.fields import to_ms
from versioning.services import process_cache
from versioning.services.samples import vocabulary
from versioning.services.samples.provider_names import bare_name, provider_words

MOST_WORDS = 2
"""Words before a model's name that may be its provider's: ``gemini/models/lumen-2``."""

_PRICES = ("input_price", "output_price", "cached_input_price", "other_prices", "past_prices")

KEPT_SECONDS = 2.0
"""A change that moves no epoch (a renamed model) is seen after this time at the latest."""


@dataclass(frozen=True, slots=True)
class Ids:
    """What a sample says about the model that served it."""

    provider: str
    model: str
    upstream_id: str
    revision: str
    resolved_id: str
    served_id: str

    @property
    def resolved(self) -> str:
        return self.resolved_id or self.upstream_id

    @property
    def names(self) -> list[str]:
        """Every text that may name a model, the most telling first."""
        named = (self.model, self.upstream_id, self.resolved_id, self.served_id)
        return [name for name in named if name]


@dataclass(frozen=True)
class KnownVersion:
    """A version as far as placing and pricing need it."""

    id: int
    upstream_id: str
    revision: str
    prices: PriceList = PriceList()
    provider_words: frozenset[str] = frozenset()
    """What its provider's own models may have before their name: ``gemini/``, ``models/``."""
    past: tuple[tuple[int, PriceList], ...] = ()
    """Prices that held until a moment (ms since 1970), oldest first."""

    @cached_property
    def _is_embedding(self) -> bool:
        try:
            return lineage.parse(self.upstream_id).is_embedding
        except lineage.UnreadableName:
            return False

    def prices_at(self, at_ms: int) -> PriceList:
        """Return the prices of a moment."""
        return next((prices for until, prices in self.past if at_ms < until), self.prices)

    def cost_of(self, usage: Usage, *, at_ms: int) -> Decimal | Unknown:
        """Return what the prices of a moment make of the tokens.

        An embedding has none on the other side.
        """
        if usage.output is None and self._is_embedding:
            usage = usage._replace(output=0)
        return self.prices_at(at_ms).cost(usage)

    def answers_as(self, served: str) -> bool:
        """Whether ``served`` is this version under one of its own names, or wasn't told."""
        own = (self.upstream_id, self.revision)
        return not served or served in own or bare_name(served, self.provider_words) in own


@dataclass(slots=True)
class KnownModel:
    """A tracked model as far as placing needs it."""

    id: int
    provider: str
    kind: str
    name: str
    current_version_id: int | None
    versions: dict[int, KnownVersion] = field(default_factory=dict)
    moments: list[int] = field(default_factory=list)
    moved_to: list[int] = field(default_factory=list)

    @property
    def provider_words(self) -> frozenset[str]:
        """What may stand before the names of its provider's models."""
        return provider_words(self.provider, self.kind)

    def is_called(self, name: str, *, as_told: str) -> bool:
        """Whether ``as_told`` is ``name``, or has only its own provider's words before it."""
        return name == as_told or name == bare_name(as_told, self.provider_words)

    def current_at(self, at_ms: int) -> int | None:
        """Return the version that was current then; before the first move, the first one."""
        if not self.moments:
            return self.current_version_id
        return self.moved_to[max(0, bisect_right(self.moments, at_ms) - 1)]

    def named_by(self, ids: Ids) -> list[KnownVersion]:
        """Return the versions that the resolved id names, else those the served id names."""
        names = [ids.resolved, ids.served_id]
        bare = [bare_name(name, self.provider_words) for name in names]
        for upstream_id in (*names, *bare):
            found = [v for v in self.versions.values() if upstream_id == v.upstream_id]
            if upstream_id and found:
                told = {ids.revision, ids.served_id} - {""}
                exact = [v for v in found if v.revision in told]
                return exact or found
            exact = [v for v in self.versions.values() if upstream_id == v.revision != ""]
            if exact:
                return exact
        return []


def _spellings(name: str) -> list[str]:
    """Return the name, and what is left of it when one or two words before it are taken off."""
    parts = name.split("/", MOST_WORDS)
    return ["/".join(parts[n:]) for n in range(len(parts))]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where samples with the same ids go: a tracked model's versions, or an unknown model."""

    model: KnownModel | None
    candidates: tuple[KnownVersion, ...] = ()
    unknown_model_id: int | None = None

    def version_at(self, at_ms: int) -> int | None:
        """Return the version of a sample of that moment; None for an unknown model."""
        if self.model is None:
            return None
        if len(self.candidates) == 1:
            return self.candidates[0].id
        current = self.model.current_at(at_ms)
        named = [version.id for version in self.candidates]
        return current if not named or current in named else max(named)


_kept: dict[str, tuple[float, list[KnownModel]]] = {}
_kept_epoch: list[list[int | None]] = []


def forget() -> None:
    """Empty what this process remembers."""
    _kept.clear()
    _kept_epoch.clear()


process_cache.forget_after_migration(forget)


class PlacementContext(NamedTuple):
    """What holds at this moment for the samples of a batch."""

    models: Mapping[str, list[KnownModel]]
    """The tracked models behind each name or upstream id, oldest first."""

    declared_tags: frozenset[str]
    scores_wait: bool
    """Whether any score came before its sample."""


def context_for(names: Iterable[str]) -> PlacementContext:
    """Return what holds for samples that name models so.

    One short query when all is remembered: it asks whether any version, move or tracked model
    is new since, for the declared tags and for waiting scores. Six more otherwise, whatever the
    number of names.
    """
    wanted = {spelling for name in names for spelling in _spellings(name)}
    *epoch, tags, scores_wait = _epoch()
    declared = vocabulary.tag_names(tags)
    if not process_cache.may_keep():
        return PlacementContext(_load(wanted), declared, bool(scores_wait))
    if [epoch] != _kept_epoch:
        forget()
        _kept_epoch.append(epoch)
    now = time.monotonic()
    known = {
        name: kept[1]
        for name in wanted
        if (kept := _kept.get(name)) and now - kept[0] < KEPT_SECONDS
    }
    missing = wanted - known.keys()
    if missing:
        loaded = _load(missing)
        _kept.update({name: (now, models) for name, models in loaded.items()})
        known |= loaded
    return PlacementContext(known, declared, bool(scores_wait))


def place(ids: Ids, *, models: Mapping[str, list[KnownModel]]) -> Destination:
    """Return where samples with these ids go.

    A Place without a model where nobody tracks it, and where two providers have it and nothing
    says which of them it was.
    """
    for name in ids.names:
        found = _meant(name, models=models, provider=ids.provider)
        if found is not None:
            return Destination(model=found, candidates=tuple(found.named_by(ids)))
    return Destination(model=None)


def _meant(
    name: str, *, models: Mapping[str, list[KnownModel]], provider: str
) -> KnownModel | None:
    """Return the tracked model that a name means: as it stands, else without its provider's words.

    Of several at one provider it is the oldest.
    """
    for spelling in _spellings(name):
        found = [
            model
            for model in _at_provider(models.get(spelling, ()), provider)
            if model.is_called(spelling, as_told=name)
        ]
        if found:
            return found[0] if len({model.provider for model in found}) == 1 else None
    return None


def _at_provider(models: Iterable[KnownModel], provider: str) -> list[KnownModel]:
    """Return those of the provider: by its slug, else by its kind."""
    every = list(models)
    if not provider:
        return every
    here = [model for model in every if model.provider == provider]
    return here or [model for model in every if model.kind == provider]


def _epoch() -> list[Any]:
    tables = (TrackedModel, ModelVersion, UpgradeStep)
    newest = [f"(SELECT MAX(id) FROM {table._meta.db_table})" for table in tables]  # noqa: S608
    tags, waiting = vocabulary.declared_sql(), PendingScore._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(newest)}, ({tags}), EXISTS (SELECT 1 FROM {waiting})"  # noqa: S608
        )
        return list(cursor.fetchone())


def _load(names: set[str]) -> dict[str, list[KnownModel]]:
    """Read the tracked models that any of the names means, with their versions and moves."""
    meant = _tracked_ids(names)
    models = _tracked_models({pk for pks in meant.values() for pk in pks})
    return {name: [models[pk] for pk in sorted(meant.get(name, ()))] for name in names}


def _tracked_ids(names: set[str]) -> dict[str, set[int]]:
    pairs = [
        TrackedModel.objects.filter(name__in=names).values_list("name", "id"),
        ModelVersion.objects.filter(upstream_id__in=names).values_list(
            "upstream_id", "tracked_model_id"
        ),
        UnknownModel.objects.filter(name__in=names)
        .exclude(tracked_model=None)
        .values_list("name", "tracked_model_id"),
    ]
    meant: dict[str, set[int]] = {}
    for rows in pairs:
        for name, pk in rows:
            meant.setdefault(name, set()).add(pk)
    return meant


def _tracked_models(ids: set[int]) -> dict[int, KnownModel]:
    if not ids:
        return {}
    models = {
        row.id: KnownModel(
            id=row.id,
            provider=row.provider.slug,
            kind=row.provider.kind,
            name=row.name,
            current_version_id=row.current_version_id,
        )
        for row in TrackedModel.objects.filter(pk__in=ids).select_related("provider")
    }
    versions = ModelVersion.objects.filter(tracked_model__in=ids).order_by("pk")
    for pk, tracked, upstream_id, revision, *told in versions.values_list(
        "pk", "tracked_model_id", "upstream_id", "revision", *_PRICES
    ):
        input_, output, cached, others, past = told
        prices = price_list(input=input_, output=output, cached_input=cached, others=others)
        words = models[tracked].provider_words
        models[tracked].versions[pk] = KnownVersion(
            pk, upstream_id, revision, prices, words, _past(past)
        )
    moves = UpgradeRecord.objects.completions().filter(tracked_model__in=ids)
    for tracked, completed_at, version in moves.order_by("completion_number").values_list(
        "tracked_model_id", "completed_at", "to_version_id"
    ):
        if completed_at is not None:
            models[tracked].moments.append(to_ms(completed_at))
            models[tracked].moved_to.append(version)
    return models


def _past(periods: Iterable[Mapping[str, Any]]) -> tuple[tuple[int, PriceList], ...]:
    return tuple((each["until"], PriceList(whole_list(each["prices"]))) for each in periods)
