"""A second witness beside the lists: a model is asked for directly. Speaks HTTP.

Looks at a model's own address are free. A call of one token proves more and costs something: each
is counted, and no provider gets more of them in a day than the settings say.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db.models import QuerySet

from providers.base import Adapter, ProviderError, Witness
from providers.http.guard import refuse_if_others_wait
from providers.models import Provider
from versioning.models import DirectQuestion
from versioning.services import clock, leases, locks
from versioning.services.threads import ThreadPool
from versioning.services.transactions import one_transaction

OFF, LOOK, CALL = "off", "look", "call"
MODES = (OFF, LOOK, CALL)
"""What a provider's option ``witness`` and the setting may say."""

# One token from a model that may have to be loaded first.
CALL_TAKES_S = 30.0
BELIEVED_FOR = timedelta(days=7)
"""How long an answer stands before a model that is waited for is asked for again."""

AGAIN_AFTER = timedelta(hours=6)
"""A call is not repeated within that time, however often somebody asks."""

KEPT_FOR = timedelta(days=90)
"""How long questions are kept for whoever wonders what was spent."""

MOST_AT_ONCE = 50
"""The most models that one check asks for directly."""

MOST_SIDE_BY_SIDE = 8
"""The most requests that a provider gets from one asker at the same moment."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking, for people: why a model isn't callable, or that nobody knows."""

    outcome: str
    sentence: str

    @property
    def is_refused(self) -> bool:
        return self.outcome == "refused"

    @property
    def is_callable(self) -> bool:
        return self.outcome == "callable"


NOT_PROBED = Probe("unknown", "It was not asked for directly.")


def probe(*, provider: Provider, upstream_id: str, now: datetime) -> Probe:
    """Ask a provider for one model: look at it, then call it where that is allowed.

    Called outside any transaction; it never raises for what the provider does. A look that
    refuses stands; otherwise the call decides, and where that can't tell, the look.
    """
    return probe_all(provider=provider, upstream_ids=[upstream_id], now=now)[upstream_id]


def probe_all(
    *, provider: Provider, upstream_ids: Iterable[str], now: datetime
) -> dict[str, Probe]:
    """Ask for several models of a provider as ``probe`` does, the first fifty of them.

    A few are asked for at once: the threads only wait for the network.
    """
    DirectQuestion.objects.filter(provider=provider, asked_at__lt=now - KEPT_FOR).delete()
    wanted = list(dict.fromkeys(upstream_ids))[:MOST_AT_ONCE]
    mode = _mode(provider)
    if mode == OFF or not wanted:
        return dict.fromkeys(wanted, NOT_PROBED)
    try:
        adapter = provider.adapter()
    except ProviderError as error:
        return dict.fromkeys(wanted, Probe("unknown", str(error)[:300]))
    looked = _side_by_side(partial(adapter.look_at, at=now), wanted)
    _keep(provider, looked, is_call=False, now=now)
    unsure = [id for id in wanted if looked[id].outcome != "refused"]
    if mode == CALL and adapter.supports_completion:
        looked |= _call_all(adapter, provider, unsure, now=now)
    return {id: _said(looked[id]) for id in wanted}


def refused(*, provider: Provider, now: datetime) -> dict[str, str]:
    """Return the ids that a provider refused when it was last asked for them, and why."""
    last = _verdicts(DirectQuestion.objects.filter(provider=provider), now=now)
    return {id: row.sentence for id, row in last.items() if row.outcome == "refused"}


def answered(*, provider: Provider, upstream_ids: Collection[str], now: datetime) -> set[str]:
    """Return those of the ids that answered not long ago: they need not be asked for again."""
    about = DirectQuestion.objects.filter(provider=provider, upstream_id__in=upstream_ids)
    last = _verdicts(about, now=now)
    return {id for id, row in last.items() if row.outcome == "callable"}


def may_probe(provider: Provider) -> bool:
    """Tell whether a provider is asked for single models at all."""
    return _mode(provider) != OFF


def _verdicts(questions: QuerySet[DirectQuestion], *, now: datetime) -> dict[str, DirectQuestion]:
    """Return the question that decides about each id: the last call that told, else look."""
    told = questions.filter(asked_at__gte=now - BELIEVED_FOR).exclude(outcome="unknown")
    return {row.upstream_id: row for row in told.order_by("is_call", "asked_at", "pk")}


def _mode(provider: Provider) -> str:
    said = provider.options.get("witness", "")
    return said if said in MODES else str(settings.HOTSWAP["WITNESS"])


def _side_by_side(ask: Callable[[str], Witness], ids: Sequence[str]) -> dict[str, Witness]:
    """Return what came of each id. Raises HoldsOthersUp within a transaction."""
    refuse_if_others_wait()
    with ThreadPool(max_workers=MOST_SIDE_BY_SIDE) as pool:
        asked = {pool.submit(ask, id): id for id in ids}
        said = {asked[done]: done.result() for done in leases.as_completed(asked.keys())}
    return {id: said[id] for id in ids}


def _call_all(
    adapter: Adapter, provider: Provider, upstream_ids: Sequence[str], *, now: datetime
) -> dict[str, Witness]:
    """Call models once each, within the day's cap; return what calls have told, now or before."""
    calls = DirectQuestion.objects.calls().filter(provider=provider, upstream_id__in=upstream_ids)
    lately = calls.filter(asked_at__gte=now - AGAIN_AFTER)
    known = set(lately.values_list("upstream_id", flat=True))
    rows = _count_calls(
        provider_id=provider.pk,
        upstream_ids=[id for id in upstream_ids if id not in known],
        now=now,
    )
    called = _side_by_side(partial(adapter.call_once, timeout_s=CALL_TAKES_S), list(rows))
    for id, row in rows.items():
        row.outcome, row.sentence = called[id].outcome, called[id].sentence[:300]
    DirectQuestion.objects.bulk_update(rows.values(), ["outcome", "sentence"])
    return {id: _witness(row) for id, row in _verdicts(calls, now=now).items()}


@one_transaction
def _count_calls(
    *, provider_id: int, upstream_ids: Sequence[str], now: datetime
) -> dict[str, DirectQuestion]:
    """Count calls before they are made; those that the day has no room for are left out.

    One asker at a time: two workers can't both take the last one.
    """
    provider = locks.hold(Provider.objects.filter(pk=provider_id)).get()
    day = clock.start_of(clock.local_day(now))
    made = DirectQuestion.objects.calls().filter(provider=provider, asked_at__gte=day).count()
    left = max(0, settings.HOTSWAP["WITNESS_CALLS_A_DAY"] - made)
    unasked = dict.fromkeys(upstream_ids[:left], Witness("unknown"))
    return _keep(provider, unasked, is_call=True, now=now)


def _keep(
    provider: Provider, said: Mapping[str, Witness], *, is_call: bool, now: datetime
) -> dict[str, DirectQuestion]:
    rows = {
        id: DirectQuestion(
            provider=provider,
            upstream_id=id[:200],
            is_call=is_call,
            outcome=each.outcome,
            sentence=each.sentence[:300],
            asked_at=now,
        )
        for id, each in said.items()
    }
    DirectQuestion.objects.bulk_create(rows.values())
    return rows


def _witness(row: DirectQuestion) -> Witness:
    match row.outcome:
        case "callable":
            return Witness("callable")
        case "refused":
            return Witness("refused", row.sentence)
        case _:
            return Witness("unknown", row.sentence)


def _said(witness: Witness) -> Probe:
    return Probe(witness.outcome, witness.sentence[:300])
