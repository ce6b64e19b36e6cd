"""backup and restore, each as a process of its own, while somebody writes."""

import os
import secrets
import stat
import sys
import tarfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.config.conftest import DATABASE, Migrated, Start, embedded, run, wait_until

URL = os.environ.get("DATABASE_URL", "")
KIND = "postgresql" if URL.startswith("postgres") else "sqlite"

WRITER = """
    import django, time
    django.setup()
    from tests.factories import tracked
    from versioning.models import Policy
    from versioning.services import editing
    from versioning.services.actors import Actor
    actor = Actor.command("writer")
    policy = editing.add(Policy(tracked_model=tracked()), actor=actor)
    mine = Policy.objects.filter(pk=policy.pk)
    number = 1
    while True:
        print(number, flush=True)
        number += 1
        editing.change(mine, changes={"watch_days": number % 300}, actor=actor)
        time.sleep(0.05)  # SQLite lets others write between, and so does the machine
"""
COUNT = """
    import django
    django.setup()
    from versioning.models import Policy
    print(Policy.history.count())
"""

Database = Callable[[], dict[str, str]]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return the environment of an empty database at each call: as if on another machine."""
    made: list[str] = []
    url, _, _ = URL.rpartition("/")

    def ask(statement: str) -> None:
        with psycopg.connect(f"{url}/postgres", autocommit=True) as server:
            server.execute(sql.SQL(statement).format(sql.Identifier(made[-1])))

    def another() -> dict[str, str]:
        made.append(f"hotswap_backup_{secrets.token_hex(4)}")
        folder = tmp_path / made[-1]
        if KIND == "sqlite":
            return embedded(folder)
        ask("CREATE DATABASE {}")
        return embedded(folder, DATABASE_URL=f"{url}/{made[-1]}")

    yield another
    while KIND == "postgresql" and made:
        ask("DROP DATABASE {} WITH (FORCE)")
        made.pop()


def manage(*arguments: object, on: dict[str, str]) -> str:
    ended = run([sys.executable, "manage.py", *map(str, arguments)], on)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def refused(*arguments: object, on: dict[str, str]) -> str:
    ended = run([sys.executable, "manage.py", *map(str, arguments)], on)
    assert ended.returncode == 1, ended.stdout
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    return ended.stderr


REFUSED = """
    import django, sys
    django.setup()
    from django.core.management import CommandError, call_command
    for file in sys.argv[1:]:
        try:
            call_command("restore", file)
        except CommandError as refused:
            assert len(str(refused).splitlines()) == 1, refused
            print(refused)
        else:
            sys.exit(f"{file} was taken")
