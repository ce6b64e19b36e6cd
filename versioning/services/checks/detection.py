"""Ask the providers side by side; each result stands apart."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from providers import conversation
from providers.base import Adapter, Listing, Nonsense, ProviderError
from providers.conversation import DatedAnswer
from providers.http.guard import refuse_if_others_wait
from providers.models import Provider
from versioning.models import Check, Tally
from versioning.services import clock_notices, constraints, leases, lookups, tallies
from versioning.services.checks import recording
from versioning.services.checks.recording import Attempt
from versioning.services.errors import AlreadyMoved, NotFound
from versioning.services.leases import LeaseLost
from versioning.services.stopping import AskedToStop
from versioning.services.threads import ThreadPool

logger = logging.getLogger(__name__)

WORKER_WAIT = timedelta(minutes=15)
"""How long a check that was begun for a worker may wait to be taken up."""

MESSAGE_TAKES = timedelta(minutes=1)
"""A begun check that waits longer has lost its message."""

MOST_TAKES = 3
"""After so many workers that died of it a check is given up: the fourth would, too."""
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
    _ask_side_by_side([check], now=now)
    check.refresh_from_db()
    return check


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
    for_a_worker: bool = False,
) -> list[Check]:
    """Open a check of each provider without asking it yet; those being asked are left out.

    Who begins them asks at once, except ``for_a_worker``, who is sent a message.
    """
    checks = []
    for provider in _enabled(provider_slugs):
        try:
            check = _begin(
                provider=provider,
                trigger=trigger,
                asked_by=asked_by,
                now=now,
                due_at=(due_at or {}).get(provider.slug),
                for_a_worker=for_a_worker,
            )
        except AlreadyRunning:
            continue
        checks.append(check)
    return checks


def run_begun(*, check_ids: Sequence[int], now: datetime) -> list[Check]:
    """Ask the providers of checks that were begun for a worker; each is taken up once."""
    waiting = Check.objects.running().filter(pk__in=check_ids, takes=0, lease_until__gte=now)
    return _ask_side_by_side(_take(waiting, now=now), now=now)


def take_up(*, now: datetime) -> list[Check]:
    """Ask the providers of checks that no worker has: one died, or a message was lost.

    Each is taken up by one worker. What several died of is closed as broken off.
    """
    lost = Q(
        takes=0,
        lease_until__lte=F("started_at") + WORKER_WAIT,
        started_at__lte=now - MESSAGE_TAKES,
    )
    left = Check.objects.running().filter(lost | Q(lease_until__lt=now))
    for check in left.filter(takes__gte=MOST_TAKES).select_related("provider"):
        _break_off(_mine(check).filter(lease_until__lt=now), check.provider, now=now)
    return _ask_side_by_side(_take(left.filter(takes__lt=MOST_TAKES), now=now), now=now)


def _take(checks: QuerySet[Check], *, now: datetime) -> list[Check]:
    """Take checks for the time of a lease; those that another worker takes first are left out."""
    taken = []
    for check in checks.select_related("provider").order_by("pk"):
        free = _mine(check).filter(lease_until=check.lease_until)
        if free.update(takes=F("takes") + 1, lease_until=now + leases.LEASE):
            check.takes, check.lease_until = check.takes + 1, now + leases.LEASE
            taken.append(check)
    return taken


def _mine(check: Check) -> QuerySet[Check]:
    """Return the row while nobody has taken it up since."""
    return Check.objects.running().filter(pk=check.pk, takes=check.takes)


class _Hands:
    """The checks that this worker has begun and not ended; what another took over is let go."""

    def __init__(self, checks: Iterable[Check]) -> None:
        self._left = {check.pk: check for check in checks}
        self._at: Check | None = None

    def extend(self, until: datetime) -> None:
        for check in list(self._left.values()):
            if not _mine(check).update(lease_until=until):
                del self._left[check.pk]
        if self._at is not None and self._at.pk not in self._left:
            raise LeaseLost

    def record(self, check: Check, attempt: Attempt, *, now: datetime) -> Check | None:
        """Record what was answered, and let the check go; None where it is another's."""
        self._at = check if check.pk in self._left else None
        if self._at is None:
            return None
        try:
            ended: Check | None = recording.record(check=check, asked=attempt, now=now)
        except LeaseLost:
            logger.warning("Another worker has taken over the check of %s.", check.provider.slug)
            ended = None
        self._at = None
        self._left.pop(check.pk, None)
        return ended

    def give_back(self, *, now: datetime) -> None:
        """Let the next worker take up at once what has not ended."""
        for check in self._left.values():
            _mine(check).update(lease_until=now)


def _ask_side_by_side(
    checks: Sequence[Check],
    *,
    now: datetime,
    on_result: Callable[[Check], None] | None = None,
) -> list[Check]:
    refuse_if_others_wait()
    results: list[Check] = []
    dated: list[DatedAnswer] = []
    hands = _Hands(checks)
    try:
        with leases.held(hands.extend, now=now), ThreadPool(max_workers=AT_ONCE) as pool:
            asked = {pool.submit(_ask, _adapter_of(check.provider), now): check for check in checks}
            # One after the other, in this thread: each writes, and SQLite has one writer.
            for future in _catalogues_first(asked):
                attempt = _answer(future)
                ended = hands.record(asked[future], attempt, now=now)
                dated += [attempt.dated] if attempt.dated else []
                if ended is None:
                    continue
                results.append(ended)
                if on_result is not None:
                    on_result(ended)
    except AskedToStop:
        hands.give_back(now=now)
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
    for_a_worker: bool = False,
) -> Check:
    """Open a check; one that was left open past its lease is closed as broken off."""
    # Apart from the new one: it stays closed also where somebody else's new check is first.
    left = Check.objects.running().filter(provider=provider, lease_until__lt=now)
    _break_off(left, provider, now=now)
    try:
        with transaction.atomic():
            return Check.objects.create(
                provider=provider,
                trigger=trigger,
                asked_by=asked_by[:150],
                started_at=now,
                lease_until=now + (WORKER_WAIT if for_a_worker else leases.LEASE),
                takes=0 if for_a_worker else 1,
                due_at=due_at,
            )
    except IntegrityError as error:
        raise _why_not_begun(error, provider=provider) from error


@transaction.atomic
def _break_off(checks: QuerySet[Check], provider: Provider, *, now: datetime) -> None:
    """Close a provider's check whose worker died."""
    if checks.update(
        state=Check.State.FAILED,
        error_kind=Check.ErrorKind.BROKEN,
        error="The check was broken off: its process ended. Nothing was changed.",
        finished_at=now,
    ):
        result = Check.ErrorKind.BROKEN
        tallies.note(Tally.Kind.CHECK, result, subject=provider.slug, now=now)


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
    facts = {future for future, check in asked.items() if recording.is_catalogue(check.provider)}
    yield from leases.as_completed(facts)
    yield from leases.as_completed(asked.keys() - facts)
