"""A version's performance at the moment it became current (first form)."""

from datetime import datetime

from versioning.models import ModelVersion


def take_baseline(*, version: ModelVersion, now: datetime) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(baseline_taken_at=now)
