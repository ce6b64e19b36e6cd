"""Ask the providers, record what was found, never conclude anything from a failure."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from providers import registry
from providers.base import Adapter, ListedModel, Listing, Nonsense, ProviderError
from providers.models import Provider
from versioning.models import CatalogueEntry, Check
from versioning.services import knowledge
from versioning.services.checks import findings, listing
from versioning.services.errors import AlreadyMoved, NotFound
from versioning.services.upgrades import recommendation

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=30)
WORKER_WAIT = timedelta(minutes=5)
"""How long a check that was begun for a worker may wait to be taken up."""
AT_ONCE = 16
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


class AlreadyRunning(AlreadyMoved):
    """The provider is being asked right now; no two checks of one provider overlap."""

    code = "check-running"


def run_check(*, provider_id: int, trigger: str, asked_by: str = "", now: datetime) -> Check:
    """Ask one provider. Raises NotFound and AlreadyRunning; a failure is a Check that says so."""
    provider = Provider.objects.filter(pk=provider_id).first()
    if provider is None:
        raise NotFound(f"There is no provider {provider_id}.")
    check = _begin(provider=provider, trigger=trigger, asked_by=asked_by, now=now)
    return _record_apart(check=check, asked=_ask(_adapter_of(provider), now), now=now)


def run_checks(
    *,
    provider_slugs: Sequence[str] | None = None,
    trigger: str,
    asked_by: str = "",
    now: datetime,
    due_at: Mapping[str, datetime] | None = None,
    on_result: Callable[[Check], None] | None = None,
) -> list[Check]:
    """Ask all enabled providers side by side, or those with the given slugs.

    ``due_at`` says by slug which time of the schedule a check is for: each is kept once.

    The threads only wait for the network; everything is recorded here, each provider in a
    transaction of its own as its answer comes. Providers that are being asked already are left
    out. Catalogues of facts are recorded before the providers that they know facts about.
    Raises NotFound where a slug is unknown.
    """
    checks = begin_checks(
        provider_slugs=provider_slugs, trigger=trigger, asked_by=asked_by, now=now, due_at=due_at
    )
    return _ask_side_by_side(checks, now=now, on_result=on_result)


def begin_checks(
    *,
    provider_slugs: Sequence[str] | None = None,
    trigger: str,
    asked_by: str = "",
    now: datetime,
    due_at: Mapping[str, datetime] | None = None,
    lease: timedelta = LEASE,
) -> list[Check]:
    """Open a check of each provider without asking it yet; those being asked are left out."""
    checks = []
    for provider in _enabled(provider_slugs):
        try:
            check = _begin(
                provider=provider,
                trigger=trigger,
                asked_by=asked_by,
                now=now,
                due_at=(due_at or {}).get(provider.slug),
                lease=lease,
            )
        except AlreadyRunning:
            continue
        checks.append(check)
    return checks


def run_begun(*, check_ids: Sequence[int], now: datetime) -> list[Check]:
    """Ask the providers of checks that were begun for a worker; each is taken up once."""
    waiting = Check.objects.running().filter(pk__in=check_ids, lease_until__gte=now)
    taken = []
    for check in waiting.select_related("provider").order_by("pk"):
        untouched = Check.objects.running().filter(pk=check.pk, lease_until=check.lease_until)
        if untouched.update(lease_until=now + LEASE) == 1:
            check.lease_until = now + LEASE
            taken.append(check)
    return _ask_side_by_side(taken, now=now)


def _ask_side_by_side(
    checks: Sequence[Check],
    *,
    now: datetime,
    on_result: Callable[[Check], None] | None = None,
) -> list[Check]:
    results: list[Check] = []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        asked = {pool.submit(_ask, _adapter_of(check.provider), now): check for check in checks}
        for future in _catalogues_first(asked):
            check = _record_apart(check=asked[future], asked=future.result(), now=now)
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


def _begin(
    *,
    provider: Provider,
    trigger: str,
    asked_by: str,
    now: datetime,
    due_at: datetime | None = None,
    lease: timedelta = LEASE,
) -> Check:
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
                lease_until=now + lease,
                due_at=due_at,
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


def _ask(adapter: Adapter | ProviderError, now: datetime) -> Asked:
    """Ask a provider; runs in a thread, and touches no table."""
    started = time.monotonic()
    result = _listing_or_error(adapter, now)
    return Asked(result=result, took=timedelta(seconds=time.monotonic() - started))


def _listing_or_error(adapter: Adapter | ProviderError, now: datetime) -> Listing | ProviderError:
    if isinstance(adapter, ProviderError):
        return adapter
    try:
        return adapter.list_models(at=now)
    except ProviderError as error:
        return error
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        return Nonsense(
            f"The answer could not be read ({type(error).__name__}). Its shape may be new: "
            "please report it."
        )


def _catalogues_first(
    asked: dict[Future[Asked], Check],
) -> Iterable[Future[Asked]]:
    facts = [future for future, check in asked.items() if _is_catalogue(check.provider)]
    yield from facts
    yield from as_completed([future for future in asked if future not in facts])


def _record_apart(*, check: Check, asked: Asked, now: datetime) -> Check:
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
    found = _with_short_ids(asked.result)
    check.shrunk_to = _disbelieved(provider=check.provider, models=found.models)
    if check.shrunk_to is not None:
        error = Nonsense(
            f"Only {check.shrunk_to} models are listed, less than half of last time. Nothing was "
            "concluded; if the next check sees the same, it is believed."
        )
        return _fail(check=check, error=error)
    with transaction.atomic():
        _record_listing(check=check, found=found, now=now)
    return check


def _record_listing(*, check: Check, found: Listing, now: datetime) -> None:
    provider = check.provider
    entries, difference = listing.write_catalogue(
        provider=provider,
        models=_enriched(provider=provider, models=found.models),
        complete=not found.dropped,
        now=now,
    )
    if not _is_catalogue(provider):
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


def _is_catalogue(provider: Provider) -> bool:
    """Say whether a provider only knows facts about models that others serve."""
    return provider.kind in _catalogue_kinds()


def _enriched(*, provider: Provider, models: Sequence[ListedModel]) -> list[ListedModel]:
    """Fill gaps from the catalogues, which list ``<provider>/<id>``."""
    if _is_catalogue(provider):
        return [replace(model, id=f"{model.provider}/{model.id}") for model in models]
    name = provider.options.get("catalogue") or provider.kind
    facts = {
        entry.upstream_id.removeprefix(f"{name}/"): entry
        for entry in CatalogueEntry.objects.listed().filter(
            provider__kind__in=_catalogue_kinds(), upstream_id__startswith=f"{name}/"
        )
    }
    return [
        knowledge.with_facts_of(model, knowledge.listed_of(facts[model.id]))
        if model.id in facts
        else model
        for model in models
    ]
