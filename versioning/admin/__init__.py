"""The admin: pages for staff. Importing this registers them all."""

from versioning.admin import (
    access,
    catalogue,
    detection,
    drift,
    evaluation,
    events,
    people,
    policies,
    rules,
    samples,
    schedules,
    upgrades,
    versions,
)

__all__ = [
    "access",
    "catalogue",
    "detection",
    "drift",
    "evaluation",
    "events",
    "people",
    "policies",
    "rules",
    "samples",
    "schedules",
    "upgrades",
    "versions",
]
