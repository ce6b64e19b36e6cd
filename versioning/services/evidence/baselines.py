"""A version's performance at the moment it becomes current: what later ones are held against."""

from datetime import datetime

from versioning.domain.baseline import read_baseline
from versioning.domain.stored_documents import SCHEMA_VERSION
from versioning.models import ModelVersion
from versioning.services.evidence import performance


def take_baseline(*, version: ModelVersion, now: datetime) -> None:
    """Keep the version's figures as they are now, per task and in all; nothing else is changed.

    A version without samples gets a baseline that says so: n is 0 and the figures are null.
    """
    found = performance.figures(version_ids=[version.pk])[version.pk]
    version.baseline = read_baseline(
        {**found.as_dict(), "schema_version": SCHEMA_VERSION}
    ).as_dict()
    version.baseline_taken_at = now
    version.save(update_fields=["baseline", "baseline_taken_at"])
