"""Is the process alive, and can it do its work?"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from versioning.api.authentication import key_of
from versioning.api.operations import READ
from versioning.api.problems import problem
from versioning.models import ApiKey
from versioning.services import clock, clock_notices, outbox, readiness, standstills
from versioning.services.checks import detection


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """Say that the process answers; it asks nobody else."""
    return JsonResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether the database is there and up to date, and this process isn't about to stop.

    Staff, and keys that may read, are told how old each provider's news is, what has not gone out,
    whose clock is off and what stands still. Nothing of it makes the process unready: taking it
    out would not ask the provider, and the worker sends.
    """
    if readiness.is_ending():
        return _not_ready(request, "This server is about to stop: ask another one.")
    try:
        pending = _pending_migrations()
    except DatabaseError as error:
        return _not_ready(request, f"The database can't be reached ({type(error).__name__}).")
    if pending:
        return _not_ready(request, f"{pending} migrations are missing: run `manage.py migrate`.")
    try:
        readiness.try_write(now=clock.now())
        clock_notices.note_own_clock(now=clock.now())
    except DatabaseError as error:
        return _not_ready(request, f"The database can't be written ({type(error).__name__}).")
    body = {"status": "ready", "database": "reachable", "migrations": "applied"}
    return JsonResponse(
        body | _details(request, now=clock.now()), headers={"Cache-Control": "no-store"}
    )


def _details(request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    """Return what only those are told who may see it anyway."""
    key = key_of(request, now=now)
    is_let_in = request.user.has_perm(READ) if key is None else ApiKey.Scope.READ in key.scopes
    if not is_let_in:
        return {}
    return {
        "version": settings.HOTSWAP["VERSION"],
        "checks": _checks(now=now),
        "outbox": _outbox(now=now),
        "clocks_off": sorted(clock_notices.open_ones().values_list("subject", flat=True)),
        "standstills": [each.kind for each in standstills.current(now=now)],
    }


def _outbox(*, now: datetime) -> dict[str, Any]:
    """Say what has not gone out."""
    found = outbox.backlog(now=now)
    waited = now - found.oldest_at if found.oldest_at else None
    return {
        "pending": found.pending,
        "oldest_s": None if waited is None else max(0, round(waited.total_seconds())),
        "dead": found.dead,
        "stuck": found.is_stuck(now=now),
    }


def _not_ready(request: HttpRequest, detail: str) -> HttpResponse:
    headers = {"Retry-After": "5", "Cache-Control": "no-store"}
    return problem(request, status=503, code="not-ready", detail=detail, headers=headers)


def _once_nil(count: Callable[[], int]) -> Callable[[], int]:
    """Ask until the answer is 0, then never again: migrations don't go away under a process."""
    done = False

    def ask() -> int:
        nonlocal done
        found = 0 if done else count()
        done = found == 0
        return found

    return ask


@_once_nil
def _count_pending() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _pending_migrations() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return _count_pending()


def _checks(*, now: datetime) -> dict[str, Any]:
    return {
        check.provider.slug: {
            "state": check.state,
            "age_s": max(0, round((now - check.started_at).total_seconds())),
        }
        for check in detection.last_checks().values()
    }
