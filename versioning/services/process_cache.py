"""When what was read from the database may be kept in the process."""

from collections.abc import Callable

from django.db import connection
from django.db.models.signals import post_migrate


def may_keep() -> bool:
    """Whether what is read now is committed: inside a transaction it may still be undone."""
    return not connection.in_atomic_block


def forget_after_migration(forget: Callable[[], None]) -> None:
    """Have ``forget`` called after a migration or flush: the rows may be others then."""

    def on_migration(**_: object) -> None:
        forget()

    post_migrate.connect(on_migration, weak=False)
