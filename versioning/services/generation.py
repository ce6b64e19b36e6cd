"""A mark that all processes of this machine see, and that is new after each change.

What applications ask all day (is this key good, which version now?) is answered from memory
while the mark is the same. Every change that Django writes to one of the tables renews it once
it is committed, whoever makes it and however: so no caller can forget to.
"""

import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from providers.models import Provider
from versioning.models import ApiKey, Canary, ModelVersion, Team, TrackedModel, UpgradeRecord

TABLES = tuple(
    model._meta.db_table
    for model in (ApiKey, Canary, ModelVersion, Provider, Team, TrackedModel, UpgradeRecord, User)
)
_SIZE = 16  # bytes: two marks drawn at random are never the same


class Generation:
    """A few random bytes in a file of the data folder, mapped into every process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._map: mmap.mmap | None = None

    def mark(self) -> bytes | None:
        """Return the bytes; None where there is no such file to share."""
        shared = self._map or self._open()
        return shared[:_SIZE] if shared is not None else None

    def renew(self) -> None:
        """Have every process ask the database again."""
        shared = self._map or self._open()
        if shared is not None:
            shared[:_SIZE] = os.urandom(_SIZE)

    def _open(self) -> mmap.mmap | None:
        try:
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return None  # nothing is kept then
        try:
            if os.fstat(handle).st_size < _SIZE:
                os.ftruncate(handle, _SIZE)
            self._map = mmap.mmap(handle, _SIZE)
        finally:
            os.close(handle)
        return self._map


_ours = Generation(Path(settings.DATA_DIR) / "generation")
mark = _ours.mark
renew = _ours.renew


def watch() -> None:
    """Have every connection renew the mark after its changes; called once a process."""
    connection_created.connect(_watch_connection, dispatch_uid="generation")


def _watch_connection(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    if _renew_after_change not in connection.execute_wrappers:
        connection.execute_wrappers.append(_renew_after_change)


def _renew_after_change(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    result = execute(sql, params, many, context)
    text = str(sql)
    # By the text, not by signals: update() and bulk_create() send none. One renewal too many costs
    # a query, one too few would answer with yesterday's version.
    if text[:6] != "SELECT" and any(table in text for table in TABLES):
        # Not sooner: who asks before the commit would keep the old row under the new mark.
        transaction.on_commit(renew, using=context["connection"].alias)
    return result
