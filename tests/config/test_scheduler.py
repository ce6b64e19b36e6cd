"""The scheduler ends when it is asked to, and begins what a wrong clock put off."""

import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import time_machine
from django_celery_beat.models import PeriodicTask

from config.celery import app
from config.scheduler import Scheduler, SchedulerRow
from tests.config.conftest import Start, embedded, run, wait_until
from tests.config.test_operations import database as database
from versioning.services.checks import schedules

ON_POSTGRESQL = os.environ.get("DATABASE_URL", "").startswith("postgres")
SOON_S = 60.0
LOCK = "LOCK TABLE django_celery_beat_periodictasks IN ACCESS EXCLUSIVE MODE"
WAITS = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.mark.skipif(not ON_POSTGRESQL, reason="needs PostgreSQL")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_the_middle_of_a_query(
    number: signal.Signals, database: str, start: Start, tmp_path: Path
) -> None:
    environment = embedded(tmp_path, DATABASE_URL=database)
    assert run([sys.executable, "manage.py", "prepare"], environment).returncode == 0
    output = tmp_path / "beat.log"
    with psycopg.connect(database) as server:  # so that there is something to write down
        server.execute("UPDATE django_celery_beat_intervalschedule SET every=1, period='seconds'")
    beat = start([sys.executable, "-m", "config.command", "beat"], environment, output)
    wait_until(lambda: [*tmp_path.glob("queue/messages/*")], "beat's first message")
    with (
        psycopg.connect(database) as holder,
        psycopg.connect(database, autocommit=True) as watcher,
    ):
        holder.execute(LOCK)
        wait_until(lambda: watcher.execute(WAITS).fetchone() == (1,), "a query that waits")

        beat.send_signal(number)

        assert beat.wait(SOON_S) == 0, output.read_text()
    assert "Traceback" not in output.read_text()


@pytest.fixture
def handlers() -> Iterator[None]:
    """Set a scheduler's handlers of signals back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_a_second_signal_breaks_nothing_off_and_a_swallowed_one_is_heard() -> None:
    scheduler = Scheduler(app=app, lazy=True)
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGINT)

    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(SystemExit):
        scheduler.tick()


@pytest.mark.django_db
@pytest.mark.usefixtures("handlers")
def test_a_clock_that_is_set_back_holds_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows were next at two hours from now: for so long nothing at all was begun."""
    schedules.install_schedules()
    begun: list[str] = []
    monkeypatch.setattr(Scheduler, "apply_entry", lambda _, entry, **__: begun.append(entry.name))
    monkeypatch.setattr(Scheduler, "schedule_changed", lambda _: False)  # it ends transactions
    monkeypatch.setattr(Scheduler, "sync", lambda _: None)
    monkeypatch.setattr("config.scheduler.monotonic", lambda: 0.0)
    now = datetime.now(UTC)
    with time_machine.travel(now + timedelta(hours=2), tick=False):
        scheduler = Scheduler(app=app, lazy=True)
        scheduler.tick()
    with time_machine.travel(now + timedelta(hours=2, minutes=2), tick=False):
        monkeypatch.setattr("config.scheduler.monotonic", lambda: 120.0)
        for _ in range(50):
            scheduler.tick()
    assert "Deliver events" in begun
    begun.clear()
    for minute in range(1, 4):
        monkeypatch.setattr("config.scheduler.monotonic", lambda: 120.0 + 60 * minute)  # noqa: B023
        with time_machine.travel(now + timedelta(minutes=minute), tick=False):
            for _ in range(50):
                scheduler.tick()
    assert begun.count("Deliver events") in {2, 3}


@pytest.mark.django_db
def test_a_row_of_a_scheduler_whose_clock_was_ahead_is_not_held_back() -> None:
    schedules.install_schedules()
    row = PeriodicTask.objects.get(name="Deliver events")
    row.last_run_at = datetime.now(UTC) + timedelta(days=400)

    _, next_in_s = SchedulerRow(row).is_due()

    assert next_in_s <= 60
