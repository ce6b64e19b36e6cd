"""Make everything ready to run: tables, static files, schedule."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.core.management.sql import emit_post_migrate_signal
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from versioning.management.service_command import ServiceCommand
from versioning.management.static_files import collect_if_changed
from versioning.services import clock, lock_timeouts, mail, plugins, standstills
from versioning.services.checks import schedules

FIRST_USER = "admin"
LOCK = 0x686F74737761  # any number: the letters "hotswa"
MOST_WAITED = timedelta(seconds=1)
PAUSE_S = 2.0
PATIENCE_S = 900.0
"""For a back-up to come to its end."""


class Command(ServiceCommand):
    help = "Bring the tables up to date, collect static files, install the schedule."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--first-user",
            action="store_true",
            help="where there is no user yet, make one and print its password once",
        )
        parser.add_argument("--json", action="store_true", help="for the supervisor")

    def run(self, **options: Any) -> None:
        try:
            prepared = self._prepare(**options)
        except (DatabaseError, OSError) as error:
            raise CommandError(f"Could not prepare the database: {str(error).strip()}") from error
        if options["json"]:
            self.stdout.write(json.dumps(prepared))
        else:
            for note in prepared["notes"]:
                self.stdout.write(note)

    def _prepare(self, **options: Any) -> dict[str, Any]:
        collect_if_changed()
        with _one_at_a_time():
            _migrate_and_let_by()
            schedules.install_schedules()
            plugins.raise_faults(now=clock.now())
            standstills.start_anew(now=clock.now())
            mail.note_at_start(now=clock.now())
            return {"notes": _first_user() if options["first_user"] else []}


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let those that start on several machines at once make the database ready in turn.

    The lock is the session's, since each migration has a transaction of its own. SQLite needs
    none: its file is one machine's, where the supervisor prepares once.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _migrate_and_let_by() -> None:
    """Bring the tables up to date, and let those who report samples pass.

    Who changes a table waits for whoever reads it, such as a back-up, and all who come later wait
    behind. So it waits for a moment only, lets them by, and tries again; what was done is done.
    SQLite's readers hold nobody up.
    """
    if connection.vendor != "postgresql":
        _migrate()
        return
    last_moment = monotonic() + PATIENCE_S
    while True:
        try:
            with lock_timeouts.waiting_at_most(MOST_WAITED):
                _migrate()
            return
        except OperationalError as error:
            if monotonic() > last_moment or not lock_timeouts.stands_in_the_way(error):
                raise
        sleep(PAUSE_S)


def _migrate() -> None:
    """Bring the tables up to date.

    Where they are, which is at nearly every start, Django would still build each model anew from
    all migrations, and only for what follows them: content types and permissions. These are made
    sure of as they are here, in case an earlier start ended before it came to them.
    """
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
    else:
        emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)


def _first_user() -> list[str]:
    users = get_user_model().objects
    if users.exists():
        return []
    password = secrets.token_urlsafe(12)
    users.create_superuser(FIRST_USER, password=password)
    return [
        f"Sign in as {FIRST_USER} with password {password}",
        "(shown this once; change it in the admin, top right)",
    ]
