"""How many live requests versions get."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Sum

from versioning.models import PerformanceSample, Rollup, RollupPart

LIVE = (PerformanceSample.Source.PRODUCTION, PerformanceSample.Source.CANARY)


def live_requests(*, version_ids: Sequence[int], since: datetime) -> Counter[int]:
    """Return the live requests of each version since the hour in which a moment lies.

    One statement reads folded and unfolded sums, so none counts twice.
    """
    if not version_ids:
        return Counter()
    wanted = {
        "version__in": version_ids,
        "source__in": LIVE,
        "start__gte": since.replace(minute=0, second=0, microsecond=0),
    }
    folded = Rollup.objects.filter(**wanted).values_list("version")
    parts = RollupPart.objects.filter(**wanted).values_list("version")
    requests: Counter[int] = Counter()
    for version_id, samples in folded.annotate(Sum("samples")).union(
        parts.annotate(Sum("samples")), all=True
    ):
        requests[version_id] += samples
    return requests
