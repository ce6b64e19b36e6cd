"""A migration holds nobody up who reports samples: what takes longer with more rows is refused.

CONTRIBUTING.md has the rules for people.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, ApiKeyFactory, tracked
from versioning.services.samples import ingestion, rollups
from versioning.services.samples.incoming import SampleIn

LARGE = {
    "pendingscore",
    "performancesample",
    "requestuse",
    "rollup",
    "rolluppart",
    "seal",
    "sighting",
    "spanlink",
    "tally",
    "tracedspan",
    "traceduse",
}
"""Tables that grow with samples, or that each of them is written to."""

SMALL = {"route", "word"}
"""Written to with a sample, and of a few rows: what nobody has said before."""

BEFORE = {"0001_tables", "0003_packed_signals", "0005_tool_call_error"}
"""Made before there was a release: nobody had samples then."""

IN_ONE_PIECE = re.compile(r"<lambda>")
"""Of a few rows: the permissions of the groups (sync_groups)."""

SAME_TABLE = (
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    migrations.CreateModel,
)


def problems(migration: migrations.Migration, state: ProjectState) -> Iterator[str]:
    """Say what of a migration takes longer with more rows; ``state`` is what was before it."""
    for operation in migration.operations:
        name = f"{migration.app_label}.{migration.name} {operation.describe()}"
        if why := problem(operation, migration, state):
            yield f"{name}: {why}"
        operation.state_forwards(migration.app_label, state)


def problem(operation: Operation, migration: migrations.Migration, state: ProjectState) -> str:
    if isinstance(operation, migrations.RunSQL):
        return "nobody can see how long it takes: write it with Django's operations."
    if isinstance(operation, migrations.RunPython):
        return of_rows(operation, migration)
    if not migration.atomic:
        return "broken off, it is half done, and `prepare` begins anew: tables and rows apart."
    table = str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()
    if isinstance(operation, SAME_TABLE) or table not in LARGE:
        return ""
    if isinstance(operation, migrations.AddField):
        return of_new(operation.field)
    if isinstance(operation, migrations.AlterField):
        before = state.models[migration.app_label, table].fields[operation.name]
        return of_changed(before, operation)
    return "it holds the table, or goes through all of it: make another table beside it."


def of_rows(operation: migrations.RunPython, migration: migrations.Migration) -> str:
    if not migration.atomic or IN_ONE_PIECE.search(operation.code.__name__):
        return ""
    return "rows are changed in one transaction: set atomic = False, and change them in parts."


def of_new(field: models.Field) -> str:
    free = field.null and not field.has_default() and not (field.db_index or field.unique)
    return "" if free else "only a field that may be empty, without default and index, is free."


def of_changed(before: models.Field, operation: migrations.AlterField) -> str:
    was, becomes = _named(before, operation.name), _named(operation.field, operation.name)
    if not connection.schema_editor()._field_should_be_altered(was, becomes):
        return ""
    return "it writes the whole table anew: add another field, and fill it in parts."


def _named(field: models.Field, name: str) -> models.Field:
    copy = field.clone()
    copy.set_attributes_from_name(name)
    return copy


def test_no_migration_takes_longer_with_more_samples() -> None:
    loader, found, seen = MigrationLoader(None), list[str](), 0
    for key in sorted(loader.disk_migrations):
        if key[0] == "versioning" and key[1] not in BEFORE:
            before = loader.project_state([key], at_end=False)
            found += problems(loader.disk_migrations[key], before)
            seen += 1
    assert found == []
    assert seen > 20


def a_migration(*operations: Operation, atomic: bool = True) -> migrations.Migration:
    made = migrations.Migration("9999_new", "versioning")
    made.operations, made.atomic = list(operations), atomic
    return made


def of_samples(kind: type[Operation], name: str, field: models.Field) -> Operation:
    return kind("performancesample", name, field)


def do(tables: Any, schema_editor: Any) -> None: ...


UNSAFE = {
    "a default": of_samples(migrations.AddField, "x", models.IntegerField(default=0)),
    "an index with it": of_samples(
        migrations.AddField, "x", models.IntegerField(null=True, db_index=True)
    ),
    "another type": of_samples(migrations.AlterField, "task", models.TextField()),
    "an index": migrations.AddIndex("performancesample", models.Index(fields=["task"], name="x")),
    "a constraint": migrations.AddConstraint(
        "performancesample", models.CheckConstraint(condition=models.Q(task="x"), name="x")
    ),
    "a field less": migrations.RemoveField("performancesample", "task"),
    "rows at once": migrations.RunPython(do),
    "SQL": migrations.RunSQL("UPDATE x SET y = 1"),
}
SAFE = {
    "a field that may be empty": of_samples(
        migrations.AddField, "x", models.IntegerField(null=True)
    ),
    "rows in parts": migrations.RunPython(do),
    "an index of a small table": migrations.AddIndex(
        "policy", models.Index(fields=["id"], name="x")
    ),
}


@pytest.mark.parametrize("what", UNSAFE)
def test_what_is_unsafe_is_refused(what: str) -> None:
    state = MigrationLoader(None).project_state()
    assert len(list(problems(a_migration(UNSAFE[what]), state))) == 1


@pytest.mark.parametrize("what", SAFE)
def test_what_is_safe_is_not(what: str) -> None:
    state = MigrationLoader(None).project_state()
    is_of_rows = isinstance(SAFE[what], migrations.RunPython)
    assert list(problems(a_migration(SAFE[what], atomic=not is_of_rows), state)) == []


@pytest.mark.parametrize("what", ["a field that may be empty", "an index of a small table"])
def test_what_can_not_be_begun_anew_is_refused(what: str) -> None:
    state = MigrationLoader(None).project_state()
    assert len(list(problems(a_migration(SAFE[what], atomic=False), state))) == 1


@pytest.mark.django_db
def test_whatever_a_sample_is_written_to_is_large() -> None:
    model, key = tracked(name="writer"), ApiKeyFactory()
    sample = SampleIn(
        provider=model.provider.slug, model="writer", time=NOW, quality=0.5, latency_ms=9,
        task="sums", request_id="r1", resolved_id="another",
    )  # fmt: skip
    with CaptureQueriesContext(connection) as queries:
        ingestion.accept([sample], api_key_id=key.pk, now=NOW)
        rollups.fold(now=NOW)
    written = {
        found[1]
        for query in queries.captured_queries
        if (found := re.match(r'(?:INSERT INTO|UPDATE) "versioning_(\w+)"', query["sql"]))
    }
    assert written
    assert written <= LARGE | SMALL
    tables = {each._meta.model_name for each in apps.get_app_config("versioning").get_models()}
    assert tables >= LARGE | SMALL
