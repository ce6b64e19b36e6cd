"""The whole database as one file, taken while everything runs, and put back.

A back-up is a tar: first ``about.json``, then the database as its own kind keeps it. It holds what
the database holds, so it is for its owner alone; keys of providers and SECRET_KEY are in the
environment, and not in it.
"""

import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.db import OperationalError, ProgrammingError, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from providers.models import Provider
from versioning.models import TrackedModel
from versioning.services import generation, seals
from versioning.services.errors import ServiceError

FORM = 1
"""The form of the file; a newer one isn't read."""

ABOUT = "about.json"
ABOUT_BYTES = 1024 * 1024
"""More than any list of migrations takes."""

DATABASE = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
"""The member of the tar that is the database, by its kind."""


class NoBackup(ServiceError):
    """It can't be backed up, or put back; nothing was changed."""

    code = "no-backup"


@dataclass(frozen=True, slots=True)
class About:
    """What a back-up is of."""

    form: int
    made_at: str
    """ISO 8601, with its zone."""
    database: str
    """Its kind: sqlite or postgresql."""
    migrations: list[str]
    """Those that its tables have seen, as app.name."""
    chain: str
    """The end of the history's chain just before: ``seals.Head`` as text."""


def back_up(file: Path, *, now: datetime) -> About:
    """Write a back-up to a new file, which only its owner can read.

    It is of one moment, whoever writes meanwhile: nobody waits for it. Raises NoBackup.
    """
    if file.exists():
        raise NoBackup(f"{file} is there already: name a new file.")
    seals.chain()
    about = About(
        form=FORM,
        made_at=now.isoformat(),
        database=connection.vendor,
        migrations=_migrations_here(),
        chain=str(seals.head()),
    )
    with _beside(file) as folder:
        taken = folder / DATABASE[about.database]
        _take(taken)
        aside = folder / "backup.tar"
        with _refusing("written"), tarfile.open(aside, "w:gz", compresslevel=1) as tar:
            _add_text(tar, ABOUT, json.dumps(asdict(about)))
            tar.add(taken, arcname=taken.name)
        _put_in_place(aside, file)
    return about


def put_back(file: Path, *, replace: bool) -> About:
    """Put the database of a back-up in the place of the one there is.

    One that holds anything is only replaced where ``replace`` says so. Hotswap's processes are
    stopped meanwhile; afterwards the tables are brought up to date by ``prepare``. Raises
    NoBackup: then the database is as it was.
    """
    with _refusing("read"), tarfile.open(file, "r:gz") as tar:
        about = _about(tar)
        _refuse_another_kind(about)
        if not replace and _holds_anything():
            raise NoBackup(
                "The database holds data. Say --replace to put the back-up in its place: what is "
                "there now is lost."
            )
        with _beside(file) as folder:
            tar.extract(DATABASE[about.database], folder, filter="data")
            _put(folder / DATABASE[about.database])
    connections.close_all()
    generation.renew()
    return about


def missing_since(about: About) -> str:
    """Say what is not as it was in the history that was put back; empty where all is."""
    return seals.verify(since=seals.Head.read(about.chain)).fault


def _about(tar: tarfile.TarFile) -> About:
    first = tar.next()
    held = tar.extractfile(first) if first and first.name == ABOUT else None
    if held is None:
        raise NoBackup("This is no back-up of Hotswap.")
    try:
        said: dict[str, Any] = json.loads(held.read(ABOUT_BYTES))
        if said["form"] > FORM:
            raise NoBackup("A newer Hotswap wrote this back-up: put it back with that one.")
        return About(**said)
    except (KeyError, TypeError, ValueError) as error:
        raise NoBackup("This is no back-up of Hotswap.") from error


def _refuse_another_kind(about: About) -> None:
    if about.database != connection.vendor:
        raise NoBackup(
            f"This is a back-up of {about.database}; DATABASE_URL names {connection.vendor}."
        )
    on_disk = MigrationLoader(None).disk_migrations
    # A squashed migration is written down under the names that it replaces, too.
    known = {key for migration in on_disk.values() for key in migration.replaces} | on_disk.keys()
    unknown = sorted(set(about.migrations) - {f"{app}.{name}" for app, name in known})
    if unknown:
        raise NoBackup(
            f"A newer Hotswap wrote this back-up (it has {unknown[0]}): put it back with that one."
        )


