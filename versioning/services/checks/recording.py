"""Record what a provider answered; never conclude anything from a failure."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from providers import registry
from providers.base import ListedModel, Listing, Nonsense, ProviderError
from providers.models import Provider
from versioning.models import CatalogueEntry, Check
from versioning.services import knowledge, prices
from versioning.services.checks import findings, listing
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import recommendation

logger = logging.getLogger(__name__)

LONGEST_ID = 200
SHOWN_ITEMS = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What a provider answered, or why it didn't, and how long that took."""

    result: Listing | ProviderError
    took: timedelta


class Broken(ProviderError):
    """The fault is ours: the answer was good, and could not be recorded."""

    kind = "broken"


def record(*, check: Check, asked: Asked, now: datetime) -> Check:
    """Record one provider's answer; a fault of ours there never hides another's news."""
    try:
        return _record(check=check, asked=asked, now=now)
    except Exception as error:
        logger.exception("Recording the check of %s failed", check.provider.slug)
        check.shrunk_to = None
        return _fail(check=check, error=Broken(f"Recording failed: {type(error).__name__}."))


def _record(*, check: Check, asked: Asked, now: datetime) -> Check:
    check.finished_at = now + asked.took
    if isinstance(asked.result, ProviderError):
        return _fail(check=check, error=asked.result)
    found = _with_short_ids(_with_full_ids(asked.result, provider=check.provider))
    check.shrunk_to = _disbelieved(provider=check.provider, models=found.models)
    if check.shrunk_to is not None:
        error = Nonsense(
            f"Only {check.shrunk_to} models are listed, less than half of last time. Nothing was "
            "concluded; if the next check sees the same, it is believed."
        )
        return _fail(check=check, error=error)
    _record_listing(check=check, found=found, now=now)
    return check


@one_transaction
def _record_listing(*, check: Check, found: Listing, now: datetime) -> None:
    provider = check.provider
    entries, difference = listing.write_catalogue(
        provider=provider,
        models=_enriched(provider=provider, models=found.models, now=now),
        complete=not found.dropped,
        now=now,
    )
    if not is_catalogue(provider):
        check.recommended = _recommend(check=check, entries=entries, difference=difference, now=now)
    check.listed = len(found.models)
    check.added = len(difference.added)
    check.changed = len(difference.changed)
    check.missing = len(difference.missing)
    check.difference = difference.as_dict()
    check.dropped = len(found.dropped)
    check.dropped_items = list(found.dropped[:SHOWN_ITEMS])
    if found.dropped:
        check.state = Check.State.PARTLY
    else:
        check.state = Check.State.CHANGED if check.difference else Check.State.UNCHANGED
    check.save()


def _recommend(
    *,
    check: Check,
    entries: Mapping[str, CatalogueEntry],
    difference: listing.Difference,
    now: datetime,
) -> int:
    """Bring the provider's tracked models up to its catalogue; return how many got news."""
    tracked_models = recommendation.tracked_models_of(check.provider)
    findings.write_findings(
        check=check, tracked_models=tracked_models, entries=entries, difference=difference, now=now
    )
    market = recommendation.Market.of(provider=check.provider, entries=entries)
    recommended = 0
    for tracked in tracked_models:
        record = recommendation.recommend_in(tracked=tracked, market=market, now=now)
        if record is not None and record.recommended_at == now:
            recommended += 1
            findings.write_new_version(check=check, record=record, now=now)
    return recommended


def _fail(*, check: Check, error: ProviderError) -> Check:
    check.state = Check.State.FAILED
    check.error_kind = error.kind
    check.error = str(error)[:500]
    check.save()
    return check


def _with_full_ids(asked: Listing, *, provider: Provider) -> Listing:
    """Name what a catalogue lists ``<provider>/<id>``: it knows models of several providers."""
    if not is_catalogue(provider):
        return asked
    named = [replace(model, id=f"{model.provider}/{model.id}") for model in asked.models]
    return replace(asked, models=tuple(named))


def _with_short_ids(asked: Listing) -> Listing:
    too_long = tuple(
        f"{model.id[:60]}…: the id is longer than {LONGEST_ID} characters."
        for model in asked.models
        if len(model.id) > LONGEST_ID or len(model.revision) > LONGEST_ID
    )
    if not too_long:
        return asked
    return replace(
        asked,
        models=tuple(
            model
            for model in asked.models
            if len(model.id) <= LONGEST_ID and len(model.revision) <= LONGEST_ID
        ),
        dropped=asked.dropped + too_long,
    )


def _disbelieved(*, provider: Provider, models: Sequence[ListedModel]) -> int | None:
    """Return the size of a listing that lost most of its models and wasn't seen so before."""
    if not listing.has_shrunk(provider=provider, models=models):
        return None
    last = provider.checks.finished().order_by("-started_at", "-pk").first()
    seen_before = last is not None and last.shrunk_to is not None
    return None if seen_before else len(models)


def _catalogue_kinds() -> list[str]:
    return [adapter.kind for adapter in registry.adapter_classes() if adapter.is_enrichment]


def is_catalogue(provider: Provider) -> bool:
    """Say whether a provider only knows facts about models that others serve."""
    return provider.kind in _catalogue_kinds()


def _enriched(
    *, provider: Provider, models: Sequence[ListedModel], now: datetime
) -> list[ListedModel]:
    """Fill gaps from the catalogues, which list ``<provider>/<id>``; prices also from a package."""
    if is_catalogue(provider):
        return list(models)
    name = provider.options.get("catalogue") or provider.kind
    facts = {
        entry.upstream_id.removeprefix(f"{name}/"): entry
        for entry in CatalogueEntry.objects.listed().filter(
            provider__kind__in=_catalogue_kinds(), upstream_id__startswith=f"{name}/"
        )
    }
    filled = [
        knowledge.with_facts_of(model, knowledge.listed_of(facts[model.id]))
        if model.id in facts
        else model
        for model in models
    ]
    return prices.from_package(provider=provider, models=filled, at=now)
