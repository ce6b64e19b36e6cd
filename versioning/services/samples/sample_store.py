"""The samples' way into the tables: one statement a batch, whatever the database."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, models

from versioning.models import PendingScore, PerformanceSample, RollupPart
from versioning.services.samples.rollup_sums import COLUMNS, Cell, Row, SampleSums

_SAMPLES = PerformanceSample._meta.db_table
_PENDING = PendingScore._meta.db_table
_SAMPLE_COLUMNS = ", ".join(Row._fields)


def insert_samples(rows: Sequence[Row]) -> None:
    """Add the rows, by COPY on PostgreSQL.

    Raises IntegrityError when a request came by another transaction meanwhile. Rows go in the
    order of their hash, so that two transactions with the same requests can't block each other.
    """
    if not rows:
        return
    if connection.vendor != "postgresql":
        _insert_many(PerformanceSample, Row._fields, rows)
        return
    ordered = sorted(rows, key=lambda row: row.request_hash or 0)
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY {_SAMPLES} ({_SAMPLE_COLUMNS}) FROM STDIN") as copy,
    ):
        for row in ordered:
            copy.write_row(row)


def append_parts(sums: Mapping[Cell, SampleSums]) -> None:
    """Add each cell's sums as a part of its hour."""
    rows = [(*cell, *_adapted(part)) for cell, part in sums.items()]
    if rows:
        _insert_many(RollupPart, (*Cell._fields, *COLUMNS), rows)


def known_requests(hashes: Sequence[int]) -> tuple[set[int], dict[int, float]]:
    """Return which of the requests have a sample, and the scores that wait for the others."""
    if not hashes:
        return set(), {}
    parameter: list[int] | str
    if connection.vendor == "postgresql":
        among, parameter = "= ANY(%s)", [*hashes]
    else:
        among, parameter = "IN (SELECT value FROM json_each(%s))", json.dumps(hashes)
    query = (
        f"SELECT request_hash, NULL FROM {_SAMPLES}"  # noqa: S608 (table names only)
        f" WHERE request_hash IS NOT NULL AND request_hash {among}"
        f" UNION ALL SELECT request_hash, quality FROM {_PENDING} WHERE request_hash {among}"
    )
    stored: set[int] = set()
    scores: dict[int, float] = {}
    with connection.cursor() as cursor:
        cursor.execute(query, [parameter, parameter])
        for request_hash, quality in cursor.fetchall():
            if quality is None:
                stored.add(request_hash)
            else:
                scores[request_hash] = quality
    return stored, scores


def _insert_many(
    model: type[models.Model], columns: Iterable[str], rows: Sequence[Sequence[Any]]
) -> None:
    names = list(columns)
    marks = ", ".join(["%s"] * len(names))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608
            rows,
        )


def _adapted(part: SampleSums) -> list[Any]:
    values = list(part.values)
    values[2] = json.dumps(values[2])
    return values
