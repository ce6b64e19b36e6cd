"""What runs by itself: once for each time, whoever asks, and made up for when it was missed."""

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from celery.contrib.testing.worker import start_worker
from celery.signals import task_postrun
from django.conf import LazySettings, settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from config.celery import app
from providers.models import Provider
from sample_world.simulator import Simulator
from tests.factories import ProviderFactory, UserFactory
from versioning.models import Check
from versioning.services.checks import schedules

ADDED = datetime(2026, 3, 1, 12, tzinfo=UTC)
NIGHT = datetime(2026, 3, 2, 2, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
HAS_REDIS = settings.CELERY_BROKER_URL.startswith("redis")


@pytest.fixture
def provider(db: None, simulator: Simulator) -> Provider:
    """A provider added at noon, with the schedule installed."""
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250101")
    schedules.install_schedules()
    provider = ProviderFactory(kind="openrouter", base_url=simulator.base_url("openrouter"))
    Provider.objects.update(created_at=ADDED)
    return provider


def due(now: datetime) -> list[datetime]:
    return list(schedules.due_checks(now=now).values())


@pytest.mark.django_db
def test_the_daily_check_is_at_two_in_the_zone_that_is_set(settings: LazySettings) -> None:
    settings.TIME_ZONE = "Europe/Prague"

    schedules.install_schedules()

    crontab = PeriodicTask.objects.get(name=schedules.DAILY_CHECK).crontab
    assert (crontab.minute, crontab.hour, str(crontab.timezone)) == ("0", "2", "Europe/Prague")


@pytest.mark.django_db
def test_the_same_times_twice_are_no_obstacle() -> None:
    """Two may have been made at once, or by somebody in the admin."""
    schedules.install_schedules()
    for kind in (CrontabSchedule, IntervalSchedule):
        for row in kind.objects.all():
            row.pk = None
            row.save()
    PeriodicTask.objects.all().delete()

    schedules.install_schedules()

    assert PeriodicTask.objects.filter(name=schedules.DAILY_CHECK).exists()


@pytest.mark.django_db
def test_what_staff_changed_stays(client: Client) -> None:
    schedules.install_schedules()
    task = PeriodicTask.objects.get(name=schedules.DAILY_CHECK)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])
    assert schedules.DAILY_CHECK in client.get(page).content.decode()
    PeriodicTask.objects.filter(pk=task.pk).update(enabled=False)

    assert schedules.install_schedules() == []

    task.refresh_from_db()
    assert not task.enabled


def test_every_row_names_a_task_that_there_is(provider: Provider) -> None:
    app.loader.import_default_modules()
    named = set(PeriodicTask.objects.values_list("task", flat=True))
    assert named - set(app.tasks) == set()


def test_a_check_is_due_at_night_and_not_before(provider: Provider) -> None:
    assert due(NIGHT - MINUTE) == []
    assert due(NIGHT) == [NIGHT]


def test_each_time_is_kept_once(provider: Provider) -> None:
    assert len(schedules.run_due_checks(now=NIGHT)) == 1
    assert schedules.run_due_checks(now=NIGHT + MINUTE) == []
    assert len(schedules.run_due_checks(now=NIGHT + DAY)) == 1


def test_nights_that_were_missed_are_made_up_for_by_one_check(provider: Provider) -> None:
    back = NIGHT + 3 * DAY + timedelta(hours=7)
    assert len(schedules.run_due_checks(now=back)) == 1
    assert schedules.run_due_checks(now=back + MINUTE) == []


def test_a_check_by_hand_counts_unless_it_failed(provider: Provider) -> None:
    by_hand = Check.objects.create(
        provider=provider,
        trigger=Check.Trigger.COMMAND,
        state=Check.State.FAILED,
        started_at=NIGHT + MINUTE,
        finished_at=NIGHT + MINUTE,
        lease_until=NIGHT + MINUTE,
    )
    assert due(NIGHT + 2 * MINUTE) == [NIGHT]

    Check.objects.filter(pk=by_hand.pk).update(state=Check.State.UNCHANGED)

    assert due(NIGHT + 2 * MINUTE) == []


