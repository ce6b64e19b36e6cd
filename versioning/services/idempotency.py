"""Do a request once, however often its client repeats it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from versioning.models import IdempotentRequest
from versioning.services import constraints
from versioning.services.errors import ServiceError
from versioning.services.transactions import one_transaction

IN_FLIGHT_FOR = timedelta(minutes=1)
"""A request that has no answer after this time has crashed; the next one takes over."""

# Longer than any client goes on trying: after a weekend a retry is a new wish.
KEPT_FOR = timedelta(days=2)


class InFlight(ServiceError):
    """The same request is being worked on right now."""

    code = "request-in-flight"


class KeyReused(ServiceError):
    """The Idempotency-Key stands for another request."""

    code = "idempotency-key-reused"
    status = 422


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it is kept: ``body`` is plain JSON."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    is_replay: bool = False


def answer_once(
    *,
    caller: str,
    key: str,
    fingerprint: str,
    now: datetime,
    work: Callable[[], StoredAnswer],
) -> StoredAnswer:
    """Do the work and keep its answer in one transaction; repeat the answer the next time.

    Work that raises changes nothing and may be tried again with the same key. What must outlive
    a refusal comes before. Raises InFlight and KeyReused.
    """
    claimed, stored = _claim(caller=caller, key=key, fingerprint=fingerprint, now=now)
    if stored is not None:
        return stored
    return _done(claimed, one_transaction(_and_keep), work, now=now)


def answer_after_asking(
    *,
    caller: str,
    key: str,
    fingerprint: str,
    now: datetime,
    work: Callable[[], StoredAnswer],
) -> StoredAnswer:
    """Do work that asks others and changes nothing, then keep its answer; as ``answer_once``.

    It is no transaction: others would wait as long as the one who is asked. A crash before the
    answer is kept has it asked once more.
    """
    claimed, stored = _claim(caller=caller, key=key, fingerprint=fingerprint, now=now)
    if stored is not None:
        return stored
    return _done(claimed, _and_keep, work, now=now)


def _done(
    claimed: int,
    do: Callable[[QuerySet[IdempotentRequest], Callable[[], StoredAnswer]], StoredAnswer],
    work: Callable[[], StoredAnswer],
    *,
    now: datetime,
) -> StoredAnswer:
    ours = IdempotentRequest.objects.filter(pk=claimed, status=None, created_at=now)
    try:
        return do(ours, work)
    except Exception:
        ours.delete()
        raise


def _and_keep(ours: QuerySet[IdempotentRequest], work: Callable[[], StoredAnswer]) -> StoredAnswer:
    answer = work()
    kept = ours.update(
        status=answer.status,
        # As text: PostgreSQL would give the members back in another order.
        answer={"body": json.dumps(answer.body), "headers": answer.headers},
    )
    if kept != 1:  # we were so slow that another took over: ours is undone
        raise InFlight("The same request is being worked on by another process.")
    return answer


def forget_old(*, now: datetime) -> int:
    """Drop the answers that nobody repeats any more; return how many."""
    dropped, _ = IdempotentRequest.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    return dropped


def _claim(
    *, caller: str, key: str, fingerprint: str, now: datetime
) -> tuple[int, StoredAnswer | None]:
    """Return our row, and the answer if the request was answered before."""
    try:
        with transaction.atomic():
            row = IdempotentRequest.objects.create(
                caller=caller, key=key, fingerprint=fingerprint, created_at=now
            )
            return row.pk, None
    except IntegrityError as error:
        if not constraints.is_duplicate(error):
            raise
        known = IdempotentRequest.objects.filter(caller=caller, key=key).first()
    if known is None:
        raise InFlight("The same request has just ended in an error. Send it again.")
    if known.fingerprint != fingerprint:
        raise KeyReused(
            "This Idempotency-Key was sent with another request. Use a new key for each request."
        )
    if known.status is not None and known.answer is not None:
        return known.pk, StoredAnswer(
            status=known.status,
            body=json.loads(known.answer["body"]),
            headers=known.answer["headers"],
            is_replay=True,
        )
    return _take_over(known, now=now), None


def _take_over(known: IdempotentRequest, *, now: datetime) -> int:
    # A claim from the future is of a machine whose clock is ahead: it may have died long ago.
    # Who is taken over while at work is undone, so no clock can have a request done twice.
    crashed = Q(created_at__lt=now - IN_FLIGHT_FOR) | Q(created_at__gt=now + IN_FLIGHT_FOR)
    taken = IdempotentRequest.objects.filter(
        crashed, pk=known.pk, status=None, created_at=known.created_at
    ).update(created_at=now)
    if taken != 1:
        raise InFlight("The same request is being worked on right now. Ask again in a moment.")
    return known.pk
