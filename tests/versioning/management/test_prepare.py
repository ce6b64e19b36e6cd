"""Tables are brought up to date without holding up those who use them."""

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from versioning.management.commands import prepare

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's readers hold nobody up"),
]


class Turned(Exception):
    """What the driver said."""

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def migrating(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Have migrating fail with each of these codes in turn; return how long it would wait."""
    left, waited = list(answers), list[str]()

    def migrate() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            waited.append(cursor.fetchone()[0])
        if left:
            raise OperationalError("no lock") from Turned(left.pop(0))

    monkeypatch.setattr(prepare, "_migrate", migrate)
    monkeypatch.setattr(prepare, "collect_if_changed", lambda: None)
    monkeypatch.setattr(prepare, "PAUSE_S", 0.0)
    return waited


def test_who_holds_a_table_is_waited_for_in_short_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = migrating(monkeypatch, "55P03", "40P01")
    prepare._migrate_and_let_by()
    assert waited == ["1s"] * 3


def test_it_gives_up_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = migrating(monkeypatch, "55P03", "55P03")
    monkeypatch.setattr(prepare, "PATIENCE_S", -1.0)
    with pytest.raises(OperationalError):
        prepare._migrate_and_let_by()
    assert len(waited) == 1


def test_what_else_goes_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = migrating(monkeypatch, "08006")
    with pytest.raises(OperationalError):
        prepare._migrate_and_let_by()
    assert len(waited) == 1


def test_the_command_does_so(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = migrating(monkeypatch, "55P03")
    call_command("prepare", verbosity=0)
    assert len(waited) == 2
