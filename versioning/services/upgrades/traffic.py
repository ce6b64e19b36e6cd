"""How many live requests versions get."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db.models import Sum

from versioning.models import PerformanceSample, Rollup, RollupPart
from versioning.services.samples import rollups


def live_requests(*, version_ids: Sequence[int], since: datetime) -> Counter[int]:
    """Return the live requests of each version since the hour in which a moment lies.

    Exactly for what began with a canary or a watch under way; else see ``rollups.since``. One
    statement reads folded and unfolded sums, so none counts twice.
    """
    if not version_ids:
        return Counter()
    wanted = {"version__in": version_ids, "source__in": PerformanceSample.LIVE}
    folded = Rollup.objects.filter(rollups.since(since), **wanted).values_list("version")
    unfolded = RollupPart.objects.filter(
        start__gte=since.astimezone(UTC).replace(minute=0, second=0, microsecond=0), **wanted
    )
    parts = unfolded.values_list("version")
    requests: Counter[int] = Counter()
    for version_id, samples in folded.annotate(Sum("samples")).union(
        parts.annotate(Sum("samples")), all=True
    ):
        requests[version_id] += samples
    return requests
