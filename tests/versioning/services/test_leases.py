"""Whatever a worker claims is another's within two minutes of its death, and never before."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.db import connection, models

from config.celery import app
from providers.models import Provider
from sample_world.simulator import Simulator
from tests.factories import NOW, ProviderFactory
from versioning.models import Check, Delivery, EvaluationRun, Event, IdempotentRequest, Tally
from versioning.services import idempotency, leases, outbox
from versioning.services.channels import CHANNELS
from versioning.services.checks import detection, listing, schedules

MINUTE = timedelta(minutes=1)
MOST = timedelta(minutes=2)
"""How long what a dead worker had may wait at most, with the minute until the next sweep."""


def longest_of_deliveries() -> timedelta:
    held = [Delivery(channel=name, to="ann", event=Event()) for name in CHANNELS]
    return max(map(outbox.lease, held))


CLAIMED = {
    Check: ("lease_until", lambda: leases.LEASE),
    Delivery: ("due_at", longest_of_deliveries),
    EvaluationRun: ("leased_until", lambda: leases.LEASE),
    IdempotentRequest: ("created_at", lambda: idempotency.IN_FLIGHT_FOR),
}
"""What is claimed in one transaction and ended in another: the column with its time, and how long
that is at most. The last is of a web server's: who repeats the request takes it over."""

TASKS: dict[str, set[type[models.Model]]] = {
    "versioning.carry_on": set(),
    "versioning.chain_seals": set(),
    "versioning.check_due_providers": {Check},
    "versioning.check_provider": {Check},
    "versioning.check_providers": {Check},
    "versioning.deliver_events": {Delivery},
    "versioning.find_drift": set(),
    "versioning.fold_samples": set(),
    "versioning.forget_old_answers": set(),
    "versioning.look_again": set(),
    "versioning.remind": {Delivery},
    "versioning.run_begun_checks": {Check},
    "versioning.run_evaluations": {EvaluationRun},
    "versioning.take_up_checks": {Check},
    "versioning.tidy_samples": set(),
    "versioning.verify_history": set(),
    "versioning.wake_snoozed": set(),
}
"""What each task claims. Nothing: each of its transactions is whole, and its sweep goes on with the
rest; a lock of the database ends with the connection."""

TAKES_UP = {
    Check: "versioning.take_up_checks",
    Delivery: "versioning.deliver_events",
    EvaluationRun: "versioning.run_evaluations",
}


def test_every_task_says_what_it_claims() -> None:
    app.loader.import_default_modules()
    ours = {name for name in current_app.tasks if name.startswith("versioning.")}
    assert ours == TASKS.keys()
    assert set[object]().union(*TASKS.values()) == TAKES_UP.keys()


def looks_claimed(model: type[models.Model]) -> bool:
    """Say whether rows of a model may be somebody's for a while, by the names of its columns."""
    names = {field.name for field in model._meta.get_fields()}
    words = {word for name in names for word in name.split("_")}
    states = {each.value for each in getattr(model, "State", ())}
    return bool(words & {"lease", "leased", "worker", "claimed"}) or "running" in states


def test_whatever_may_be_claimed_has_a_lease() -> None:
    ours = [*apps.get_app_config("providers").get_models()]
    ours += apps.get_app_config("versioning").get_models()
    found = {model for model in ours if looks_claimed(model)}
    assert found <= CLAIMED.keys()
    for model, (column, _) in CLAIMED.items():
        assert isinstance(model._meta.get_field(column), models.DateTimeField)


@pytest.mark.parametrize("model", CLAIMED, ids=lambda model: model.__name__)
def test_no_lease_is_longer_than_two_minutes(model: type[models.Model]) -> None:
    _, longest = CLAIMED[model]
    assert timedelta(0) < longest() <= MOST
    assert 2 * leases.RENEW_EVERY < leases.LEASE


@pytest.mark.parametrize("model", TAKES_UP, ids=lambda model: model.__name__)
def test_what_dead_workers_had_is_looked_for_every_minute(model: type[models.Model]) -> None:
    (entry,) = [each for each in schedules.entries() if each.task == TAKES_UP[model]]
    assert entry.minutes == 1


@pytest.fixture
def provider(simulator: Simulator) -> Provider:
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250101")
    base_url = simulator.base_url("openrouter")
    return ProviderFactory(slug="router", kind="openrouter", base_url=base_url)


def left_by_a_dead_worker(provider: Provider, *, takes: int = 1) -> Check:
    return Check.objects.create(
        provider=provider,
        trigger="staff",
        started_at=NOW,
        lease_until=NOW + leases.LEASE,
        takes=takes,
    )


@pytest.mark.django_db
def test_a_dead_worker_s_check_is_taken_up_when_its_lease_is_over_and_once(
    provider: Provider, simulator: Simulator
) -> None:
    check = left_by_a_dead_worker(provider)
    assert detection.take_up(now=NOW + leases.LEASE) == []

    (taken,) = detection.take_up(now=NOW + leases.LEASE + MINUTE)

    assert (taken.pk, taken.state, taken.takes) == (check.pk, "changed", 2)
    assert detection.take_up(now=NOW + 3 * MINUTE) == []
    assert len(simulator.requests("openrouter")) == 1


@pytest.mark.django_db
def test_a_check_that_several_workers_died_of_is_given_up(
    provider: Provider, simulator: Simulator
) -> None:
    check = left_by_a_dead_worker(provider, takes=detection.MOST_TAKES)
    assert detection.take_up(now=NOW + 2 * MINUTE) == []
    check.refresh_from_db()
    assert (check.state, check.error_kind) == ("failed", "broken")
    assert simulator.requests("openrouter") == []


@pytest.mark.django_db
def test_a_check_that_another_worker_took_over_is_left_to_it(provider: Provider) -> None:
    check = left_by_a_dead_worker(provider)
    Check.objects.filter(pk=check.pk).update(takes=2)

    assert detection._ask_side_by_side([check], now=NOW) == []

    check.refresh_from_db()
    assert (check.state, check.takes, check.listed) == ("running", 2, 0)


@pytest.mark.django_db
def test_who_is_taken_over_in_the_middle_writes_nothing_more(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = left_by_a_dead_worker(provider)
    write = listing.write

    def slowly(*args: Any, **kwargs: Any) -> None:
        write(*args, **kwargs)
        Check.objects.filter(pk=check.pk).update(takes=2)

    monkeypatch.setattr(listing, "write", slowly)
    assert detection._ask_side_by_side([check], now=NOW) == []
    check.refresh_from_db()
    assert (check.state, check.takes, check.listed) == ("running", 2, 0)
    assert not Tally.objects.exists()


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=1.5))
    monkeypatch.setattr(leases, "RENEW_EVERY", timedelta(seconds=0.2))
    monkeypatch.setattr(leases, "LOOK_EVERY_S", 0.1)
    return


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("short_leases")
def test_a_slow_living_worker_keeps_its_check(provider: Provider, simulator: Simulator) -> None:
    simulator.list_latency_ms = 4_000
    began = time.monotonic()

    def now() -> timedelta:
        return timedelta(seconds=time.monotonic() - began)

    def work() -> None:
        try:
            detection.run_checks(trigger="staff", now=NOW)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    while worker.is_alive():
        assert detection.take_up(now=NOW + now()) == []
        time.sleep(0.1)

    check = Check.objects.get()
    assert (check.state, check.takes) == ("changed", 1)
    assert now() > 2 * leases.LEASE
    assert len(simulator.requests("openrouter")) == 1
