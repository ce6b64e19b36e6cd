"""What PostgreSQL is told on every new connection.

Not at its start, by its options: pgbouncer refuses those.
"""

from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

COMPILE_NOTHING = "SET jit = off"
"""A page's queries take milliseconds; to compile one whose cost is guessed high takes a hundred."""


def watch() -> None:
    """Say it on every new connection; called once a process."""
    connection_created.connect(_tell, dispatch_uid="new connections")


def _tell(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Have it give up clients that vanish, too: what they locked would stay locked for hours."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"{settings.HOTSWAP['PROBES_OF_CLIENTS']}; {COMPILE_NOTHING}")
