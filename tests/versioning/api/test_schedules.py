"""When the providers are asked, read and changed over HTTP."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import CrontabSchedule, PeriodicTask, PeriodicTasks

from tests.factories import ProviderFactory
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.services.checks import schedules

pytestmark = pytest.mark.django_db


@pytest.fixture
def daily(db: None) -> PeriodicTask:
    schedules.install_schedules()
    return PeriodicTask.objects.get(name=schedules.DAILY_CHECK)


def test_the_daily_check_is_among_them(api: Api, daily: PeriodicTask) -> None:
    rows = api.get("/api/schedules").json()["results"]

    found = next(row for row in rows if row["name"] == schedules.DAILY_CHECK)
    assert found == api.get(f"/api/schedules/{daily.pk}").json()
    assert (found["crontab"]["hour"], found["crontab"]["minute"]) == ("2", "0")
    assert "02:00" in found["when"]
    assert found["enabled"] is True
    assert len(rows) == len(schedules.entries())


def test_the_list_takes_two_queries(api: Api, daily: PeriodicTask) -> None:
    api.get("/api/schedules"), api.get("/api/schedules")

    with CaptureQueriesContext(connection) as queries:
        api.get("/api/schedules")

    assert len(queries) == 2  # the key, the page


def test_the_check_is_due_when_the_new_time_says(api: Api, daily: PeriodicTask) -> None:
    provider = ProviderFactory()
    beat_saw = PeriodicTasks.last_change()

    changed = api.patch(
        f"/api/schedules/{daily.pk}", {"crontab": {"hour": "5", "time_zone": "Asia/Tokyo"}}
    ).json()

    assert changed["crontab"] == {
        "minute": "0",
        "hour": "5",
        "day_of_month": "*",
        "month_of_year": "*",
        "day_of_week": "*",
        "time_zone": "Asia/Tokyo",
    }
    due = schedules.due_checks(now=provider.created_at + dt.timedelta(days=1))
    assert due[provider.slug].astimezone(dt.UTC).hour == 20  # 05:00 in Tokyo
    assert PeriodicTasks.last_change() != beat_saw  # so beat reads it anew


def test_others_at_the_same_time_keep_theirs(api: Api, daily: PeriodicTask) -> None:
    other = PeriodicTask.objects.create(name="other", task="x", crontab=daily.crontab)

    api.patch(f"/api/schedules/{daily.pk}", {"crontab": {"hour": "5"}})
    api.patch(f"/api/schedules/{daily.pk}", {"crontab": {"hour": "2"}})

    other.refresh_from_db(), daily.refresh_from_db()
    assert other.crontab.hour == "2"
    assert daily.crontab == other.crontab


def test_it_is_switched_off_and_on(api: Api, daily: PeriodicTask) -> None:
    provider = ProviderFactory()
    later = provider.created_at + dt.timedelta(days=2)
    address = f"/api/schedules/{daily.pk}"

    assert api.patch(address, {"enabled": False}).json()["enabled"] is False
    assert schedules.due_checks(now=later) == {}
    assert api.patch(address, {"enabled": True}).json()["crontab"]["hour"] == "2"
    assert schedules.due_checks(now=later)


def test_it_may_run_every_so_often_instead_and_go_back(api: Api, daily: PeriodicTask) -> None:
    address = f"/api/schedules/{daily.pk}"

    often = api.patch(address, {"interval": {"every": 6, "period": "hours"}}).json()
    back = api.patch(address, {"crontab": {"hour": "4"}}).json()

    assert (often["interval"], often["crontab"]) == ({"every": 6, "period": "hours"}, None)
    assert (back["interval"], back["crontab"]["minute"]) == (None, "0")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"crontab": {"hour": "25"}}, "/crontab/hour"),
        ({"crontab": {"minute": "x"}}, "/crontab/minute"),
        ({"crontab": {"minute": ""}}, "/crontab/minute"),
        ({"crontab": {"hour": None}}, "/crontab/hour"),
        ({"crontab": {"time_zone": "Mars/North"}}, "/crontab/time_zone"),
        ({"crontab": {"time_zone": "../etc"}}, "/crontab/time_zone"),
        ({"crontab": {"day_of_month": "31", "month_of_year": "2"}}, "/crontab"),
        ({"interval": {"every": 0, "period": "hours"}}, "/interval/every"),
        ({"interval": {"every": 1, "period": "microseconds"}}, "/interval/period"),
        (
            {"interval": {"every": 1, "period": "hours"}, "crontab": {"hour": "1"}},
            "/interval",
        ),
        ({"task": "os.system"}, "/task"),
    ],
)
def test_what_can_not_be_is_422_and_named(
    api: Api, daily: PeriodicTask, change: dict[str, Any], pointer: str
) -> None:
    count = CrontabSchedule.objects.count()

    problem = assert_problem(api.patch(f"/api/schedules/{daily.pk}", change), 422, "invalid")

    assert problem["errors"][0]["pointer"] == pointer
    assert problem["errors"][0]["detail"]
    daily.refresh_from_db()
    assert (daily.crontab.hour, CrontabSchedule.objects.count()) == ("2", count)


def test_one_that_is_not_there_is_404(api: Api) -> None:
    assert_problem(api.patch("/api/schedules/0", {"enabled": True}), 404, "not-found")
