"""Tables, constraints, querysets and what is known from one row."""

from versioning.models.access import ApiKey, IdempotentRequest
from versioning.models.catalogue import LineageRule, ModelVersion, TrackedModel
from versioning.models.detection import (
    AliasTarget,
    CatalogueEntry,
    Check,
    DirectQuestion,
    Finding,
    PassedOver,
)
from versioning.models.discussion import Comment
from versioning.models.emergencies import Emergency, EmergencyStep
from versioning.models.evaluation import (
    EvaluationCase,
    EvaluationRun,
    EvaluationSuite,
    FrozenSuite,
    Mark,
    Trial,
)
from versioning.models.events import Delivery, DeliveryAttempt, Event
from versioning.models.people import OwnInbox, SavedFilter
from versioning.models.policy import AutomationSwitch, Freeze, Policy
from versioning.models.rollout import (
    Approval,
    Canary,
    Look,
    Notice,
    OutcomeReport,
    Reminder,
    WakeRule,
    Watch,
)
from versioning.models.rollups import DriftFinding, Rollup, RollupPart
from versioning.models.samples import (
    PendingScore,
    PerformanceSample,
    RequestUse,
    Route,
    SamplesDropped,
    ServedDrift,
    Sighting,
    SliceTag,
    UnknownModel,
    Word,
)
from versioning.models.seals import Seal
from versioning.models.second_factors import RecoveryCode, SecondFactor
from versioning.models.subscriptions import CalendarFeed, Digest, Recipient, Webhook
from versioning.models.tallies import Tally
from versioning.models.teams import Team
from versioning.models.traces import LeftOutSpans, SpanLink, TracedSpan, TracedUse
from versioning.models.upgrades import UpgradeRecord, UpgradeStep

__all__ = [
    "AliasTarget",
    "ApiKey",
    "Approval",
    "AutomationSwitch",
    "CalendarFeed",
    "Canary",
    "CatalogueEntry",
    "Check",
    "Comment",
    "Delivery",
    "DeliveryAttempt",
    "Digest",
    "DirectQuestion",
    "DriftFinding",
    "Emergency",
    "EmergencyStep",
    "EvaluationCase",
    "EvaluationRun",
    "EvaluationSuite",
    "Event",
    "Finding",
    "Freeze",
    "FrozenSuite",
    "IdempotentRequest",
    "LeftOutSpans",
    "LineageRule",
    "Look",
    "Mark",
    "ModelVersion",
    "Notice",
    "OutcomeReport",
    "OwnInbox",
    "SavedFilter",
    "PassedOver",
    "PendingScore",
    "PerformanceSample",
    "Policy",
    "Recipient",
    "RecoveryCode",
    "Reminder",
    "Rollup",
    "RollupPart",
    "Route",
    "RequestUse",
    "SamplesDropped",
    "Seal",
    "SecondFactor",
    "ServedDrift",
    "Sighting",
    "SliceTag",
    "SpanLink",
    "Tally",
    "Team",
    "TracedSpan",
    "TracedUse",
    "TrackedModel",
    "Trial",
    "UnknownModel",
    "UpgradeRecord",
    "UpgradeStep",
    "WakeRule",
    "Watch",
    "Webhook",
    "Word",
]
