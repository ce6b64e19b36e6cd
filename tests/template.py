"""The migrated test database, made once and copied: migrating it costs ten seconds, a copy none.

The copy stands in pytest's own cache (`pytest --cache-clear` and `make clean` delete it), on
PostgreSQL beside the tests' database, under a name made from all that it depends on.
"""

import fcntl
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from django.apps import apps
from django.db import connection
from django.db.backends.sqlite3.base import Database


def name() -> str:
    """Return a name that changes with each migration, and with what migrations call: models."""
    made_of = hashlib.sha256(f"{django.VERSION} {Database.sqlite_version}".encode())
    for app in apps.get_app_configs():
        folder = Path(app.path)
        for pattern in ("migrations/**/*.py", "models/**/*.py", "models.py"):
            for path in sorted(folder.glob(pattern)):
                made_of.update(f"{app.label} {path.relative_to(folder)}\n".encode())
                made_of.update(path.read_bytes())
    return f"{made_of.hexdigest()[:16]}.sqlite3"


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Give the path of the template, which may not be there yet, to one process at a time.

    Others wait meanwhile: on the first run one of the workers migrates, not each. What older
    migrations made goes.
    """
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        template = folder / name()
        for other in folder.glob("*.sqlite3*"):
            if other != template:
                other.unlink()
        yield template


def copy(folder: Path, *, to: Path) -> None:
    """Give a program that is started on data of its own a migrated database, if there is one."""
    with held(folder) as template:
        if template.exists():
            to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(template, to)


def keep(template: Path) -> None:
    """Make the template of the test database as it is now, wholly or not at all.

    Where no test of the session asks for a database pytest-django makes none: then there is nothing
    to keep, and who starts a program migrates it.
    """
    if not connection.introspection.table_names():
        return
    begun = template.with_suffix(".sqlite3-begun")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(begun)])
    begun.rename(template)


@dataclass
class OnServer:
    """The template on PostgreSQL: a database beside the one that settings name."""

    name: str
    is_there: bool

    def keep(self, *, unless: str) -> None:
        """Make it of the database that the tests have now, unless they got none of their own."""
        made = connection.settings_dict["NAME"]
        if made == unless:
            return
        connection.close()  # a database that is in use is not copied
        quote = connection.ops.quote_name
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {quote(self.name)} TEMPLATE {quote(made)}")
        self.is_there = True


@contextmanager
def held_on_server(folder: Path) -> Iterator[OnServer]:
    """Give the template to one process at a time; what older migrations made goes."""
    first = f"{connection.settings_dict['NAME']}_migrated_"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = f"{first}{name().partition('.')[0]}"
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database")
            there = {each for (each,) in cursor.fetchall()}
            for other in there - {wanted}:
                if other.startswith(first):
                    cursor.execute(f"DROP DATABASE {connection.ops.quote_name(other)}")
        yield OnServer(wanted, wanted in there)


@contextmanager
def instead_of_empty(template: Path) -> Iterator[None]:
    """Have Django's new test database begin as a copy of the template.

    Django then migrates it as ever, and finds nothing to do.
    """
    creation = connection.creation
    empty = creation._create_test_db

    def copied(verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        path: str = empty(verbosity, autoclobber, keepdb)  # deletes an older one
        if not keepdb:
            shutil.copyfile(template, path)
        return path

    creation._create_test_db = copied  # type: ignore[method-assign]
    try:
        yield
    finally:
        del creation._create_test_db
