"""A transaction that the database broke off is made again, at the outermost only."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import psycopg.errors
import pytest
from django.db import OperationalError, connection, connections, transaction

from providers.models import Provider
from tests.factories import ProviderFactory
from versioning.services.transactions import ATTEMPTS, one_transaction

pytestmark = pytest.mark.django_db(transaction=True)


class Work:
    """Adds a provider, and is broken off the first times."""

    def __init__(self, *, broken_off: int, by: type[Exception] = psycopg.errors.DeadlockDetected):
        self.left, self.by, self.times = broken_off, by, 0

    @one_transaction
    def do(self) -> str:
        self.times += 1
        ProviderFactory()
        if self.times <= self.left:
            raise OperationalError("broken off") from self.by()
        return "done"


@pytest.mark.parametrize(
    "by", [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure]
)
def test_what_was_broken_off_is_made_again_from_its_start(by: type[Exception]) -> None:
    assert Work(broken_off=2, by=by).do() == "done"
    assert Provider.objects.count() == 1


def test_it_gives_up_in_the_end() -> None:
    work = Work(broken_off=99)
    with pytest.raises(OperationalError):
        work.do()
    assert work.times == ATTEMPTS
    assert not Provider.objects.exists()


def test_another_fault_is_raised_at_once() -> None:
    work = Work(broken_off=1, by=psycopg.errors.AdminShutdown)
    with pytest.raises(OperationalError):
        work.do()
    assert work.times == 1


def test_within_another_transaction_only_that_one_may_be_made_again() -> None:
    work = Work(broken_off=1)
    with transaction.atomic(), pytest.raises(OperationalError):
        work.do()
    assert work.times == 1

    outer = one_transaction(work.do)
    work.times = 0
    assert outer() == "done"
    assert work.times == 2


def test_two_that_wait_for_each_other_both_end_well() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: no two can wait for each other.")
    one, other = ProviderFactory(), ProviderFactory()
    together = Barrier(2)

    @one_transaction
    def rename(first: Provider, second: Provider) -> None:
        Provider.objects.filter(pk=first.pk).update(name="new")
        with suppress(BrokenBarrierError):  # made again, it is alone
            together.wait(timeout=2)
        Provider.objects.filter(pk=second.pk).update(name="new")

    def run(first: Provider, second: Provider) -> None:
        try:
            rename(first, second)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(run, one, other), pool.submit(run, other, one)]:
            future.result()
    assert list(Provider.objects.values_list("name", flat=True)) == ["new", "new"]
