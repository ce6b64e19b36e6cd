"""May requests come here? Asked by whoever decides it."""

import threading
from datetime import datetime, timedelta

from django.db import transaction

from versioning.models import IdempotentRequest
from versioning.services.lock_timeouts import waiting_at_most

# Whoever asks (a load balancer) gives up soon, and a write that waits longer is no service.
PATIENCE = timedelta(seconds=1)
_ROW = {"caller": "readyz", "key": "readyz"}

_ending = threading.Event()


def end() -> None:
    """Have this process say from now on that it takes no more requests."""
    _ending.set()


def is_ending() -> bool:
    return _ending.is_set()


def try_write(*, now: datetime) -> None:
    """Write one row and commit it. Raises DatabaseError where it is locked, full or read-only.

    Committed, since a full disk is only met then.
    """
    with waiting_at_most(PATIENCE), transaction.atomic(), waiting_at_most(PATIENCE):
        if not IdempotentRequest.objects.filter(**_ROW).update(created_at=now):
            IdempotentRequest.objects.create(**_ROW, fingerprint="", created_at=now)
