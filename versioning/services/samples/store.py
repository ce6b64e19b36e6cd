"""The samples' way into the tables: one statement a batch, whatever the database."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

from versioning.models import PendingScore, PerformanceSample, RollupPart
from versioning.services import locks
from versioning.services.samples.late_report import LateReport
from versioning.services.samples.rollup_sums import COLUMNS, Cell, SampleRow, SampleSums

_SAMPLES = PerformanceSample._meta.db_table
_PENDING = PendingScore._meta.db_table


def insert_samples(rows: Sequence[SampleRow]) -> None:
    """Add the rows. Raises IntegrityError when one of the requests has a sample already.

    Rows go in the order of their hash, so that two transactions with the same requests can't
    block each other.
    """
    ordered = sorted(rows, key=lambda row: row.request_hash or 0)
    # Each column costs time, and most batches tell nothing at all of a third of them.
    told = {
        name: values
        for name, values in zip(SampleRow._fields, zip(*ordered, strict=True), strict=False)
        if values.count(None) < len(values)
    }
    # As plain tuples: SQLite needs twice the time for named ones.
    _insert(PerformanceSample, list(told), list(zip(*told.values(), strict=True)))


def append_parts(sums: Mapping[Cell, SampleSums]) -> None:
    """Add each cell's sums as a part of its hour."""
    rows = [(*cell, *_adapted(part)) for cell, part in sums.items()]
    _insert(RollupPart, (*Cell._fields, *COLUMNS), rows)


def stored_requests(hashes: Sequence[int]) -> set[int]:
    """Return which of the requests have a sample."""
    return {row[0] for row in _among(_SAMPLES, "request_hash", hashes)}


def take_waiting_scores(hashes: Sequence[int]) -> list[tuple[int, LateReport]]:
    """Return what came before these requests, the oldest first, and remove it."""
    ids = [row[0] for row in _among(_PENDING, "id", hashes)]
    if not ids:
        return []
    waiting = PendingScore.objects.filter(pk__in=ids)
    # Read under the lock: another may have taken one meanwhile.
    rows = locks.hold(waiting).values_list(
        "request_hash", "quality", "signals", "latency_budget_ms"
    )
    found = [(key, LateReport(quality, signals, budget)) for key, quality, signals, budget in rows]
    waiting.delete()
    return found


def one_of(numbers: Sequence[int]) -> tuple[str, str]:
    """Return the condition that a column is one of the numbers, and its one parameter."""
    if connection.vendor == "postgresql":
        return "= ANY(%s::bigint[])", f"{{{','.join(map(str, numbers))}}}"
    # One parameter for any number: SQLite bounds how many a statement may have.
    return "IN (SELECT value FROM json_each(%s))", json.dumps(numbers)


def _among(table: str, columns: str, hashes: Sequence[int]) -> list[Any]:
    """Return these columns of the rows with one of the hashes."""
    if not hashes:
        return []
    among, parameter = one_of(hashes)
    query = (
        f"SELECT {columns} FROM {table}"  # noqa: S608 (names of tables and columns only)
        f" WHERE request_hash IS NOT NULL AND request_hash {among}"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [parameter])
        return list(cursor.fetchall())


def _insert(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    if not rows:
        return
    table, names = model._meta.db_table, ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Binary: no number is written as text and read again; it needs each column's type.
            with (
                connection.wrap_database_errors,
                cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy,
            ):
                types = _types(model)
                copy.set_types([types[column] for column in columns])
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608


@cache
def _types(model: type[models.Model]) -> dict[str, str]:
    """Return PostgreSQL's types of the columns."""
    return {f.attname: f.db_type(connection) or "" for f in model._meta.concrete_fields}


def _adapted(part: SampleSums) -> list[Any]:
    adapt: Callable[[Any], Any] = json.dumps
    if connection.vendor == "postgresql":
        from psycopg.types.json import Jsonb  # with SQLite the driver's memory is spared

        adapt = Jsonb
    return [adapt(value) if isinstance(value, dict) else value for value in part.values]
