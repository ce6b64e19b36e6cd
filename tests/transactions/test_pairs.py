"""Each pair of unlike transactions at the same moment, on the same model: both end well."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from tests.transactions.acts import ACTS, Act, laws_hold
from tests.transactions.tracing import InStep
from tests.transactions.world import Bustle, Busy
from versioning.services import transactions
from versioning.services.errors import ServiceError

pytestmark = pytest.mark.django_db(transaction=True)

CORE = (
    "record a check",
    "approve",
    "roll back",
    "begin a canary",
    "look at the canary",
    "end a run",
    "judge the tests",
    "fold",
    "score late",
    "edit a version",
    "change a rule",
    "edit the policy",
    "chain the history",
)
"""Those that are raced by default; ``-m slow`` races all."""


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that the database breaks off isn't made again: the order alone must do."""
    monkeypatch.setattr(transactions, "ATTEMPTS", 1)


def race(pair: tuple[Act, Act], bustle: Bustle) -> Iterator[BaseException | None]:
    """Do both at once, each with a connection of its own; yield what each raised."""
    in_step = InStep()
    state = next((act.state for act in pair if act.state), "canary")
    busy = [bustle.busy(act.state or state) for act in pair]

    def do(act: Act, on: Busy) -> BaseException | None:
        try:
            with in_step.joined():
                act.do(bustle, on)
        except ServiceError as refused:
            return refused
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(do, act, on) for act, on in zip(pair, busy, strict=True)]:
            yield future.exception() or future.result()


def meet(pair: tuple[Act, Act]) -> None:
    bustle = Bustle()
    for act, end in zip(pair, race(pair, bustle), strict=True):
        assert end is None or isinstance(end, ServiceError), (
            f"{act.name}, beside {[each.name for each in pair]}: {end!r}"
        )
    for busy in bustle.made.values():
        laws_hold(busy)


def meet_each(first: str, others: Sequence[str]) -> None:
    if connection.vendor == "sqlite":
        # One writer at a time: none holds a part of what another waits for. Two pairs of each
        # show that they wait for one another, and don't fail.
        others = others[:2]
    for other in others:
        meet((ACTS[first], ACTS[other]))


@pytest.mark.parametrize("first", CORE)
def test_two_transactions_at_once_both_end_well(first: str) -> None:
    meet_each(first, CORE[CORE.index(first) :])


@pytest.mark.slow
@pytest.mark.parametrize("first", ACTS)
def test_any_two_transactions_at_once_both_end_well(first: str) -> None:
    names = list(ACTS)
    meet_each(first, names[names.index(first) :])
