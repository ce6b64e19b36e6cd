"""Ask the providers side by side; each result stands apart."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, as_completed
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Subquery

from providers import conversation
from providers.base import Adapter, Listing, Nonsense, ProviderError
from providers.conversation import DatedAnswer
from providers.http.guard import refuse_if_others_wait
from providers.models import Provider
from versioning.models import Check, Tally
from versioning.services import clock_notices, constraints, lookups, tallies
from versioning.services.checks import recording
from versioning.services.checks.recording import Attempt
from versioning.services.errors import AlreadyMoved, NotFound
from versioning.services.threads import ThreadPool

logger = logging.getLogger(__name__)

# Longer than the slowest provider takes with all its pages and retries; a check whose worker
# died stands in the way of the next for no longer.
LEASE = timedelta(minutes=30)
WORKER_WAIT = timedelta(minutes=15)
"""How long a check that was begun for a worker may wait to be taken up."""

MESSAGE_TAKES = timedelta(minutes=1)
"""A begun check that waits longer has lost its message."""
# The threads only wait for the network; more would all write at once when they come back.
AT_ONCE = 16


class AlreadyRunning(AlreadyMoved):
    """The provider is being asked right now; no two checks of one provider overlap."""

    code = "check-running"


def run_check(*, provider_id: int, trigger: str, asked_by: str = "", now: datetime) -> Check:
    """Ask one provider. Raises NotFound and AlreadyRunning; a failure is a Check that says so."""
    provider = lookups.one(
        Provider.objects.filter(pk=provider_id), missing=f"There is no provider {provider_id}."
    )
    check = _begin(provider=provider, trigger=trigger, asked_by=asked_by, now=now)
    return recording.record(check=check, asked=_ask(_adapter_of(provider), now), now=now)


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


def run_waiting(*, now: datetime) -> list[Check]:
    """Ask the providers of begun checks whose message was lost, such as with the broker down."""
    waiting = Check.objects.running().filter(
        lease_until__lte=F("started_at") + WORKER_WAIT, started_at__lte=now - MESSAGE_TAKES
    )
    return run_begun(check_ids=list(waiting.values_list("pk", flat=True)), now=now)


def _ask_side_by_side(
    checks: Sequence[Check],
    *,
    now: datetime,
    on_result: Callable[[Check], None] | None = None,
) -> list[Check]:
    refuse_if_others_wait()
    results: list[Check] = []
    dated: list[DatedAnswer] = []
    with ThreadPool(max_workers=AT_ONCE) as pool:
        asked = {pool.submit(_ask, _adapter_of(check.provider), now): check for check in checks}
        # One after the other, in this thread: each writes, and SQLite has one writer.
        for future in _catalogues_first(asked):
            attempt = _answer(future)
            check = recording.record(check=asked[future], asked=attempt, now=now)
            results.append(check)
            dated += [attempt.dated] if attempt.dated else []
            if on_result is not None:
                on_result(check)
    clock_notices.compare(dated, now=now)
    return results


def _answer(future: Future[Attempt]) -> Attempt:
    """Return what the thread found, also where it broke off in a way that nobody foresaw."""
    error = future.exception()
    if error is None:
        return future.result()
    logger.error("Asking a provider broke off.", exc_info=error)
    return Attempt(
        result=recording.NotRecorded(f"It could not be asked: {type(error).__name__}."),
        took=timedelta(0),
    )


def last_checks() -> dict[int, Check]:
    """Return the latest finished check of each provider, by its key; one query for any number."""
    of_provider = Check.objects.finished().filter(provider=OuterRef("pk"))
    newest = of_provider.order_by("-started_at", "-pk").values("pk")[:1]
    ids = Provider.objects.annotate(newest=Subquery(newest)).values("newest")
    checks = Check.objects.filter(pk__in=ids).select_related("provider")
    return {check.provider_id: check for check in checks.order_by("provider__slug")}


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
    # Apart from the new one: it stays closed also where somebody else's new check is first.
    with transaction.atomic():
        broken = Check.objects.running().filter(provider=provider, lease_until__lt=now)
        if broken.update(
            state=Check.State.FAILED,
            error_kind=Check.ErrorKind.BROKEN,
            error="The check was broken off: its process ended. Nothing was changed.",
            finished_at=now,
        ):
            result = Check.ErrorKind.BROKEN
            tallies.note(Tally.Kind.CHECK, result, subject=provider.slug, now=now)
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
        raise _why_not_begun(error, provider=provider) from error


def _why_not_begun(error: IntegrityError, *, provider: Provider) -> Exception:
    if constraints.broke(error, "one_running_check_per_provider"):
        return AlreadyRunning(
            f"{provider.slug} is being asked right now. Its result comes in a moment."
        )
    if constraints.broke(error, "one_check_per_provider_and_due_time"):
        return AlreadyRunning(f"{provider.slug} was asked for this time of the schedule already.")
    return error


def _adapter_of(provider: Provider) -> Adapter | ProviderError:
    try:
        return provider.adapter()
    except ProviderError as error:
        return error
    except Exception as error:
        logger.exception("The adapter of %s could not be made.", provider.slug)
        return recording.NotRecorded(f"It can't be asked: {type(error).__name__}.")


def _ask(adapter: Adapter | ProviderError, now: datetime) -> Attempt:
    """Ask a provider; runs in a thread, and touches no table."""
    started = time.monotonic()
    with conversation.begun():
        result = _listing_or_error(adapter, now)
        dated = conversation.current().dated
    took = timedelta(seconds=time.monotonic() - started)
    return Attempt(result=result, took=took, dated=dated)


def _listing_or_error(adapter: Adapter | ProviderError, now: datetime) -> Listing | ProviderError:
    if isinstance(adapter, ProviderError):
        return adapter
    try:
        return adapter.list_models(at=now)
    except ProviderError as error:
        return error
    except Exception as error:
        # Whatever it is, it ends this check at once and no other.
        logger.exception("The answer of a provider could not be read.")
        return Nonsense(
            f"The answer could not be read ({type(error).__name__}). Its shape may be new: "
            "please report it."
        )


def _catalogues_first(
    asked: dict[Future[Attempt], Check],
) -> Iterable[Future[Attempt]]:
    facts = [future for future, check in asked.items() if recording.is_catalogue(check.provider)]
    yield from facts
    yield from as_completed([future for future in asked if future not in facts])
