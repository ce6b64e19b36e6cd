"""Policies, freezes and the switch over all automation."""

from typing import Any, ClassVar

from rest_framework import serializers

from providers.models import Provider
from versioning.api.serializers.fields import FORM_FIELDS, Moment, Paging, RowByName
from versioning.domain import calendar, canary
from versioning.domain.figures import LIMITS
from versioning.domain.policy import BY_THEMSELVES
from versioning.models import Policy, TrackedModel

SETTINGS = (
    "automation",
    "steps_allowed",
    "minimum_improvement",
    *(limit.setting for limit in LIMITS),
    "unsure_limits_pass",
    "minimum_age_days",
    "near_retirement_days",
    "required_suites",
    "unsure_tests",
    "tests_alone",
    "canary_steps",
    "canary_asks",
    "approvals_needed",
    "requester_may_approve",
    "windows",
    "time_zone",
    "max_at_once",
    "max_per_day",
    "watch_days",
    "rollback_by_itself",
    "approval_days",
    "buffer_days",
    "fallback_version",
)


WINDOWS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "days": {
                "type": "array",
                "items": {"type": "string", "enum": list(calendar.DAYS)},
                "minItems": 1,
            },
            "from": {"type": "string", "description": "On the clock of the wall: 09:00."},
            "to": {"type": "string", "description": "At or before `from`: on the next day."},
        },
        "required": ["days", "from", "to"],
        "additionalProperties": False,
    },
}
CANARY_STEPS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "weight": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 100,
                "description": "In per cent; more than that of the step before.",
            },
            "hours": {"type": "number", "minimum": 0, "maximum": canary.MOST_HOURS},
            "samples": {"type": "integer", "minimum": 0, "maximum": canary.MOST_SAMPLES},
            "approval": {"type": "boolean"},
            "deadline_hours": {"type": "number", "minimum": 0, "maximum": canary.MOST_HOURS},
        },
        "required": ["weight"],
        "additionalProperties": False,
    },
}
NAMES = {"type": "array", "items": {"type": "string", "minLength": 1}}
STEPS_ALLOWED = {"type": "array", "items": {"type": "string", "enum": list(BY_THEMSELVES)}}


class ProviderSlug(RowByName[Provider]):
    """A provider by its slug."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="slug", queryset=Provider.objects.all(), **kwargs)


class PolicyFormSerializer(serializers.ModelSerializer[Policy]):
    """What is set; null, or an empty text, is what the level above says."""

    serializer_field_mapping: ClassVar[Any] = FORM_FIELDS
    provider = ProviderSlug(
        required=False, allow_null=True, help_text="Slug: for all models of this provider."
    )
    tracked_model = serializers.PrimaryKeyRelatedField(
        queryset=TrackedModel.objects.all(),
        required=False,
        allow_null=True,
        help_text="Id: for this model alone.",
    )

    class Meta:
        model = Policy
        fields: tuple[str, ...] = ("provider", "tracked_model", *SETTINGS)
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "steps_allowed": {"shape": STEPS_ALLOWED},
            "required_suites": {"shape": NAMES},
            "canary_steps": {"shape": CANARY_STEPS},
            "windows": {"shape": WINDOWS},
        }


class PolicySerializer(PolicyFormSerializer):
    """What is set for a tracked model, for all of a provider's, or in general."""

    name = serializers.CharField(source="__str__", help_text="For people.", read_only=True)

    class Meta(PolicyFormSerializer.Meta):
        fields = ("id", "name", *PolicyFormSerializer.Meta.fields)


class PoliciesQuery(Paging):
    provider = serializers.CharField(
        required=False, max_length=50, help_text="Of this provider, or of one of its models."
    )
    tracked_model = serializers.IntegerField(required=False)


class SettingSerializer(serializers.Serializer[Any]):
    """One thing that a policy can set, as it holds for a model."""

    name = serializers.CharField()
    value = serializers.JSONField(help_text="As policies write it; null is no limit.")
    set_by = serializers.CharField(
        allow_null=True, help_text="Whose policy sets it; null where it is built in."
    )
    set_by_id = serializers.IntegerField(
        source="set_by.pk", default=None, allow_null=True, help_text="Its id."
    )


class ModelPolicySerializer(serializers.Serializer[Any]):
    """What holds for a tracked model."""

    settings = SettingSerializer(many=True)
    in_words = serializers.ListField(
        child=serializers.CharField(), help_text="What that means, a sentence for each thing."
    )
    fallback_version = serializers.IntegerField(
        source="fallback.pk",
        default=None,
        allow_null=True,
        help_text="Id of the version to go back to.",
    )


class FreezeFormSerializer(serializers.Serializer[Any]):
    """A time in which nothing goes by itself."""

    name = serializers.CharField(max_length=100, help_text="Why, such as Christmas trade.")
    provider = ProviderSlug(
        required=False, allow_null=True, help_text="Slug; null freezes everything."
    )
    starts_at = Moment()
    ends_at = Moment(help_text="After its start.")


class FreezeChange(FreezeFormSerializer):
    """The fields that change."""

    name = serializers.CharField(required=False, max_length=100)
    starts_at = Moment(required=False)
    ends_at = Moment(required=False)


class FreezeSerializer(FreezeFormSerializer):
    """A time in which nothing goes by itself; a canary that is broken still goes back."""

    id = serializers.IntegerField()
    made_by = serializers.CharField()
    created_at = Moment()


class FreezesQuery(Paging):
    provider = serializers.CharField(required=False, max_length=50)
    over = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Only those that are over, or not."
    )


class AutomationSerializer(serializers.Serializer[Any]):
    """The switch over all automation."""

    on = serializers.BooleanField(help_text="Off: nothing moves by itself, anywhere.")
    reason = serializers.CharField()
    changed_by = serializers.CharField(help_text="Empty where nobody has touched it.")
    changed_at = Moment(allow_null=True)


class AutomationChange(serializers.Serializer[Any]):
    on = serializers.BooleanField()
    reason = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=300,
        help_text="Needed to switch it off.",
    )
