"""The copied test database is never one of other migrations."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import ConnectionHandler

from tests import template


@pytest.mark.parametrize("changed", ["migrations/0002_staff_groups.py", "models/groups.py"])
def test_what_migrations_are_or_call_makes_another_template(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = apps.get_app_config("versioning")
    for folder in ("migrations", "models"):
        shutil.copytree(Path(app.path) / folder, tmp_path / folder)
    before = template.name()
    monkeypatch.setattr(app, "path", str(tmp_path))
    assert template.name() == before  # wherever the tree stands
    (tmp_path / changed).write_text((tmp_path / changed).read_text() + "\n")
    changed_once = template.name()
    assert changed_once != before
    (tmp_path / "migrations" / "9999_new.py").write_text("")
    assert template.name() not in {before, changed_once}


def test_templates_of_other_migrations_go(tmp_path: Path) -> None:
    (tmp_path / "0123456789abcdef.sqlite3").write_bytes(b"")
    with template.held(tmp_path) as first:
        first.write_bytes(b"")
    with template.held(tmp_path) as second:
        assert second == first
    assert [path.name for path in tmp_path.glob("*.sqlite3*")] == [first.name]


def test_of_no_database_none_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any
) -> None:
    """A session of tests that ask for none: others would begin with a database without tables."""
    file = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "none.sqlite3")}
    empty = ConnectionHandler({"default": file})["default"]
    monkeypatch.setattr(template, "connection", empty)
    with django_db_blocker.unblock():
        template.keep(tmp_path / "kept.sqlite3")
        empty.close()
    assert not (tmp_path / "kept.sqlite3").exists()
