"""Ask the providers, record what was found, never conclude anything from a failure."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from providers.base import Adapter, ListedModel, Listing, Nonsense, ProviderError
from providers.models import Provider
from versioning.models import CatalogueEntry, Check
from versioning.services import findings, knowledge, listing, recommendation
from versioning.services.errors import AlreadyMoved, NotFound

LEASE = timedelta(minutes=30)
AT_ONCE = 16
LONGEST_ID = 200
SHOWN_ITEMS = 50


class AlreadyRunning(AlreadyMoved):
    """The provider is being asked right now; no two checks of one provider overlap."""

    code = "check-running"


def run_check(*, provider_id: int, trigger: str, asked_by: str = "", now: datetime) -> Check:
    """Ask one provider. Raises NotFound and AlreadyRunning; a failure is a Check that says so."""
    provider = Provider.objects.filter(pk=provider_id).first()
    if provider is None:
        raise NotFound(f"There is no provider {provider_id}.")
    check = _begin(provider=provider, trigger=trigger, asked_by=asked_by, now=now)
    return _record(check=check, asked=_ask_safely(_adapter_of(provider), now), now=now)


def run_checks(
    *,
    provider_slugs: Sequence[str] | None = None,
    trigger: str,
    asked_by: str = "",
    now: datetime,
    on_result: Callable[[Check], None] | None = None,
) -> list[Check]:
    """Ask all enabled providers side by side, or those with the given slugs.

    The threads only wait for the network; everything is recorded here, each provider in a
    transaction of its own as its answer comes. Providers that are being asked already are left
    out. Catalogues of facts are recorded before the providers that they know facts about.
    Raises NotFound where a slug is unknown.
    """
    providers = _enabled(provider_slugs)
    checks: dict[int, Check] = {}
    for provider in providers:
        try:
            checks[provider.pk] = _begin(
                provider=provider, trigger=trigger, asked_by=asked_by, now=now
            )
        except AlreadyRunning:
            continue
    results: list[Check] = []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        asked = {
            pool.submit(_ask_safely, _adapter_of(check.provider), now): check
            for check in checks.values()
        }
        for future in _catalogues_first(asked):
            check = _record(check=asked[future], asked=future.result(), now=now)
            results.append(check)
            if on_result is not None:
                on_result(check)
    return results


def last_checks() -> dict[int, Check]:
    """Return the latest finished check of each provider, by the provider's key."""
    latest: dict[int, Check] = {}
    for provider in Provider.objects.all():
        check = provider.checks.finished().order_by("-started_at", "-pk").first()
        if check is not None:
            latest[provider.pk] = check
    return latest


def _enabled(slugs: Sequence[str] | None) -> list[Provider]:
    providers = Provider.objects.filter(enabled=True).order_by("slug")
    if slugs is None:
        return list(providers)
    found = list(Provider.objects.filter(slug__in=slugs).order_by("slug"))
    unknown = set(slugs) - {provider.slug for provider in found}
    if unknown:
        raise NotFound(f"There is no provider {', '.join(sorted(unknown))}.")
    return found


def _begin(*, provider: Provider, trigger: str, asked_by: str, now: datetime) -> Check:
    """Open a check; one that was left open past its lease is closed as broken off."""
    with transaction.atomic():
        Check.objects.running().filter(provider=provider, lease_until__lt=now).update(
            state=Check.State.FAILED,
            error_kind=Check.ErrorKind.BROKEN,
            error="The check was broken off: its process ended. Nothing was changed.",
            finished_at=now,
        )
    try:
        with transaction.atomic():
            return Check.objects.create(
                provider=provider,
                trigger=trigger,
                asked_by=asked_by[:150],
                started_at=now,
                lease_until=now + LEASE,
            )
    except IntegrityError as error:
        raise AlreadyRunning(
            f"{provider.slug} is being asked right now. Its result comes in a moment."
        ) from error


def _adapter_of(provider: Provider) -> Adapter | ProviderError:
    try:
        return provider.adapter()
    except ProviderError as error:
        return error


