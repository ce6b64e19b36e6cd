"""Who wants to write finds its turn, however long a row of transactions somebody else makes."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, connections
from django.utils import timezone

from tests.factories import ProviderFactory, tracked
from versioning.models import Rollup, RollupPart
from versioning.services.samples import ingestion, rollups
from versioning.services.samples.incoming import SampleIn
from versioning.services.transactions import one_transaction

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 3
ROW = 12
"""Some four seconds of them."""

HELD_S = 0.3


@one_transaction
def write(name: str, *, held_s: float = 0.0) -> None:
    ProviderFactory(slug=name)
    time.sleep(held_s)


def in_thread(work: Callable[[], object]) -> Callable[[], object]:
    def done() -> object:
        try:
            return work()
        finally:
            connections.close_all()

    return done


def test_a_row_of_transactions_lets_others_in() -> None:
    """In SQLite nobody queues for the lock: who looks for it every 100 ms must find it free."""
    begun, done = Event(), list[int]()

    def row() -> None:
        for number in range(ROW):
            write(f"row-{number}", held_s=HELD_S)
            done.append(number)
            begun.set()

    def meanwhile(name: str) -> int:
        assert begun.wait(10)
        write(name)
        return len(done)

    with ThreadPoolExecutor(1 + WRITERS) as pool:
        making = pool.submit(in_thread(row))
        waiting = [
            pool.submit(in_thread(lambda name=f"other-{n}": meanwhile(name)))
            for n in range(WRITERS)
        ]
        through_after = [int(each.result(timeout=60)) for each in waiting]
        making.result(timeout=60)

    assert max(through_after) <= ROW / 2, through_after


def samples(n: int) -> list[SampleIn]:
    now = timezone.now()
    return [
        SampleIn(provider="acme", model="writer", quality=0.5, time=now - timedelta(hours=k % 3))
        for k in range(n)
    ]


def test_parts_are_added_up_before_the_lock_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    tracked(name="writer", provider__slug="acme")
    ingestion.accept(samples(9), api_key_id=None, now=timezone.now())
    together = rollups._together

    def looked(parts):
        assert not connection.in_atomic_block
        return together(parts)

    monkeypatch.setattr(rollups, "_together", looked)
    assert rollups.fold(now=timezone.now()) > 0
    assert sum(Rollup.objects.values_list("samples", flat=True)) == 9


def test_what_another_folded_meanwhile_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was read, and is gone when it would be written."""
    tracked(name="writer", provider__slug="acme")
    for _ in range(4):
        ingestion.accept(samples(9), api_key_id=None, now=timezone.now())
    together, others = rollups._together, iter([3, 2])

    def overtaken(parts):
        sums = together(parts)
        with monkeypatch.context() as patch:
            patch.setattr(rollups, "_together", together)
            patch.setattr(rollups, "AT_ONCE", next(others, 0))
            rollups._fold_some(without=(), now=timezone.now())
        return sums

    monkeypatch.setattr(rollups, "_together", overtaken)
    rollups.fold(now=timezone.now())

    assert not RollupPart.objects.exists()
    assert sum(Rollup.objects.values_list("samples", flat=True)) == 36