def _migrations_here() -> list[str]:
    return sorted(
        f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()
    )


def _holds_anything() -> bool:
    try:
        return any(
            rows.exists()
            for rows in (TrackedModel.objects, Provider.objects, get_user_model().objects)
        )
    except (OperationalError, ProgrammingError):
        return False  # no tables yet


def _take(to: Path) -> None:
    if connection.vendor == "sqlite":
        _copy_sqlite(_sqlite_file(), to)
        _check_sqlite(to)
    else:
        _run_of_postgres("pg_dump", "--format=custom", "--no-owner", f"--file={to}")


def _put(taken: Path) -> None:
    if connection.vendor == "sqlite":
        _check_sqlite(taken)
        connections.close_all()
        _copy_sqlite(taken, _sqlite_file())
    else:
        _refuse_newer_tables(taken)
        # All of it or nothing: one that fails leaves what is there as it is.
        _run_of_postgres(
            "pg_restore",
            *("--clean", "--if-exists", "--no-owner", "--single-transaction"),
            f"--dbname={_postgres()['dbname']}",
            str(taken),
        )


def _sqlite_file() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


def _copy_sqlite(source: Path, to: Path) -> None:
    """Copy a database as it is at one moment, in one step.

    In several steps it would begin anew with each write of somebody else, and maybe never end.
    """
    with (
        _refusing("copied"),
        closing(sqlite3.connect(source, timeout=60)) as here,
        closing(sqlite3.connect(to, timeout=60)) as there,
    ):
        here.backup(there)


def _check_sqlite(file: Path) -> None:
    with _refusing("read"), closing(sqlite3.connect(file)) as opened:
        (said,) = opened.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise NoBackup(f"The database is damaged: {said}")


def _refuse_newer_tables(taken: Path) -> None:
    """Raise NoBackup where there are tables that the back-up would leave as they are."""
    listed = _run_of_postgres("pg_restore", "--list", str(taken))
    words = [line.split() for line in listed.splitlines() if " TABLE public " in line]
    held = {line[line.index("public") + 1] for line in words}
    more = sorted(set(connection.introspection.table_names()) - held)
    if more:
        raise NoBackup(
            f"The database has tables that the back-up doesn't know ({more[0]} and "
            f"{len(more) - 1} more). Put it back into an empty database."
        )


def _run_of_postgres(program: str, *arguments: str) -> str:
    if shutil.which(program) is None:
        raise NoBackup(f"{program} isn't here. Install PostgreSQL's client programs.")
    # The password goes by the environment: all users of a machine see arguments.
    of_connection = {
        variable: str(value)
        for variable, name in _VARIABLES.items()
        if (value := _postgres().get(name))
    }
    ended = subprocess.run(
        [program, *arguments],
        env={**os.environ, **of_connection},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        said = ended.stderr.strip().splitlines() or ["no reason"]
        raise NoBackup(f"{program} said: {said[0]}")
    return ended.stdout


_VARIABLES = {
    "PGHOST": "host",
    "PGPORT": "port",
    "PGUSER": "user",
    "PGPASSWORD": "password",
    "PGDATABASE": "dbname",
    "PGSSLMODE": "sslmode",
    "PGSSLROOTCERT": "sslrootcert",
    "PGSSLCERT": "sslcert",
    "PGSSLKEY": "sslkey",
}
"""What PostgreSQL's programs read, by what the connection calls it."""


def _postgres() -> Mapping[str, Any]:
    return connection.get_connection_params()


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """Give a folder on the same disk that nobody else can look into, and remove it at the end."""
    with _refusing("written"), tempfile.TemporaryDirectory(dir=file.absolute().parent) as folder:
        yield Path(folder)


def _put_in_place(aside: Path, file: Path) -> None:
    with aside.open("rb") as written:
        os.fsync(written.fileno())
    os.link(aside, file)  # unlike a rename it never replaces what somebody else put there
    folder = os.open(file.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(text.encode())
    member.mode = 0o600
    tar.addfile(member, io.BytesIO(text.encode()))


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Say in one sentence why a file can't be used."""
    try:
        yield
    except (OSError, EOFError, KeyError, sqlite3.Error, tarfile.TarError) as error:
        raise NoBackup(f"It can't be {what}: {error}.") from error
