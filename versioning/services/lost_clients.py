"""Have PostgreSQL give up clients that vanish: what they had locked would stay locked for hours."""

from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


def watch() -> None:
    """Say it on every new connection; called once a process."""
    connection_created.connect(_ask_for_probes, dispatch_uid="lost clients")


def _ask_for_probes(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Not at the start of the connection, by its options: pgbouncer refuses those."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(settings.HOTSWAP["PROBES_OF_CLIENTS"])
