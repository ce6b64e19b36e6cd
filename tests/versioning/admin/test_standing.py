"""What stands still is said on every page, not on its own only."""

from argparse import Namespace
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config import supervisor
from tests.versioning.admin.pages import text
from versioning.models import Freeze, Tally
from versioning.services import notices, standstills, tallies
from versioning.services.actors import Actor
from versioning.services.upgrades import policies

NAMES = (f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry)
PAGES = ("index", *(f"{name}_changelist" for name in NAMES))


def switch_off() -> str:
    policies.switch_automation(
        on=False, reason="An outage at zeta.", actor=Actor.command(), now=timezone.now()
    )
    return "Automation is off."


def freeze() -> str:
    now = timezone.now()
    Freeze.objects.create(
        name="Trade", starts_at=now - timedelta(hours=1), ends_at=now + timedelta(days=9)
    )
    return "Frozen: Trade."


def stop_the_worker() -> str:
    notices.raise_fault(
        subject="worker process, given up", sentence="worker was killed.", now=timezone.now()
    )
    return "The worker process was given up."


def silence_the_scheduler() -> str:
    every = IntervalSchedule.objects.create(every=5, period="minutes")
    PeriodicTask.objects.create(
        name="Go on", task="versioning.advance", interval=every,
        last_run_at=timezone.now() - timedelta(hours=2),
    )  # fmt: skip
    return "The scheduler is silent."


def silence_the_workers() -> str:
    silence_the_scheduler()
    PeriodicTask.objects.update(last_run_at=timezone.now())
    long_ago = timezone.now() - timedelta(hours=2)
    tallies.note(Tally.Kind.STAGE, "done", subject="Late scores", now=long_ago)
    return "No worker does anything."


def test_each_that_the_supervisor_can_give_up_is_known_by_its_name() -> None:
    programs = supervisor.programs_of(Namespace(host="127.0.0.1", port=8000))

    assert {
        f"{program.name} process, given up": f"{program.name} process"
        for program in programs
        if program.without
    } == standstills.GIVEN_UP


def test_what_is_started_again_does_not_stand_still(viewer: Client) -> None:
    again = "beat was killed, and is started again after 1 s."
    notices.raise_fault(subject="beat process", sentence=again, now=timezone.now())

    assert "beat process" not in text(viewer.get(reverse("admin:providers_provider_changelist")))
    assert standstills.current(now=timezone.now()) == []


def test_the_next_start_takes_back_what_was_given_up(viewer: Client) -> None:
    said = stop_the_worker()
    assert said in text(viewer.get(reverse("admin:index")))

    call_command("prepare")

    assert said not in text(viewer.get(reverse("admin:index")))


@pytest.mark.parametrize(
    "stand_still",
    [switch_off, freeze, stop_the_worker, silence_the_scheduler, silence_the_workers],
)
def test_every_page_says_what_stands_still(viewer: Client, stand_still: Callable[[], str]) -> None:
    said = stand_still()
    for page in PAGES:
        answer = viewer.get(reverse(f"admin:{page}"))
        if answer.status_code == 200:
            assert said in text(answer), page


def test_a_disk_that_is_nearly_full_is_said_with_what_to_do(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = Namespace(free=100 * 1024**2, total=10**12)
    monkeypatch.setattr("versioning.services.standstills.disk_usage", lambda folder: left)
    said = " ".join(text(viewer.get(reverse("admin:index"))).split())
    assert "The disk is nearly full.</strong> 100 MB are left" in said
    assert "HOTSWAP_RETENTION_DAYS" in said


def test_a_freeze_that_is_over_is_no_news(viewer: Client) -> None:
    now = timezone.now()
    Freeze.objects.create(
        name="Trade", starts_at=now - timedelta(days=9), ends_at=now - timedelta(hours=1)
    )
    assert "Frozen" not in text(viewer.get(reverse("admin:index")))


def test_where_all_is_well_a_page_asks_one_question_for_it(db: None) -> None:
    silence_the_scheduler()
    PeriodicTask.objects.create(
        name="Check", task="versioning.check", interval=IntervalSchedule.objects.get(),
        last_run_at=timezone.now(),
    )  # fmt: skip
    with CaptureQueriesContext(connection) as asked:
        assert standstills.current(now=timezone.now()) == []
    assert len(asked) == 1


def test_a_stranger_reads_nothing_of_it(db: None) -> None:
    switch_off()
    assert "Automation is off" not in text(Client().get(reverse("admin:login")))
