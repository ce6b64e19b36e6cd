"""Emergencies: what was moved at once, and who looked at it afterwards."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Moment, Paging
from versioning.api.serializers.upgrades import NeededReasonSerializer, TargetSerializer
from versioning.models import EmergencyStep
from versioning.services.upgrades.emergencies import MOST_MINUTES, USUAL_MINUTES


class EmergencyMove(TargetSerializer, NeededReasonSerializer):
    minutes = serializers.IntegerField(
        default=USUAL_MINUTES,
        min_value=1,
        max_value=MOST_MINUTES,
        help_text="After so many the emergency ends by itself; for the move that declares it.",
    )


class EmergencyStepSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=EmergencyStep.Kind.values)
    record_id = serializers.IntegerField(allow_null=True, help_text="The upgrade of a move.")
    at = Moment()
    actor_kind = serializers.CharField()
    actor_name = serializers.CharField()
    text = serializers.CharField(allow_blank=True, help_text="The reason, or the reviewer's note.")


class EmergencySerializer(serializers.Serializer[Any]):
    """A time in which a model was moved at once."""

    id = serializers.IntegerField()
    provider = serializers.CharField(source="tracked_model.provider.slug")
    model = serializers.CharField(source="tracked_model.name")
    reason = serializers.CharField()
    declared_at = Moment()
    ends_at = Moment(help_text="It ends by itself then.")
    ended_at = Moment(allow_null=True)
    reviewed_at = Moment(allow_null=True)
    steps = EmergencyStepSerializer(many=True, source="steps.all")


class EmergenciesQuery(Paging):
    reviewed = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Only those (not) reviewed."
    )


class Review(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=2000, help_text="Kept for good.")
