"""A worker that is asked to end does so within seconds, whatever it is at."""

import ast
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from billiard import pool

import versioning.services
from config.celery import let_processes_end
from providers.models import Provider
from sample_world.simulator import Simulator
from tests.factories import NOW, ProviderFactory
from versioning.models import Check, Notice, Tally
from versioning.services import leases, stopping, sweeps
from versioning.services.checks import detection
from versioning.services.samples import rollups

pytestmark = pytest.mark.django_db

LOOKS_UP = {"is_asked", "is_overdue"}
ENDS_BY_ITSELF = {
    "outbox._due": "sweeps.each looks up at each delivery",
    "provider_names.bare_name": "the words of a name",
    "rollup_rebuild._samples": "a person's command",
    "running._Phase._fill": "as many requests as may be under way",
    "sessions.count_out": "the samples of one move, which waits for it",
    "stopping.in_parts": "it looks up itself",
    "trace_deduplication._Family.in_export": "the spans above one",
    "trace_deduplication._in_circles": "the spans above one",
    "transactions.one_transaction.in_one": "four attempts",
}
"""Loops that don't look up, and why they don't last."""


def endless(tree: ast.AST, path: tuple[str, ...]) -> Iterator[str]:
    """Yield the functions in which something is done until none is left, and nobody looks up."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from endless(node, (*path, node.name))
            continue
        if isinstance(node, ast.While):
            names = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            if not names & LOOKS_UP:
                yield ".".join(path)
        yield from endless(node, path)


def test_whatever_goes_on_until_nothing_is_left_looks_up() -> None:
    folder = Path(versioning.services.__file__).parent
    found = set[str]()
    for file in folder.rglob("*.py"):
        found |= set(endless(ast.parse(file.read_text()), (file.stem,)))
    assert found == set(ENDS_BY_ITSELF)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The worker was asked to end, and has no grace left."""
    monkeypatch.setattr(stopping, "GRACE_S", 0.0)
    monkeypatch.setattr(leases, "LOOK_EVERY_S", 0.05)
    stopping.ask()
    yield
    stopping.forget()


@pytest.fixture
def slow(simulator: Simulator) -> Provider:
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250101")
    simulator.list_latency_ms = 3_000
    base_url = simulator.base_url("openrouter")
    return ProviderFactory(slug="router", kind="openrouter", base_url=base_url)


@pytest.mark.usefixtures("asked")
def test_a_check_that_waits_for_its_provider_is_given_back(
    slow: Provider, simulator: Simulator
) -> None:
    began = time.monotonic()

    assert detection.run_checks(trigger="staff", now=NOW) == []

    assert time.monotonic() - began < 2
    check = Check.objects.get()
    assert (check.state, check.lease_until, check.takes) == ("running", NOW, 1)
    simulator.list_latency_ms = 0
    stopping.forget()
    (taken,) = detection.take_up(now=NOW + timedelta(seconds=1))
    assert (taken.state, taken.takes) == ("changed", 2)


def test_what_is_answered_within_the_grace_is_recorded(
    slow: Provider, simulator: Simulator
) -> None:
    simulator.list_latency_ms = 300
    stopping.ask()
    try:
        (check,) = detection.run_checks(trigger="staff", now=NOW)
    finally:
        stopping.forget()
    assert check.state == "changed"


@pytest.mark.usefixtures("asked")
def test_nothing_new_is_begun_and_nobody_is_told_of_a_fault() -> None:
    def endless() -> int:
        raise AssertionError("it was begun")

    def goes_through_seals() -> int:
        raise stopping.AskedToStop

    assert stopping.in_parts(endless) == 0
    assert rollups.fold(now=NOW) == 0
    stopping.forget()
    assert sweeps.in_turn(("Verifying", goes_through_seals), ("Next", endless), now=NOW) == 0
    assert not Notice.objects.exists()
    assert list(Tally.objects.values_list("subject", flat=True)) == ["Verifying"]


def test_samples_that_never_end_leave_others_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "_fold_some", lambda **_: 1)
    monkeypatch.setattr(rollups, "RUN_S", 0.05)
    assert rollups.fold(now=NOW) > 0


def test_a_process_of_the_worker_does_not_wait_for_its_last_result_to_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT"
    monkeypatch.setattr(pool, name, getattr(pool, name))
    let_processes_end()
    worker = pool.Worker.__new__(pool.Worker)
    worker.on_ready_counter = SimpleNamespace(value=0)
    began = time.monotonic()
    assert not worker._ensure_messages_consumed(completed=1)
    assert time.monotonic() - began < 2
