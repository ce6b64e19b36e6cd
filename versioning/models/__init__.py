"""Tables, constraints, querysets and what is known from one row."""

from versioning.models.access import ApiKey, IdempotentRequest
from versioning.models.catalogue import LineageRule, ModelVersion, TrackedModel
from versioning.models.detection import AliasTarget, CatalogueEntry, Check, Finding
from versioning.models.upgrades import UpgradeRecord, UpgradeStep

__all__ = [
    "AliasTarget",
    "ApiKey",
    "CatalogueEntry",
    "Check",
    "Finding",
    "IdempotentRequest",
    "LineageRule",
    "ModelVersion",
    "TrackedModel",
    "UpgradeRecord",
    "UpgradeStep",
]
