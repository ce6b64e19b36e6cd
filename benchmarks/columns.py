"""Rows of any table made in the database, by what its columns hold: a million take seconds."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def before(number: str, unit: str) -> str:
    """Return SQL for so many units before NOW."""
    from django.db import connection

    if connection.vendor == "sqlite":
        return f"datetime('{NOW:%Y-%m-%d %H:%M:%S}', '-' || ({number}) || ' {unit}')"
    return f"(timestamptz '{NOW.isoformat()}' - ({number}) * interval '1 {unit}')"


def day(number: str) -> str:
    """Return SQL for the day so many days before NOW; a negative number is after it."""
    from django.db import connection

    if connection.vendor == "sqlite":
        return f"date('{NOW.date()}', (-({number})) || ' days')"
    return f"(date '{NOW.date()}' - ({number}))"


def fill(like: Any, count: int, differing: Mapping[str, str]) -> None:
    """Store so many rows like an unsaved one, except for columns given as SQL of a number n.

    Their keys follow those of the rows that there are."""
    from django.db import connection
    from django.db.models import Max

    fields = like._meta.concrete_fields
    for field in fields:  # as saving it would
        setattr(like, field.attname, field.pre_save(like, add=True))
    left = {*differing, *(f.column for f in fields if f.primary_key or f.has_db_default())}
    kept = [f for f in fields if f.column not in left]
    there = like.__class__._default_manager.aggregate(Max("pk"))["pk__max"] or 0
    columns = ["id", *differing, *(f.column for f in kept)]
    values = [f"n + 1 + {there}", *differing.values(), *(["%s"] * len(kept))]
    names = ", ".join(connection.ops.quote_name(name) for name in columns)
    parameters = [f.get_db_prep_save(f.value_from_object(like), connection) for f in kept]
    made = ", ".join(part if part == "%s" else part.replace("%", "%%") for part in values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {like._meta.db_table} ({names}) WITH RECURSIVE numbers(n) AS "  # noqa: S608
            f"(SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count - 1}) "
            f"SELECT {made} FROM numbers",
            parameters,
        )
