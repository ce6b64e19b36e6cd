"""How long a statement waits for other writers: less where somebody waits for the answer."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection


@contextmanager
def waiting_at_most(patience: timedelta) -> Iterator[None]:
    """Wait so long for a lock, at most; then the database raises OperationalError.

    SQLite has one write lock, and its driver waits for it in a call that nothing can interrupt.
    On PostgreSQL it is the wait for locked rows and tables.
    """
    ms = round(patience.total_seconds() * 1000)
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        # By the driver: it is put back where the transaction around it was broken off, too.
        driver: Any = connection.connection
        usual = driver.execute("PRAGMA busy_timeout").fetchone()[0]
        driver.execute(f"PRAGMA busy_timeout = {ms}")
        try:
            yield
        finally:
            driver.execute(f"PRAGMA busy_timeout = {usual}")
        return
    if connection.in_atomic_block:  # it ends with the transaction, which may be broken by then
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {max(ms, 1)}")
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {max(ms, 1)}")
    try:
        yield
    finally:
        # A connection that is gone has nothing to set; its error is being told already.
        with suppress(OperationalError, InterfaceError), connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def stands_in_the_way(error: OperationalError) -> bool:
    """Say whether PostgreSQL gave up for others: a lock came too late, or in a circle."""
    return getattr(error.__cause__, "sqlstate", None) in {"55P03", "40P01"}