"""


def refused_files(*files: Path, on: dict[str, str]) -> list[str]:
    """Restore each in one process, which starts in seconds; return what is said of each."""
    ended = run([sys.executable, "-c", textwrap.dedent(REFUSED), *map(str, files)], on)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def prepare(on: dict[str, str], migrated: Migrated) -> None:
    migrated(Path(on["HOTSWAP_DATA_DIR"]) / DATABASE)
    manage("prepare", on=on)


def written(on: dict[str, str]) -> int:
    ended = run([sys.executable, "-c", textwrap.dedent(COUNT)], on)
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


def test_what_was_there_at_one_moment_is_put_back_on_an_empty_machine(
    database: Database, start: Start, migrated: Migrated, tmp_path: Path
) -> None:
    here, there, file = database(), database(), tmp_path / "kept.tar"
    prepare(here, migrated)
    output = tmp_path / "output"
    writer = start([sys.executable, "-c", textwrap.dedent(WRITER)], here, output)

    def said() -> int:
        return len(output.read_text().splitlines())

    wait_until(lambda: said() > 20 or writer.poll() is not None, "the writer")
    before = said()
    made = manage("backup", file, on=here)
    after = said()
    assert writer.poll() is None, output.read_text()
    assert after > before + 1, "nobody could write while it was made"

    assert made.startswith(f"{file}: ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "its history is as it was written" in manage("restore", file, on=there)
    assert before <= written(there) <= after + 1
    manage("verify_history", on=there)
    assert manage("migrate", "--check", on=there) is not None

    # Once more, where something is by now.
    wait_until(lambda: said() > after + 20, "more of it")
    later = tmp_path / "later.tar"
    manage("backup", later, on=here)
    assert "The database holds data" in refused("restore", later, on=there)
    manage("restore", later, "--replace", on=there)
    assert written(there) > after + 1


def test_what_is_no_backup_changes_nothing(
    database: Database, migrated: Migrated, tmp_path: Path
) -> None:
    here, file = database(), tmp_path / "kept.tar"
    prepare(here, migrated)
    manage("backup", file, on=here)
    whole = file.read_bytes()

    assert "is there already" in refused("backup", file, on=here)
    assert "can't be written" in refused("backup", tmp_path / "no" / "folder.tar", on=here)
    assert "can't be read" in refused("restore", tmp_path / "nothing.tar", on=here)
    cut, empty, text = (tmp_path / name for name in ("cut", "empty", "text"))
    cut.write_bytes(whole[: len(whole) // 2])
    empty.write_bytes(b"")
    text.write_bytes(b"no back-up at all")
    other = tmp_path / "other.tar"
    with tarfile.open(other, "w:gz") as tar:
        tar.add(__file__, arcname="about.json")
    *_, of_other = said = refused_files(cut, empty, text, other, on=here)
    assert len(said) == 4
    assert "no back-up of Hotswap" in of_other

    assert file.read_bytes() == whole
    manage("verify_history", on=here)
    assert not [left for left in tmp_path.iterdir() if left.is_dir() and "tmp" in left.name]


EARLIER = sorted((Path(__file__).parents[1] / "earlier").glob("*.tar"))
"""Back-ups by releases before this one, of the sample world: see ``tests/earlier/make.py``."""

WALK = """
    import django
    django.setup()
    from django.contrib import admin
    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.test.utils import setup_test_environment
    from django.urls import reverse
    setup_test_environment()
    boss = Client()
    boss.force_login(get_user_model().objects.get(username="demo"))
    pages = ["/admin/", "/api/model-versions/upgrade-recommendations"]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages.append(reverse(f"{name}_changelist"))
        rows = model._default_manager.order_by("-pk")
        pages += [reverse(f"{name}_change", args=[row.pk]) for row in rows[:1]]
        if model._meta.model_name == "upgraderecord":
            pages += [reverse(f"{name}_evidence", args=[row.pk]) for row in rows[:9]]
    for page in pages:
        answer = boss.get(page)
        assert answer.status_code == 200, (page, answer.status_code)
    print(len(pages))
"""
DECIDE = """
    import django
    django.setup()
    from django.utils import timezone
    from sample_world import story
    from versioning.models import TrackedModel, UpgradeRecord
    from versioning.services.actors import Actor
    from versioning.services.upgrades import decisions
    now, actor = timezone.now(), Actor.command("test")
    waiting = UpgradeRecord.objects.waiting().order_by("pk").first()
    decisions.approve(record_id=waiting.pk, actor=actor, now=now, reason="Try it.")
    moved = TrackedModel.objects.get(name=story.TAGS)
    decisions.roll_back(tracked_model_id=moved.pk, actor=actor, now=now, reason="Not this one.")
"""


def test_a_database_is_kept_of_both_kinds() -> None:
    kept = {tuple(file.stem.split("-")) for file in EARLIER}
    assert {(number, kind) for number, _ in kept for kind in ("sqlite", "postgresql")} == kept


@pytest.mark.parametrize(
    "earlier", [file for file in EARLIER if file.stem.endswith(KIND)], ids=lambda file: file.stem
)
def test_an_earlier_release_is_upgraded_with_all_it_holds(
    earlier: Path, database: Database, tmp_path: Path
) -> None:
    here = database()

    manage("restore", earlier, on=here)
    manage("prepare", on=here)

    manage("migrate", "--check", on=here)
    manage("verify_history", on=here)
    walked = run([sys.executable, "-c", textwrap.dedent(WALK)], here)
    assert walked.returncode == 0, walked.stderr
    assert int(walked.stdout) > 60
    decided = run([sys.executable, "-c", textwrap.dedent(DECIDE)], here)
    assert decided.returncode == 0, decided.stderr
    manage("verify_history", on=here)
    manage("backup", tmp_path / "again.tar", on=here)
