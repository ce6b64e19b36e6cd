"""Write down that a provider fails for long or refuses its key, once, and that it answers again."""

from datetime import datetime, timedelta

from django.conf import settings

from providers.models import Provider
from versioning.domain import dates
from versioning.domain.events import EventKind
from versioning.models import Check, Event
from versioning.services import events, locks
from versioning.services.actors import Actor
from versioning.services.transactions import one_transaction

_KINDS = (EventKind.PROVIDER_FAILING, EventKind.KEY_REFUSED, EventKind.PROVIDER_RECOVERED)


@one_transaction
def note(*, check: Check, now: datetime) -> None:
    """Write the event that a check, which has just ended, is news of; mostly it is none."""
    locks.take(Provider.objects.filter(pk=check.provider_id))
    if check.state == Check.State.FAILED:
        _failed(check, now=now)
    else:
        _answered(check.provider, now=now)


def _failed(check: Check, *, now: datetime) -> None:
    since = _failing_since(check)
    lasted = now - since
    if check.error_kind == Check.ErrorKind.REFUSED:
        kind = EventKind.KEY_REFUSED
        sentence = f"{check.provider} refuses the key that Hotswap asks with, or there is none."
    elif lasted >= settings.HOTSWAP["PROVIDER_FAILING_AFTER"]:
        kind = EventKind.PROVIDER_FAILING
        sentence = (
            f"{check.provider} could not be asked since {dates.day(since)} "
            f"({check.get_error_kind_display()}): new versions and retirements are not seen."
        )
    else:
        return
    if Event.objects.filter(kind=kind, provider=check.provider, at__gte=since).exists():
        return
    details: dict[str, object] = {"since": since.isoformat()}
    if kind is EventKind.PROVIDER_FAILING:
        details |= {"hours": lasted // timedelta(hours=1), "error_kind": check.error_kind}
    _write(kind, check.provider, sentence, details=details, now=now)


def _failing_since(check: Check) -> datetime:
    """Return when the first check began that failed after the last one that didn't."""
    ended = check.provider.checks.finished()
    good = ended.exclude(state=Check.State.FAILED).order_by("-started_at", "-pk").first()
    failed = ended.filter(state=Check.State.FAILED)
    if good is not None:
        failed = failed.filter(started_at__gt=good.started_at)
    first = failed.order_by("started_at", "pk").first()
    return first.started_at if first else check.started_at


def _answered(provider: Provider, *, now: datetime) -> None:
    told = Event.objects.filter(kind__in=_KINDS, provider=provider).order_by("-pk").first()
    if told is None or told.kind == EventKind.PROVIDER_RECOVERED:
        return
    since = {"since": told.payload["since"]}
    sentence = f"{provider} answers again."
    _write(EventKind.PROVIDER_RECOVERED, provider, sentence, details=since, now=now)


def _write(
    kind: EventKind,
    provider: Provider,
    sentence: str,
    *,
    details: dict[str, object],
    now: datetime,
) -> None:
    events.write(
        kind,
        provider=provider,
        sentence=sentence,
        actor=Actor.scheduler(),
        now=now,
        details=details,
    )
