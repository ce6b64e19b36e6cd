"""The admin: pages for staff. Importing this registers them all."""

from versioning.admin import (
    api_keys,
    catalogue,
    detection,
    drift,
    emergencies,
    evaluation,
    events,
    lineage_rules,
    people,
    policies,
    samples,
    schedules,
    teams,
    upgrades,
    versions,
    webhooks,
)

__all__ = [
    "api_keys",
    "catalogue",
    "detection",
    "drift",
    "emergencies",
    "evaluation",
    "events",
    "lineage_rules",
    "people",
    "policies",
    "samples",
    "schedules",
    "teams",
    "upgrades",
    "versions",
    "webhooks",
]
