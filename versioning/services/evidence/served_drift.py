"""Versions that another id answered for than their own: since when, and how often."""

from django.db.models import ExpressionWrapper, F, FloatField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Least, NullIf

from versioning.models import PerformanceSample, Rollup, RollupPart, ServedDrift
from versioning.models.fields import PeriodStart
from versioning.services.samples.rollup_sums import DAY_MS, HOUR_MS


def drifts() -> QuerySet[ServedDrift]:
    """Return all of them with their version, and the ``share`` of its samples since they began.

    The share lies over 0 and up to 1, exact to the hour in which it began, to the day once hours
    are folded; None while no sample is counted. One query for any number.
    """
    hour, day = (PeriodStart(OuterRef("since"), length_ms=ms) for ms in (HOUR_MS, DAY_MS))
    folded = Rollup.objects.filter(
        Q(span=Rollup.Span.HOUR, start__gte=hour) | Q(span=Rollup.Span.DAY, start__gte=day)
    )
    parts = RollupPart.objects.filter(start__gte=hour)
    samples = NullIf(_samples(folded) + _samples(parts), 0)
    share = ExpressionWrapper(F("samples") * 1.0 / samples, output_field=FloatField())
    return ServedDrift.objects.select_related("version__tracked_model__provider").annotate(
        # A sample may be counted here a moment before it is there.
        share=Least(share, 1.0, output_field=FloatField())
    )


def _samples(rows: QuerySet[Rollup] | QuerySet[RollupPart]) -> Coalesce:
    """Return the number of samples of the outer query's version."""
    of_version = rows.filter(version=OuterRef("version")).exclude(
        source=PerformanceSample.Source.COUNTED_OUT
    )
    totals = of_version.order_by().values("version").annotate(total=Sum("samples"))
    return Coalesce(Subquery(totals.values("total")), 0)