def _ask_safely(adapter: Adapter | ProviderError, now: datetime) -> Listing | ProviderError:
    """Ask a provider and hand over its listing or why there is none; runs in a thread."""
    if isinstance(adapter, ProviderError):
        return adapter
    try:
        return adapter.list_models(at=now)
    except ProviderError as error:
        return error
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        return Nonsense(
            f"The answer could not be read ({type(error).__name__}). Its shape may be new: "
            "please report it."
        )


def _catalogues_first(
    asked: dict[Future[Listing | ProviderError], Check],
) -> Iterable[Future[Listing | ProviderError]]:
    facts = [future for future, check in asked.items() if check.provider.is_enrichment]
    yield from facts
    yield from as_completed([future for future in asked if future not in facts])


def _record(*, check: Check, asked: Listing | ProviderError, now: datetime) -> Check:
    if isinstance(asked, ProviderError):
        return _finish_failed(check=check, error=asked, now=now)
    asked = _with_short_ids(asked)
    shrunk_to = _disbelieved(provider=check.provider, models=asked.models)
    if shrunk_to is not None:
        check.shrunk_to = shrunk_to
        error = Nonsense(
            f"Only {shrunk_to} models are listed, less than half of last time. Nothing was "
            "concluded; if the next check sees the same, it is believed."
        )
        return _finish_failed(check=check, error=error, now=now)
    with transaction.atomic():
        _record_listing(check=check, asked=asked, now=now)
    return check


def _record_listing(*, check: Check, asked: Listing, now: datetime) -> None:
    provider = check.provider
    entries, difference = listing.write_catalogue(
        provider=provider,
        models=_enriched(provider=provider, models=asked.models),
        complete=not asked.dropped,
        now=now,
    )
    recommended = 0
    if not provider.is_enrichment:
        tracked_models = recommendation.tracked_models_of(provider)
        findings.write_findings(
            check=check,
            tracked_models=tracked_models,
            entries=entries,
            difference=difference,
            now=now,
        )
        market = recommendation.Market.of(provider=provider, entries=entries)
        for tracked in tracked_models:
            record = recommendation.recommend_in(tracked=tracked, market=market, now=now)
            if record is not None and record.recommended_at == now:
                recommended += 1
                findings.write_new_version(check=check, record=record, now=now)
    check.listed = len(asked.models)
    check.added = len(difference.added)
    check.changed = len(difference.changed)
    check.missing = len(difference.missing)
    check.recommended = recommended
    check.difference = difference.as_dict()
    check.dropped = len(asked.dropped)
    check.dropped_items = list(asked.dropped[:SHOWN_ITEMS])
    if asked.dropped:
        check.state = Check.State.PARTLY
    else:
        check.state = Check.State.CHANGED if check.difference else Check.State.UNCHANGED
    _finish(check, now=now)


def _finish_failed(*, check: Check, error: ProviderError, now: datetime) -> Check:
    check.state = Check.State.FAILED
    check.error_kind = error.kind if error.kind in Check.ErrorKind.values else "nonsense"
    check.error = str(error)[:500]
    _finish(check, now=now)
    return check


def _finish(check: Check, *, now: datetime) -> None:
    check.finished_at = max(_clock(), now)
    check.save()


def _clock() -> datetime:
    """The one look at the clock beside ``now``: how long the provider took."""
    from django.utils import timezone

    return timezone.now()


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


def _enriched(*, provider: Provider, models: Sequence[ListedModel]) -> list[ListedModel]:
    """Fill gaps from the catalogues, which list ``<provider>/<id>``."""
    if provider.is_enrichment:
        return list(models)
    name = provider.options.get("catalogue") or provider.kind
    facts = {
        entry.upstream_id.removeprefix(f"{name}/"): entry
        for entry in CatalogueEntry.objects.listed().filter(
            provider__kind__in=Provider.enrichment_kinds(), upstream_id__startswith=f"{name}/"
        )
    }
    return [
        knowledge.with_facts_of(model, knowledge.listed_of(facts[model.id]))
        if model.id in facts
        else model
        for model in models
    ]
