"""Reading goes on while the database can't be written; whoever reports is asked to come again."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import OperationalError, connection, connections
from django.utils import timezone

from tests.factories import ApiKeyFactory, tracked
from tests.versioning.api import walk
from tests.versioning.api.conftest import Api
from versioning.api import ingest, operations
from versioning.models import ApiKey, PerformanceSample, TrackedModel
from versioning.services import keys

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE_S = 2.0
LONGEST_S = 10.0
"""A client that reports or changes something is answered within it."""
READS = [each for each in walk.operations() if each.method == "get"]


@contextmanager
def held_by_another() -> Iterator[None]:
    """Another process writes and does not come to an end."""
    begun, done = Event(), Event()

    def write() -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            else:
                cursor.execute("BEGIN")
                tables = ", ".join(connection.introspection.table_names())
                cursor.execute(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
            begun.set()
            done.wait(60)
            cursor.execute("ROLLBACK")
        connections.close_all()

    writer = Thread(target=write)
    writer.start()
    assert begun.wait(10)
    try:
        yield
    finally:
        done.set()
        writer.join()


@contextmanager
def read_only() -> Iterator[None]:
    """The database file is read-only, or the server is a replica."""
    is_sqlite = connection.vendor == "sqlite"
    on = "PRAGMA query_only = ON" if is_sqlite else "SET default_transaction_read_only = on"
    off = "PRAGMA query_only = OFF" if is_sqlite else "SET default_transaction_read_only = off"
    with connection.cursor() as cursor:
        cursor.execute(on)
        try:
            yield
        finally:
            cursor.execute(off)


@contextmanager
def full() -> Iterator[None]:
    """The disk is full: SQLite may not grow, PostgreSQL may not write a page."""
    if connection.vendor != "sqlite":
        pytest.skip("A full disk of PostgreSQL's server can't be made here.")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE filler (text)")
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        # Nothing is left within the file, either.
        with contextlib.suppress(OperationalError):
            for _ in range(10_000):
                cursor.execute("INSERT INTO filler VALUES (zeroblob(1000))")
        try:
            yield
        finally:
            cursor.execute("PRAGMA max_page_count = 1000000000")
            cursor.execute("DROP TABLE filler")


UNWRITABLE = pytest.mark.parametrize("unwritable", [held_by_another, read_only, full])


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for another writer gives up soon; really it is some seconds."""
    for module in (ingest, operations):
        assert 2 * module.PATIENCE.total_seconds() <= LONGEST_S
        monkeypatch.setattr(module, "PATIENCE", timedelta(seconds=0.3))


@pytest.fixture
def model() -> TrackedModel:
    return tracked(name="zeta")


@pytest.fixture
def long_unused() -> ApiKey:
    """A key whose use would be noted now."""
    key: ApiKey = ApiKeyFactory(
        scopes=["read", "ingest"], last_used_at=timezone.now() - timedelta(days=1)
    )
    return key


def timed(ask: Callable[[], object]) -> float:
    started = time.monotonic()
    ask()
    return time.monotonic() - started


@UNWRITABLE
def test_current_and_every_other_read_is_answered(
    unwritable: Callable[[], object], model: TrackedModel, long_unused: ApiKey
) -> None:
    api = Api(long_unused.secret)  # type: ignore[attr-defined]
    current = f"/api/model-versions/{model.provider.slug}/zeta/current"
    with unwritable():  # type: ignore[attr-defined]
        started = time.monotonic()
        assert api.get(current).status_code == 200
        assert api.get(f"{current}?key=a").status_code == 200
        assert time.monotonic() - started < AT_ONCE_S
        slow = {
            str(each): (status, taken)
            for each in READS
            for begun in [time.monotonic()]
            for status in [
                api.get(
                    each.address(1, provider=model.provider.slug, model="zeta", slug="p")
                ).status_code
            ]
            if (taken := time.monotonic() - begun) > AT_ONCE_S or status >= 500
        }
    assert slow == {}


@pytest.mark.usefixtures("short_patience")
@pytest.mark.parametrize("unwritable", [held_by_another, read_only])
def test_samples_are_asked_to_come_again_soon(
    unwritable: Callable[[], object], model: TrackedModel, long_unused: ApiKey
) -> None:
    sample = {"provider": model.provider.slug, "model": "zeta", "quality": 0.5}
    api = Api(long_unused.secret)  # type: ignore[attr-defined]
    with unwritable():  # type: ignore[attr-defined]
        started = time.monotonic()
        answer = api.post("/api/performance-samples", [sample])
        assert time.monotonic() - started < AT_ONCE_S

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert answer["Content-Type"] == "application/problem+json"
    assert not PerformanceSample.objects.exists()


@pytest.mark.usefixtures("short_patience")
@pytest.mark.parametrize("unwritable", [held_by_another, read_only])
def test_a_change_is_asked_to_come_again(
    unwritable: Callable[[], object], with_scopes: Callable[..., Api]
) -> None:
    api = with_scopes(*ApiKey.Scope.values)
    with unwritable():  # type: ignore[attr-defined]
        started = time.monotonic()
        answer = api.post("/api/slice-tags", {"name": "x" * 30})
        tried = api.post("/api/slice-tags", {"name": "x" * 30}, Idempotency_Key="k")
        assert time.monotonic() - started < 2 * AT_ONCE_S

    assert answer.status_code == tried.status_code == 503
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize("unwritable", [held_by_another, read_only])
def test_readyz_says_so(unwritable: Callable[[], object]) -> None:
    api = Api("")
    assert api.get("/readyz").status_code == 200
    with unwritable():  # type: ignore[attr-defined]
        answer = api.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
    assert "written" in answer.json()["detail"]


def test_the_use_is_noted_later(long_unused: ApiKey) -> None:
    before = long_unused.last_used_at
    now = timezone.now()
    secret = long_unused.secret  # type: ignore[attr-defined]
    with held_by_another():
        assert keys.authenticate(secret, now=now)
    assert ApiKey.objects.get().last_used_at == before

    keys.authenticate(secret, now=now + keys.USE_NOTED_EVERY)

    assert ApiKey.objects.get().last_used_at == now + keys.USE_NOTED_EVERY
