"""A second witness beside the lists: a model is asked for directly. Speaks HTTP.

Looks at a model's own address are free. A call of one token proves more and costs something: each
is counted, and no provider gets more of them in a day than the settings say.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from providers.base import Adapter, ProviderError, Witness
from providers.models import Provider
from versioning.models import DirectQuestion
from versioning.services import locks
from versioning.services.transactions import one_transaction

OFF, LOOK, CALL = "off", "look", "call"
MODES = (OFF, LOOK, CALL)
"""What a provider's option ``witness`` and the setting may say."""

CALL_TAKES_S = 30.0
BELIEVED_FOR = timedelta(days=7)
"""How long an answer stands before a model that is waited for is asked for again."""

AGAIN_AFTER = timedelta(hours=6)
"""A call is not repeated within that time, however often somebody asks."""

KEPT_FOR = timedelta(days=90)
"""How long questions are kept for whoever wonders what was spent."""

MOST_AT_ONCE = 50
"""The most models that one check asks for directly."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking, for people: why a model isn't callable, or that nobody knows."""

    outcome: str
    sentence: str

    @property
    def is_refused(self) -> bool:
        return self.outcome == "refused"

    @property
    def is_callable(self) -> bool:
        return self.outcome == "callable"


NOT_ASKED = Asked("unknown", "It was not asked for directly.")


def ask(*, provider: Provider, upstream_id: str, now: datetime) -> Asked:
    """Ask a provider for one model: look at it, then call it where that is allowed.

    Called outside any transaction; it never raises for what the provider does. A look that
    refuses stands; otherwise the call decides, and where that can't tell, the look.
    """
    mode = _mode(provider)
    if mode == OFF:
        return NOT_ASKED
    try:
        adapter = provider.adapter()
    except ProviderError as error:
        return Asked("unknown", str(error)[:300])
    looked = adapter.look_at(upstream_id, at=now)
    _keep(provider, upstream_id, looked, is_call=False, now=now)
    if looked.outcome == "refused" or mode == LOOK:
        return _said(looked)
    called = _call(adapter, provider, upstream_id, now=now)
    if called is not None and called.outcome != "unknown":
        return _said(called)
    calls = DirectQuestion.objects.calls().filter(provider=provider, upstream_id=upstream_id)
    before = _verdicts(calls, now=now).get(upstream_id)
    return _said(looked if before is None else _witness(before))


def refused(*, provider: Provider, now: datetime) -> dict[str, str]:
    """Return the ids that a provider refused when it was last asked for them, and why."""
    last = _verdicts(DirectQuestion.objects.filter(provider=provider), now=now)
    return {id: row.sentence for id, row in last.items() if row.outcome == "refused"}


def answered(*, provider: Provider, upstream_ids: Collection[str], now: datetime) -> set[str]:
    """Return those of the ids that answered not long ago: they need not be asked for again."""
    about = DirectQuestion.objects.filter(provider=provider, upstream_id__in=upstream_ids)
    last = _verdicts(about, now=now)
    return {id for id, row in last.items() if row.outcome == "callable"}


def is_asked(provider: Provider) -> bool:
    """Tell whether a provider is asked for single models at all."""
    return _mode(provider) != OFF


def _verdicts(questions: QuerySet[DirectQuestion], *, now: datetime) -> dict[str, DirectQuestion]:
    """Return the question that decides about each id: the last call that told, else look."""
    told = questions.filter(asked_at__gte=now - BELIEVED_FOR).exclude(outcome="unknown")
    return {row.upstream_id: row for row in told.order_by("is_call", "asked_at", "pk")}


def ask_all(*, provider: Provider, upstream_ids: Iterable[str], now: datetime) -> dict[str, Asked]:
    """Ask for several models of a provider, the first fifty of them."""
    DirectQuestion.objects.filter(provider=provider, asked_at__lt=now - KEPT_FOR).delete()
    wanted = list(dict.fromkeys(upstream_ids))[:MOST_AT_ONCE]
    return {id: ask(provider=provider, upstream_id=id, now=now) for id in wanted}


def _mode(provider: Provider) -> str:
    said = provider.options.get("witness", "")
    return said if said in MODES else str(settings.HOTSWAP["WITNESS"])


def _call(
    adapter: Adapter, provider: Provider, upstream_id: str, *, now: datetime
) -> Witness | None:
    """Call a model once, within the day's cap; None where it was not called."""
    if not adapter.supports_completion:
        return None
    calls = DirectQuestion.objects.calls().filter(provider=provider)
    last = calls.filter(upstream_id=upstream_id, asked_at__gte=now - AGAIN_AFTER)
    known = last.order_by("-asked_at", "-pk").first()
    if known is not None:
        return _witness(known)
    row = _count_call(provider_id=provider.pk, upstream_id=upstream_id, now=now)
    if row is None:
        return None
    called = adapter.call_once(upstream_id, timeout_s=CALL_TAKES_S)
    row.outcome, row.sentence = called.outcome, called.sentence[:300]
    row.save(update_fields=["outcome", "sentence"])
    return called


@one_transaction
def _count_call(*, provider_id: int, upstream_id: str, now: datetime) -> DirectQuestion | None:
    """Count a call before it is made; None where the day has no more of them.

    One at a time: two workers can't both take the last one.
    """
    provider = locks.hold(Provider.objects.filter(pk=provider_id)).get()
    day = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    made = DirectQuestion.objects.calls().filter(provider=provider, asked_at__gte=day).count()
    if made >= settings.HOTSWAP["WITNESS_CALLS_A_DAY"]:
        return None
    return _keep(provider, upstream_id, Witness("unknown"), is_call=True, now=now)


def _keep(
    provider: Provider, upstream_id: str, said: Witness, *, is_call: bool, now: datetime
) -> DirectQuestion:
    return DirectQuestion.objects.create(
        provider=provider,
        upstream_id=upstream_id[:200],
        is_call=is_call,
        outcome=said.outcome,
        sentence=said.sentence[:300],
        asked_at=now,
    )


def _witness(row: DirectQuestion) -> Witness:
    match row.outcome:
        case "callable":
            return Witness("callable")
        case "refused":
            return Witness("refused", row.sentence)
        case _:
            return Witness("unknown", row.sentence)


def _said(witness: Witness) -> Asked:
    return Asked(witness.outcome, witness.sentence[:300])
