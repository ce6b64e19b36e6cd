"""What would happen now, and a canary that is on."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Moment, Paging, Shaped
from versioning.api.serializers.policies import CANARY_STEPS
from versioning.api.serializers.versions import VersionNameSerializer
from versioning.services.upgrades.held_back import Why


class RuleSerializer(serializers.Serializer[Any]):
    """One rule of the policy, and what it says now."""

    rule = serializers.CharField()
    ok = serializers.BooleanField(help_text="Whether it lets the upgrade go by itself.")
    sentence = serializers.CharField()
    set_by = serializers.CharField(help_text="Whose policy sets it; empty where it is built in.")


class OutlookSerializer(serializers.Serializer[Any]):
    """What would happen to a model now, and which rule stops it."""

    record_id = serializers.IntegerField(
        source="record.pk",
        default=None,
        allow_null=True,
        help_text="The upgrade that it is about, if there is one.",
    )
    allowed = serializers.BooleanField(help_text="Whether it would go by itself.")
    next = serializers.CharField(help_text="What would happen if it went.")
    rules = RuleSerializer(many=True, source="rows")
    notices = serializers.ListField(child=serializers.CharField())


class CanarySerializer(serializers.Serializer[Any]):
    """Where a canary is."""

    record_id = serializers.IntegerField()
    weight = serializers.FloatField(help_text="Share of keys that get the new version, 0 to 1.")
    steps = Shaped(shape=CANARY_STEPS, help_text="All its steps, as they were at its start.")
    position = serializers.IntegerField(help_text="The step that it is at, from 0.")
    began_at = Moment()
    step_began_at = Moment()
    paused_at = Moment(allow_null=True)
    says = serializers.CharField(help_text="What it waits for.")
    looked_at = Moment(allow_null=True)


class HeldQuery(Paging):
    why = serializers.ChoiceField(required=False, choices=[why.value for why in Why])
    provider = serializers.CharField(required=False, max_length=50)
    owner = serializers.CharField(required=False, max_length=254)


class HeldSerializer(serializers.Serializer[Any]):
    """A newer version that isn't in use, and why."""

    why = serializers.ChoiceField(
        choices=[why.value for why in Why],
        help_text="previews, look_alike and staff_rule: lineage passed it over at the last look, "
        "and no record is its own.",
    )
    provider = serializers.CharField(source="tracked_model.provider.slug")
    model = serializers.CharField(source="tracked_model.name")
    tracked_model_id = serializers.IntegerField(source="tracked_model.pk")
    upstream_id = serializers.CharField()
    version = VersionNameSerializer(allow_null=True)
    record_id = serializers.IntegerField(source="record.pk", default=None, allow_null=True)
    since = Moment()
    said = serializers.CharField(
        source="quoted",
        allow_blank=True,
        help_text="The reason, word for word; of what waits, the rule's.",
    )
    said_by = serializers.CharField(
        source="step.actor_name", default="", help_text="Who had the last word, if anybody."
    )
    wakes = serializers.CharField(
        allow_blank=True, help_text="When a rejected one is offered again; empty for never."
    )
    snoozed_until = Moment(source="record.snoozed_until", default=None, allow_null=True)


class RetirementsQuery(Paging):
    this_week = serializers.BooleanField(
        default=False, help_text="Only moves whose last safe day is within seven days, or past."
    )


class ClockSerializer(serializers.Serializer[Any]):
    """When a version in use retires, and the last day on which a move can start."""

    provider = serializers.CharField(source="tracked_model.provider.slug")
    model = serializers.CharField(source="tracked_model.name")
    version = VersionNameSerializer()
    retires_on = serializers.DateField(source="retirement.on")
    retires_latest = serializers.DateField(
        source="retirement.latest", help_text="The same day, or a forecast's other end."
    )
    precision = serializers.CharField(source="retirement.precision")
    reason = serializers.CharField(source="retirement.reason")
    latest_start = serializers.DateField(
        help_text="Retirement less tests, canary, approval and buffer, as the policy has them."
    )
    this_week = serializers.BooleanField()
    warning = serializers.CharField()
