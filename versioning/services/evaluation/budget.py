"""The purse of a run: the most that a request can cost is held before it leaves.

What is held or spent never passes the budget, because the hold is one conditional update.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from versioning.models import EvaluationRun, Trial
from versioning.services.transactions import one_transaction


class HoldResult(StrEnum):
    """Whether a request may leave."""

    YES = "yes"
    NO_BUDGET = "no_budget"
    STOPPED = "stopped"
    """The run was cancelled, or another worker has it."""
    TAKEN = "taken"
    """The trial is done or under way already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostCap:
    """The most that one request can take; ``usd`` is 0 where no price is known."""

    usd: Decimal
    tokens: int


@one_transaction
def hold(*, trial: Trial, price: CostCap, worker: str, now: datetime) -> HoldResult:
    """Hold the price of a trial and mark it as asked, in one transaction."""
    mine = EvaluationRun.objects.filter(
        pk=trial.run_id, state=EvaluationRun.State.RUNNING, worker=worker
    )
    affordable = (
        Q(budget_usd=None) | Q(budget_usd__gte=F("spent_usd") + F("held_usd") + price.usd)
    ) & (
        Q(budget_tokens=None)
        | Q(budget_tokens__gte=F("spent_tokens") + F("held_tokens") + price.tokens)
    )
    held = mine.filter(affordable).update(
        held_usd=F("held_usd") + price.usd, held_tokens=F("held_tokens") + price.tokens
    )
    if not held:
        return HoldResult.NO_BUDGET if mine.exists() else HoldResult.STOPPED
    taken = Trial.objects.left().filter(pk=trial.pk, asked_at=None)
    if not taken.update(
        asked_at=now,
        asks=F("asks") + 1,
        held_usd=price.usd,
        held_tokens=price.tokens,
    ):
        transaction.set_rollback(True)
        return HoldResult.TAKEN
    return HoldResult.YES


def settle(*, trial: Trial, spent_usd: Decimal, spent_tokens: int) -> None:
    """Give back what the trial held and write down what it took.

    Call it in a transaction, with the run locked.
    """
    held = Trial.objects.filter(pk=trial.pk).values_list("held_usd", "held_tokens").get()
    Trial.objects.filter(pk=trial.pk).update(held_usd=0, held_tokens=0)
    EvaluationRun.objects.filter(pk=trial.run_id).update(
        held_usd=Greatest(F("held_usd") - held[0], Decimal(0)),
        held_tokens=Greatest(F("held_tokens") - held[1], 0),
        spent_usd=F("spent_usd") + spent_usd,
        spent_tokens=F("spent_tokens") + spent_tokens,
    )


def settle_lost(*, run_id: int) -> int:
    """Count requests that a dead worker had under way as spent; they may be asked again.

    Nobody knows whether the provider charged them, so the most they can have cost is counted.
    Returns how many there were. Call it in a transaction, with the run locked.
    """
    lost = list(Trial.objects.left().filter(run_id=run_id).exclude(asked_at=None))
    for trial in lost:
        settle(trial=trial, spent_usd=trial.held_usd, spent_tokens=trial.held_tokens)
    Trial.objects.filter(pk__in=[trial.pk for trial in lost]).update(asked_at=None)
    return len(lost)
