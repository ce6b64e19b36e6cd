"""What is kept in memory: never longer than it holds on this machine, 2 s on others."""

from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.factories import TrackedModelFactory
from versioning.models import TrackedModel
from versioning.services import generation, keys, process_cache, serving
from versioning.services.actors import Actor
from versioning.services.process_cache import Fingerprint

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now()


@pytest.fixture(autouse=True)
def shared_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> generation.Generation:
    """A file of its own, since other test processes use the data folder's."""
    ours = generation._ours
    monkeypatch.setattr(ours, "_file", tmp_path / "generation")
    monkeypatch.setattr(ours, "_map", None)
    return generation.Generation(tmp_path / "generation")


def name_of_model() -> Fingerprint:
    return Fingerprint(
        lambda name: TrackedModel.objects.filter(name=name).values_list("owner"), parameters=1
    )


def test_same_question_asks_the_database_once(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    TrackedModelFactory(name="writer", owner="a@example.org")
    rows = name_of_model()
    with django_assert_num_queries(1):
        assert [rows.read("writer") for _ in range(3)] == [("a@example.org",)] * 3


def test_every_way_to_change_a_row_is_seen_at_once() -> None:
    tracked = TrackedModelFactory(name="writer", owner="a")
    rows = name_of_model()
    seen = [rows.read("writer")]
    tracked.owner = "b"
    tracked.save()
    seen.append(rows.read("writer"))
    TrackedModel.objects.update(owner="c")
    seen.append(rows.read("writer"))
    TrackedModel.objects.bulk_update([TrackedModel(pk=tracked.pk, owner="d")], ["owner"])
    seen.append(rows.read("writer"))
    with connection.cursor() as cursor:
        cursor.execute("update versioning_trackedmodel set owner = 'e'")
    seen.append(rows.read("writer"))
    TrackedModel.objects.all().delete()
    seen.append(rows.read("writer"))
    assert seen == [("a",), ("b",), ("c",), ("d",), ("e",), None]


def test_change_is_seen_when_it_is_committed_and_not_before() -> None:
    TrackedModelFactory(name="writer", owner="a")
    rows = name_of_model()
    rows.read("writer")
    before = generation.mark()
    with transaction.atomic():
        TrackedModel.objects.update(owner="b")
        assert generation.mark() == before
        assert rows.read("writer") == ("b",)  # its own transaction sees it, nobody keeps it
        transaction.set_rollback(True)
    assert rows.read("writer") == ("a",)


def test_other_process_of_the_machine_has_us_ask_again(
    shared_mark: generation.Generation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    TrackedModelFactory(name="writer", owner="a")
    rows = name_of_model()
    rows.read("writer")
    shared_mark.renew()
    with django_assert_num_queries(1):
        rows.read("writer")


def test_change_by_another_machine_is_seen_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    TrackedModelFactory(name="writer", owner="a")
    rows = name_of_model()
    rows.read("writer")
    with connection.cursor() as cursor:  # as no connection of this machine does it
        cursor.cursor.execute("UPDATE versioning_trackedmodel SET owner = 'b'")
    connection.commit()
    assert process_cache.KEPT_SECONDS < 2
    monkeypatch.setattr(process_cache, "KEPT_SECONDS", 0)
    assert rows.read("writer") == ("b",)


def test_without_a_place_for_the_mark_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(generation._ours, "_file", tmp_path / "missing" / "generation")
    TrackedModelFactory(name="writer")
    rows = name_of_model()
    with django_assert_num_queries(2):
        rows.read("writer")
        rows.read("writer")


def test_revoked_key_is_refused_by_the_next_request() -> None:
    made = keys.create_api_key(name="app", scopes=["read"], now=NOW, actor=Actor.command())
    assert keys.authenticate(made.secret, now=NOW) == made.api_key
    keys.revoke(api_key_id=made.api_key.pk, actor=Actor.command(), now=NOW)
    assert keys.authenticate(made.secret, now=NOW) is None


def test_every_table_behind_a_kept_answer_is_watched() -> None:
    tables = connection.introspection.table_names()
    for fingerprint in (keys._ROW, serving._ROW):
        sql = fingerprint._make().sql
        named = {table for table in tables if f'"{table}"' in sql}
        assert named
        assert named <= set(generation.TABLES)
