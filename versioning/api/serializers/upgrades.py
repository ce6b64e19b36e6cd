"""Upgrade records, recommendations among them, and the decisions on them."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Moment, Paging, Shaped
from versioning.api.serializers.performance import VersionFiguresSerializer
from versioning.api.serializers.versions import VersionNameSerializer, VersionSerializer
from versioning.domain.memory import WakeKind
from versioning.domain.transitions import WAITING, State
from versioning.models import ModelVersion, UpgradeRecord
from versioning.services.upgrades.audit_trail import EntryKind
from versioning.services.upgrades.layers import LayerKind

WAKE_KINDS = [kind.value for kind in WakeKind]
STATES = [state.value for state in State]


class StepSerializer(serializers.Serializer[Any]):
    """Who moved a record, when, why, and on which evidence."""

    before = serializers.CharField(help_text="Empty at the beginning.")
    after = serializers.ChoiceField(choices=STATES)
    at = Moment()
    actor_kind = serializers.CharField()
    actor_name = serializers.CharField()
    reason = serializers.CharField()
    evidence_hash = serializers.CharField()


class RunnerUpSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    why_not = serializers.CharField()


class UpgradeSerializer(serializers.Serializer[Any]):
    """One move from a version to another, from recommendation to its end."""

    id = serializers.IntegerField()
    provider = serializers.CharField(source="tracked_model.provider.slug")
    model = serializers.CharField(source="tracked_model.name")
    tracked_model_id = serializers.IntegerField()
    from_version = VersionNameSerializer(allow_null=True)
    to_version = VersionNameSerializer()
    state = serializers.ChoiceField(choices=STATES)
    origin = serializers.ChoiceField(choices=UpgradeRecord.Origin.values)
    step = serializers.ChoiceField(choices=UpgradeRecord.Step.values)
    confidence = serializers.FloatField(help_text="How sure lineage is, from 0 to 1.")
    reasons = serializers.ListField(child=serializers.CharField())
    doubt = serializers.CharField(
        allow_blank=True, help_text="Why it is only a maybe; empty for other steps."
    )
    evidence = Shaped(
        help_text="As it was at evidence_at, word for word. `schema_version` 2 is the schema "
        "Evidence; older evidence has no number, and less of the same fields."
    )
    evidence_hash = serializers.CharField(help_text="Send it as If-Match with a decision.")
    evidence_at = Moment(allow_null=True)
    urgent_on = serializers.DateField(
        allow_null=True, help_text="The day on which the version in use retires."
    )
    snoozed_until = Moment(allow_null=True)
    recommended_at = Moment()
    changed_at = Moment()
    completed_at = Moment(allow_null=True)
    reverses_id = serializers.IntegerField(allow_null=True)


class StandingSerializer(serializers.Serializer[Any]):
    """Is there an upgrade, does the evidence speak for it, from where to where?"""

    has_upgrade = serializers.BooleanField(
        help_text="Does an upgrade wait for a decision? A maybe is none, nor is one put off."
    )
    recommended = serializers.BooleanField(help_text="Does the evidence speak for it?")
    current_version = serializers.CharField(help_text="Label of the version in use.")
    latest_version = serializers.CharField(
        help_text="Label of the version to move to; the one in use where there is none."
    )
    improvements = serializers.ListField(child=serializers.CharField())


class RecommendationSerializer(UpgradeSerializer):
    """An upgrade record with all that a decision needs."""

    has_upgrade = serializers.BooleanField(source="standing.has_upgrade")
    recommended = serializers.BooleanField(
        source="standing.recommended", help_text="Does the evidence speak for it?"
    )
    current_version = serializers.CharField(source="standing.current_version")
    latest_version = serializers.CharField(source="standing.latest_version")
    improvements = serializers.ListField(
        child=serializers.CharField(), source="standing.improvements"
    )
    answers = serializers.ChoiceField(
        source="to_version.answers",
        choices=ModelVersion._meta.get_field("answers").choices or (),
        allow_blank=True,
        help_text="What the provider said when it was asked for the version directly; empty while "
        "nobody has asked yet.",
    )
    breaking_changes = serializers.ListField(
        child=serializers.CharField(), source="to_version.breaking_changes"
    )
    migration_notes = serializers.CharField(source="to_version.migration_notes")
    runners_up = RunnerUpSerializer(many=True)


class LayerSerializer(serializers.Serializer[Any]):
    """What was measured of an upgrade at a moment, and what it led to. Never changed."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in LayerKind], source="found.kind")
    id = serializers.IntegerField(source="found.id", help_text="Of the kind; a run's for tests.")
    measured_at = Moment(source="found.at")
    at_the_latest = serializers.BooleanField(
        help_text="Only this is known: it was measured then or before."
    )
    title = serializers.CharField(help_text="Where it comes from, in words.")
    outcome = serializers.CharField(
        allow_blank=True,
        help_text="What it led to: wait, pause, advance, complete or abort of a canary; of a watch "
        "wait or its result; of tests their verdict; of a later step its state.",
    )
    says = serializers.CharField(allow_blank=True)
    position = serializers.IntegerField(
        allow_null=True, help_text="The canary's step at which it was measured, from 0."
    )
    samples = serializers.IntegerField(
        allow_null=True, help_text="Requests of the new version since the canary began."
    )
    evidence = Shaped(
        allow_null=True,
        source="evidence.as_dict",
        default=None,
        help_text="Word for word, with its `schema_version`; null for tests, which GET "
        "evaluation run gives.",
    )
    evidence_hash = serializers.CharField(allow_blank=True)


