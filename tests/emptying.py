"""Empty PostgreSQL's tables between tests that commit, without a file anew for each of them."""

from collections.abc import Sequence
from typing import Any

from django.db import connection


def quickly() -> None:
    """Let Django's ``flush`` delete the rows there are, where the role may do that.

    Django truncates: two hundred tables and their indexes get new files and are written through
    to the disk, a second and more for a dozen rows.
    """
    if connection.vendor != "postgresql" or not _is_superuser():
        return
    truncate = connection.ops.sql_flush

    def sql_flush(style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        if not tables or options.get("reset_sequences"):
            return truncate(style, tables, **options)
        # As a replica: rows go in any order, no foreign key is asked.
        rows = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in _with_rows(tables)]  # noqa: S608
        return ["SET LOCAL session_replication_role = replica", *rows]

    connection.ops.sql_flush = sql_flush  # type: ignore[method-assign]


def _with_rows(tables: Sequence[str]) -> list[str]:
    asked = (
        f"SELECT %s WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})"  # noqa: S608
        for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked), list(tables))
        return [table for (table,) in cursor.fetchall()]


def _is_superuser() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])