def test_nothing_is_due_while_it_is_switched_off(provider: Provider) -> None:
    PeriodicTask.objects.filter(name=schedules.DAILY_CHECK).update(enabled=False)
    assert due(NIGHT + DAY) == []


def test_the_hour_is_meant_in_the_row_s_zone_in_summer_too(provider: Provider) -> None:
    prague = CrontabSchedule.objects.create(minute="0", hour="2", timezone="Europe/Prague")
    PeriodicTask.objects.filter(name=schedules.DAILY_CHECK).update(crontab=prague)
    Provider.objects.update(created_at=datetime(2026, 7, 1, 12, tzinfo=UTC))
    at_two = datetime(2026, 7, 2, 0, tzinfo=UTC)
    assert due(at_two - MINUTE) == []
    assert due(at_two) == [at_two]


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_the_same_moment_ask_once(provider: Provider) -> None:
    together = threading.Barrier(8)

    def work() -> None:
        together.wait()
        try:
            schedules.run_due_checks(now=NIGHT)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert Check.objects.count() == 1


@pytest.mark.skipif(not HAS_REDIS, reason="CELERY_BROKER_URL names no Redis")
@pytest.mark.django_db(transaction=True)
def test_a_worker_on_redis_checks_once_for_many_messages(
    provider: Provider,
) -> None:
    done = threading.Semaphore(0)

    def count(**_: object) -> None:
        done.release()

    was_eager, app.conf.task_always_eager = app.conf.task_always_eager, False
    task_postrun.connect(count)
    queue = "tests-of-the-schedule"
    try:
        with start_worker(app, pool="solo", queues=[queue], perform_ping_check=False):
            for _ in range(3):
                app.send_task("versioning.check_due_providers", queue=queue)
            assert all(done.acquire(timeout=30) for _ in range(3))
    finally:
        task_postrun.disconnect(count)
        app.conf.task_always_eager = was_eager

    check = Check.objects.get()
    assert check.trigger == Check.Trigger.SCHEDULE
    assert check.state == Check.State.CHANGED


@pytest.mark.parametrize(
    ("zone", "at", "added", "kept"),
    [
        (
            "Europe/Vienna",
            ("0", "4"),
            datetime(2027, 3, 26, 12, tzinfo=UTC),
            ["27 04:00+0100", "28 04:00+0200", "29 04:00+0200"],
        ),
        (
            "America/Denver",
            ("4", "16"),
            datetime(2027, 11, 6, 12, tzinfo=UTC),
            ["06 16:04-0600", "07 16:04-0700"],
        ),
        (
            "Australia/Lord_Howe",
            ("15", "2"),
            datetime(2027, 4, 2, 18, tzinfo=UTC),
            ["04 02:15+1030", "05 02:15+1030"],
        ),
    ],
)
def test_where_clocks_are_set_each_time_is_kept_once(
    provider: Provider, zone: str, at: tuple[str, str], added: datetime, kept: list[str]
) -> None:
    minute, hour = at
    crontab = CrontabSchedule.objects.create(minute=minute, hour=hour, timezone=zone)
    PeriodicTask.objects.filter(name=schedules.DAILY_CHECK).update(crontab=crontab)
    Provider.objects.update(created_at=added)
    found = []
    for tick in range(3 * 24 * 6):
        now = added + 10 * tick * MINUTE
        for moment in due(now):
            found.append(f"{moment.astimezone(ZoneInfo(zone)):%d %H:%M%z}")
            Check.objects.create(
                provider=provider,
                trigger=Check.Trigger.SCHEDULE,
                state=Check.State.UNCHANGED,
                started_at=now,
                finished_at=now,
                lease_until=now,
            )
    assert found[: len(kept)] == kept
