"""How long a statement waits for other writers: less where somebody waits for the answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection


@contextmanager
def waiting_at_most(patience: timedelta) -> Iterator[None]:
    """Wait so long for a lock, at most; then the database raises OperationalError.

    SQLite has one write lock, and its driver waits for it in a call that nothing can interrupt.
    On PostgreSQL it is the wait for locked rows, and is only set inside a transaction.
    """
    ms = round(patience.total_seconds() * 1000)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout = {ms}")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {usual}")
    else:
        if connection.in_atomic_block:
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {max(ms, 1)}")
        yield
