"""Every lock on rows, in one order: so no two transactions can wait for each other.

A transaction takes what it needs of ``ORDER`` from above to below, and rows of one table by
their ids. Whoever writes anything that belongs to a tracked model holds the model first: so all
that is of one model has one writer at a time, in whatever order that one writes it.

Roll-ups have a lock of their own, which comes before all rows: ``rollups.folding``.

The locks are NO KEY ones: ids never change, so a sample or a finding that only names a locked
row needn't wait.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django_celery_beat.models import PeriodicTask

from providers.models import Provider
from versioning import models
from versioning.models import TrackedModel
from versioning.services.lookups import one

Row = TypeVar("Row", bound=Model)

ORDER: tuple[frozenset[type[Model]], ...] = (
    # What people set up, a row at a time.
    frozenset(
        {
            Provider,
            models.ApiKey,
            models.AutomationSwitch,
            models.CalendarFeed,
            models.EvaluationCase,
            models.EvaluationSuite,
            models.Freeze,
            models.Policy,
            models.Recipient,
            models.SecondFactor,
            models.Webhook,
            PeriodicTask,
        }
    ),
    # A provider's own check writes these and nobody else.
    frozenset({models.AliasTarget, models.CatalogueEntry}),
    frozenset({TrackedModel}),
    # What belongs to a tracked model: its lock is held.
    frozenset(
        {
            models.Approval,
            models.Canary,
            models.LineageRule,
            models.ModelVersion,
            models.Notice,
            models.PassedOver,
            models.Reminder,
            models.UpgradeRecord,
            models.Watch,
        }
    ),
    frozenset({models.EvaluationRun}),
    frozenset({models.Trial}),
    frozenset({models.PendingScore}),
    frozenset({models.PerformanceSample}),
    # Whoever folds holds the lock of roll-ups; all others only add rows.
    frozenset(
        {
            models.LeftOutSpans,
            models.RequestUse,
            models.Rollup,
            models.RollupPart,
            models.ServedDrift,
            models.Sighting,
            models.Tally,
            models.TracedUse,
            models.UnknownModel,
        }
    ),
    # A worker's or a client's own row.
    frozenset({models.Check, models.DirectQuestion, models.IdempotentRequest}),
    # What happened is added last; a reader takes a delivery by itself, without a lock. Seals come
    # with what they seal, and are chained in a transaction that holds nothing else.
    frozenset({models.Delivery, models.DeliveryAttempt, models.Digest, models.Event, models.Seal}),
    # Claimed in one order by whoever brings traces, in a transaction of their own.
    frozenset({models.SpanLink, models.TracedSpan}),
)

_WAY_TO_MODEL: Mapping[type[Model], str] = {
    models.Canary: "record__tracked_model",
    models.LineageRule: "tracked_model",
    models.ModelVersion: "tracked_model",
    models.UpgradeRecord: "tracked_model",
    models.Watch: "record__tracked_model",
}


def hold(rows: QuerySet[Row], *, skip_locked: bool = False) -> QuerySet[Row]:
    """Return the rows so that reading them locks them until the transaction ends.

    They come by their ids. The tracked models that they belong to are locked at once, before
    any of them. With ``skip_locked`` those that somebody else holds are left out.
    """
    # Where others are joined, only the rows themselves: the outer side of a join can't be locked.
    is_joined = bool(rows.query.select_related) or len(rows.query.alias_map) > 1
    of = ("self",) if is_joined else ()
    # A statement that waits reads what it joins as of before the wait: so models go ahead.
    way = "pk" if is_joined and rows.model is TrackedModel else _WAY_TO_MODEL.get(rows.model)
    # SQLite has one writer at a time, from the transaction's first statement on.
    if way is not None and connection.features.has_select_for_update:
        _hold_models(rows.order_by().values(way))
    return rows.order_by("pk").select_for_update(no_key=True, skip_locked=skip_locked, of=of)


def hold_one(rows: QuerySet[Row], *, missing: str) -> Row:
    """Return the one row there is, locked. Raises NotFound, in the words of ``missing``."""
    return one(hold(rows), missing=missing)


def take(rows: QuerySet[Row]) -> None:
    """Lock the rows, as ``hold`` does, before they are changed or deleted in one statement."""
    if connection.features.has_select_for_update:
        ids = rows.order_by().values("pk")
        list(hold(rows.model._default_manager.filter(pk__in=ids)).values_list("pk"))


def _hold_models(ids: QuerySet[Any, Any]) -> None:
    models_held = TrackedModel.objects.filter(pk__in=ids).order_by("pk")
    list(models_held.select_for_update(no_key=True).values_list("pk"))
