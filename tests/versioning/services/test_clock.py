"""One clock, one day: what people are told in days is told in the time zone of the settings."""

import ast
import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.db import InterfaceError, OperationalError, connection
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.factories import UpgradeRecordFactory, tracked
from versioning import tasks
from versioning.domain.memory import Wake, WakeKind
from versioning.models import ModelVersion, Policy
from versioning.services import clock
from versioning.services.actors import Actor
from versioning.services.upgrades import (
    decisions,
    explaining,
    memory,
    retirement,
    way_back,
)

pytestmark = pytest.mark.django_db

ZONES = ["Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata", "UTC"]
EVENING = dt.datetime(2026, 6, 1, 20, 0, tzinfo=dt.UTC)
"""June the 2nd already in Auckland and Kolkata, the 1st still elsewhere."""

ELSEWHERE = {
    "versioning/services/clock.py": "here it is decided",
    "versioning/domain/policy.py": "days of the zone that now is given in",
    "versioning/domain/crontab.py": "a schedule has a zone of its own",
    "versioning/domain/lineage/question.py": "a provider's own day, told as seconds",
    "versioning/services/checks/listing.py": "a provider's own day",
    "versioning/services/checks/weighing.py": "a provider's own day",
    "providers/http/fields.py": "a provider's own day",
    "versioning/services/digests.py": "a digest has its reader's zone",
    "versioning/domain/quiet_hours.py": "quiet hours have a zone of their own",
    "versioning/services/samples/request_uses.py": "uses are counted by UTC day, as sums are",
}


def test_no_other_place_makes_a_day_of_a_moment() -> None:
    root = Path(settings.BASE_DIR)
    found = {
        file.relative_to(root).as_posix()
        for folder in ("config", "providers", "versioning")
        for file in (root / folder).rglob("*.py")
        if "migrations" not in file.parts and "simulator" not in file.parts
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (
            (node.func.attr == "date" and not node.args)
            or node.func.attr in ("today", "localdate", "utcnow")
        )
    }
    assert found <= ELSEWHERE.keys(), f"Use services.clock: {sorted(found - ELSEWHERE.keys())}"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("of_reader", ZONES)
def test_the_mail_and_the_admin_say_the_same_day(
    zone: str, of_reader: str, admin_client: Client
) -> None:
    admin_client.cookies["hotswap_zone"] = of_reader
    with override_settings(TIME_ZONE=zone), time_machine.travel(EVENING, tick=False):
        today = timezone.localdate()
        model = tracked(name="zeta", owner="ada@example.com")
        ModelVersion.objects.filter(tracked_model=model).update(retires_on=today)
        tasks.remind()
        assert mail.outbox[0].subject.endswith("retires now")
        page = admin_client.get("/admin/").content.decode()
        assert "today" in page
        assert "tomorrow" not in page
        (found,) = retirement.due(now=EVENING)
        assert found.this_week


@pytest.mark.parametrize("zone", ZONES)
def test_what_waits_for_a_day_wakes_on_that_day(zone: str) -> None:
    with override_settings(TIME_ZONE=zone):
        today = clock.local_day(EVENING)
        record = UpgradeRecordFactory()
        wake = Wake(kind=WakeKind.UNTIL, until=today)
        told = {"record_id": record.pk, "actor": Actor.command(), "reason": "later"}
        record = decisions.reject(now=EVENING - dt.timedelta(days=3), wake=wake, **told)
        offered = {
            "decided": [record],
            "current": record.from_version,
            "version": record.to_version,
        }
        assert memory.may_be_offered_again(**offered, now=EVENING)
        yesterday = EVENING - dt.timedelta(days=1)
        assert not memory.may_be_offered_again(**offered, now=yesterday)


@pytest.mark.parametrize("zone", ZONES)
def test_the_way_back_and_ages_go_by_that_day(zone: str) -> None:
    with override_settings(TIME_ZONE=zone):
        today = clock.local_day(EVENING)
        policy = Policy.objects.create(minimum_age_days=5, watch_days=7)
        record = UpgradeRecordFactory()
        ModelVersion.objects.filter(pk=record.to_version_id).update(
            released_on=today - dt.timedelta(days=5)
        )
        ModelVersion.objects.filter(pk=record.from_version_id).update(
            retires_on=today + dt.timedelta(days=8), first_seen_at=EVENING, last_seen_at=EVENING
        )
        rows = explaining.explain(tracked_model=record.tracked_model, at=EVENING).rows
        ok = {row.rule: row.ok for row in rows}
        assert (ok["age"], ok["way_back"]) == (True, True)
        assert way_back._needed_until(
            policy=explaining.policies.resolve(tracked=record.tracked_model).policy, now=EVENING
        ) == today + dt.timedelta(days=policy.watch_days)


def test_nobody_asks_another_clock() -> None:
    """A moment that one machine keeps is read by others: all go by ``clock.now``."""
    here = Path(clock.__file__)
    ours = here.parents[1]
    others = {"timezone.now", "datetime.now", "datetime.utcnow", "time.time", "date.today"}
    found = {
        f"{file.relative_to(ours)}:{node.lineno}"
        for file in ours.rglob("*.py")
        if file != here and "migrations" not in file.parts
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node).removeprefix("dt.") in others
    }
    assert found == set()


@pytest.fixture
def by_the_database(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.HOTSWAP = {**settings.HOTSWAP, "CLOCK_OF_DATABASE": True}
    monkeypatch.setattr(clock, "_reading", None)


def _travel(seconds: float) -> time_machine.travel:
    return time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")
@pytest.mark.usefixtures("by_the_database")
class TestAMachineWhoseClockIsOff:
    @pytest.mark.parametrize("seconds", [120, -120, 400 * 86400])
    def test_goes_by_the_database_server(self, seconds: float) -> None:
        before = dt.datetime.now(dt.UTC)
        with _travel(seconds):
            assert abs(clock.now() - before) < dt.timedelta(seconds=5)
            assert abs(clock.ahead() - dt.timedelta(seconds=seconds)) < dt.timedelta(seconds=5)

    def test_is_noticed_at_once_where_it_was_right_before(self) -> None:
        before = dt.datetime.now(dt.UTC)
        assert clock.ahead() == dt.timedelta(0)
        with _travel(120):
            assert abs(clock.now() - before) < dt.timedelta(seconds=5)
        assert clock.ahead() == dt.timedelta(0)

    def test_asks_once_in_a_while(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with _travel(120), django_assert_num_queries(1):
            for _ in range(10):
                clock.now()

    def test_is_known_for_a_while_where_nobody_can_be_asked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with _travel(120):
            off = clock.ahead()
            monkeypatch.setattr(clock, "READ_EVERY_S", 0.0)
            clock._reading = dataclasses.replace(clock._reading, good_for_s=0.0)
            with connection.execute_wrapper(_is_away):
                assert clock.ahead() == off


@pytest.mark.usefixtures("by_the_database")
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_who_can_ask_nobody_goes_by_the_own_clock(error: type[Exception]) -> None:
    def is_away(*_: Any) -> Any:
        raise error("away")

    before = dt.datetime.now(dt.UTC)
    with connection.execute_wrapper(is_away):
        assert clock.now() >= before
    assert clock.ahead() == dt.timedelta(0)


def _is_away(*_: Any) -> Any:
    raise OperationalError("away")
