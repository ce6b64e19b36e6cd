"""What Hotswap writes is for the user that it runs as, whatever the umask it was started with."""

import stat
import sys
from pathlib import Path

from tests.config.conftest import (
    DATABASE,
    Migrated,
    Start,
    embedded,
    run,
    wait_until,
)
from tests.ports import free_port


def manage(folder: Path, *arguments: str) -> None:
    ended = run([sys.executable, "manage.py", *arguments], embedded(folder))
    assert ended.returncode == 0, ended.stderr


def rights(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def open_to_more(folder: Path) -> list[str]:
    """Return what in a data folder its group or all others may use, but for the pages' files."""
    return [
        f"{rights(file):o} {file.relative_to(folder)}"
        for file in (folder, *folder.rglob("*"))
        if rights(file) & 0o077 and folder / "static" not in file.parents
    ]


def test_what_an_earlier_release_left_open_is_closed_to_others(
    tmp_path: Path, migrated: Migrated
) -> None:
    """The folder is the operator's, who may share it; the group may hold a back-up's user."""
    migrated(tmp_path / DATABASE)
    manage(tmp_path, "prepare")
    tmp_path.chmod(0o755)
    database, queue = tmp_path / "hotswap.sqlite3", tmp_path / "queue"
    log = tmp_path / "hotswap.sqlite3-wal"
    log.touch()
    for file in (database, log):
        file.chmod(0o644)
    queue.chmod(0o755)

    manage(tmp_path, "check")

    assert (rights(database), rights(queue), rights(tmp_path)) == (0o640, 0o750, 0o755)
    assert not log.exists() or rights(log) == 0o640


def test_a_new_data_folder_is_its_users_alone_whatever_runs(start: Start, tmp_path: Path) -> None:
    folder, output = tmp_path / "new" / "var", tmp_path / "output"
    up = f"umask 000; exec {sys.executable} -P config/supervisor.py --port {free_port()}"

    running = start(["sh", "-c", up], embedded(folder), output)

    wait_until(lambda: "Ctrl-C stops it." in output.read_text() or running.poll(), "the start")
    assert running.poll() is None, output.read_text()
    assert (rights(folder), rights(folder / "hotswap.sqlite3")) == (0o700, 0o600)
    assert open_to_more(folder) == []
