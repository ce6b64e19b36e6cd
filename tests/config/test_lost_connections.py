"""Silent connections are given up in time: what libpq, PostgreSQL and Celery are told."""

import os
import re
import runpy
from pathlib import Path

import pytest
from django.db import connection

from config import lost_connections
from tests.config.conftest import ROOT

SECONDS = [4, 5, 20, 599, 600]


@pytest.mark.parametrize("seconds", SECONDS)
def test_probes_end_when_it_is_lost(seconds: int) -> None:
    told = lost_connections.of_postgres(seconds=seconds)
    last = told["keepalives_idle"] + told["keepalives_interval"] * told["keepalives_count"]
    assert last == seconds
    assert told["tcp_user_timeout"] == seconds * 1000
    assert 2 <= told["connect_timeout"] < seconds


def test_what_the_url_says_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOTSWAP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgres://db/hotswap?connect_timeout=9&sslmode=require")
    monkeypatch.setenv("HOTSWAP_LOST_AFTER_SECONDS", "8")
    settings = runpy.run_path(str(ROOT / "config/settings.py"))
    options = settings["DATABASES"]["default"]["OPTIONS"]
    assert options["connect_timeout"] == "9"
    assert options["sslmode"] == "require"
    assert options["tcp_user_timeout"] == 8000


@pytest.mark.parametrize("url", ["redis://queue/0", "rediss://queue/0", "amqp://queue//"])
def test_the_queue_is_reached_for_within_a_limit(url: str) -> None:
    told = lost_connections.of_broker(url, seconds=20)
    assert ("socket_connect_timeout" in told) == url.startswith("redis")
    assert set(told) & {"socket_settings", "socket_keepalive_options"}


@pytest.mark.django_db
@pytest.mark.skipif(
    not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="needs PostgreSQL"
)
def test_postgresql_asks_after_its_clients() -> None:
    wanted = lost_connections.on_the_server(seconds=20)
    for name, value in re.findall(r"SET (\w+) = (\d+)", wanted):
        with connection.cursor() as cursor:
            cursor.execute("SELECT setting FROM pg_settings WHERE name = %s", [name])
            found = cursor.fetchone()[0]
        host = connection.settings_dict["HOST"]
        assert found == ("0" if host.startswith("/") or not host else value), name


@pytest.mark.django_db
@pytest.mark.skipif(
    not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="needs PostgreSQL"
)
def test_postgresql_compiles_no_query() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