class SealedSerializer(serializers.Serializer[Any]):
    """The seal of a row of the history."""

    at = Moment()
    number = serializers.IntegerField(
        allow_null=True, help_text="Its place in the chain; null until the next sweep."
    )
    changed = serializers.ListField(
        child=serializers.CharField(),
        help_text="Fields that are not as they were when the row was written. Always empty, unless "
        "somebody wrote in the database.",
    )


class AuditEntrySerializer(serializers.Serializer[Any]):
    """One row that is kept for good: a step, an approval, a comment or a report."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in EntryKind])
    id = serializers.IntegerField(help_text="Of the kind.")
    at = Moment()
    actor_kind = serializers.CharField()
    actor_name = serializers.CharField()
    what = serializers.CharField(help_text="A step's state; a comment's kind; else in words.")
    text = serializers.CharField(allow_blank=True)
    evidence = Shaped(help_text="As it was then, word for word; empty where there was none.")
    evidence_hash = serializers.CharField(allow_blank=True)
    sealed = SealedSerializer(allow_null=True, help_text="Null: it has no seal.")


class AuditTrailSerializer(serializers.Serializer[Any]):
    """All that is kept of an upgrade, for those who audit it."""

    record = UpgradeSerializer()
    entries = AuditEntrySerializer(many=True)
    layers = LayerSerializer(many=True)
    head = serializers.CharField(
        help_text="NUMBER:LINK, the end of the chain of all seals: keep it elsewhere, and "
        "`verify_history --since` says later whether the history up to there is still the same."
    )


class RecommendationDetailSerializer(RecommendationSerializer):
    steps = StepSerializer(many=True)


class UpgradeWithStepsSerializer(UpgradeSerializer):
    steps = StepSerializer(many=True)


class PeriodSerializer(serializers.Serializer[Any]):
    """From when to when a version was the current one."""

    since = Moment()
    until = Moment(allow_null=True, help_text="Null: it is the current one.")
    record_id = serializers.IntegerField(help_text="The move that made it current.")


class HistoryItemSerializer(serializers.Serializer[Any]):
    """A version, how it did, when it served, and the moves towards it."""

    version = VersionSerializer()
    performance = VersionFiguresSerializer()
    unpriced = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Requests of the last 30 days whose cost is unknown since the price or count of "
        "that part is missing.",
    )
    served = PeriodSerializer(many=True)
    upgrades = UpgradeWithStepsSerializer(many=True)


class HistoryQuery(Paging):
    as_of = Moment(required=False, help_text="Only the version that served at this moment.")


class UpgradesQuery(Paging):
    state = serializers.ChoiceField(required=False, choices=STATES)
    origin = serializers.ChoiceField(required=False, choices=UpgradeRecord.Origin.values)
    step = serializers.ChoiceField(required=False, choices=UpgradeRecord.Step.values)


class RecommendationsQuery(Paging):
    provider = serializers.CharField(required=False, max_length=50)
    model = serializers.CharField(required=False, max_length=200)
    step = serializers.ChoiceField(required=False, choices=UpgradeRecord.Step.values)
    state = serializers.ChoiceField(
        choices=sorted(state.value for state in WAITING),
        default=State.RECOMMENDED.value,
        help_text="Those that wait now, or those put off.",
    )


class ExplanationSerializer(serializers.Serializer[Any]):
    """Why this successor, or why none."""

    successor = serializers.CharField(
        allow_null=True, help_text="Upstream id; for the step maybe it may be none."
    )
    step = serializers.CharField(allow_null=True)
    confidence = serializers.FloatField()
    reasons = serializers.ListField(child=serializers.CharField())
    runners_up = RunnerUpSerializer(many=True)
    maybes = serializers.ListField(
        child=serializers.CharField(),
        help_text="Upstream ids that may follow; of several none is chosen.",
    )
    doubt = serializers.CharField(allow_blank=True, help_text="Why it is only a maybe.")
    stated_replacement = serializers.CharField(
        allow_null=True, help_text="What the provider says to use instead."
    )
    stated_source = serializers.CharField(allow_blank=True)
    needs_reembedding = serializers.BooleanField(
        help_text="Vectors of the two models can't be compared: embed everything again."
    )


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=500, help_text="Kept for good."
    )


class NeededReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, help_text="Kept for good.")


class WakeRuleSerializer(serializers.Serializer[Any]):
    """When a rejected version may be offered again."""

    kind = serializers.ChoiceField(choices=WAKE_KINDS)
    until = serializers.DateField(required=False, help_text="For the kind until.")
    price_falls_by = serializers.DecimalField(
        required=False,
        max_digits=7,
        decimal_places=6,
        help_text="For the kind price: 0.2 is a fall by 20 %.",
    )
    days = serializers.IntegerField(
        required=False,
        max_value=36_500,
        help_text="For the kind retirement: so many days before that of the version in use.",
    )


class Rejection(NeededReasonSerializer):
    wake = WakeRuleSerializer(required=False, help_text="Left out: never.")


class Snooze(ReasonSerializer):
    until = Moment(help_text="When to ask again.")


class TargetSerializer(serializers.Serializer[Any]):
    """The version to move to."""

    to_version = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Label or id of a version. Leave it out for the one that is recommended.",
    )
    upstream_id = serializers.CharField(
        required=False, max_length=200, help_text="The provider's id, instead of to_version."
    )


class UpgradeRequest(TargetSerializer, ReasonSerializer):
    evidence_hash = serializers.CharField(
        required=False,
        max_length=64,
        help_text="The evidence that you have read; If-Match does the same.",
    )


class RollbackRequest(NeededReasonSerializer):
    record_id = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        help_text="Only if this upgrade is the latest move still.",
    )


class AutoUpgradeRequest(serializers.Serializer[Any]):
    auto_upgrade = serializers.BooleanField(
        help_text="true moves if the evidence is good enough; false only looks."
    )
    min_quality_improvement = serializers.DecimalField(
        max_digits=12,
        decimal_places=10,
        min_value=Decimal(0),
        max_value=Decimal(10),
        default=Decimal("0.1"),
        help_text="A fraction: 0.1 asks for 10 % better; exactly 10 % is enough.",
    )


class AutoUpgradeSerializer(serializers.Serializer[Any]):
    upgraded = serializers.BooleanField()
    version = serializers.CharField(help_text="Label of the version that is current now.")
    record_id = serializers.IntegerField(allow_null=True)
    waits_for = serializers.CharField(help_text="Why nothing moved; empty after an upgrade.")
