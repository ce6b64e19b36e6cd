"""Model versions, what answers to current, and what staff may add."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from versioning.api.serializers.fields import (
    ANY_OBJECT,
    Moment,
    Paging,
    PriceField,
    Sentences,
    Shaped,
    Words,
)
from versioning.domain.pricing import Part

LONGEST_KEY = 200


@extend_schema_field({**ANY_OBJECT})
class AsJson(serializers.Field[Any, Any, Any, Any]):
    """A value that is kept as JSON text, shown as the object that it is."""

    def to_representation(self, value: str) -> Any:
        return json.loads(value)


OTHER_PRICES = (
    "Prices of other parts, steps and tiers. A request whose part, step or tier has no price has "
    "no known cost."
)


class OtherPriceSerializer(serializers.Serializer[Any]):
    """A price beside those of input, output and cached input."""

    part = serializers.ChoiceField(choices=[part.value for part in Part])
    usd = serializers.CharField(
        max_length=30, help_text="USD per million tokens, of the part request per request."
    )
    above = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=10**9 - 1,
        help_text="It holds for requests with more input tokens than that.",
    )
    tier = serializers.CharField(
        required=False, allow_blank=True, max_length=40, help_text="Such as batch or flex."
    )


class ServedVersionSerializer(serializers.Serializer[Any]):
    """What an application needs to send a request."""

    label = serializers.CharField(help_text="Our number, such as 1.1.0.")  # type: ignore[assignment]
    upstream_id = serializers.CharField(help_text="The id to send to the provider.")
    revision = serializers.CharField(help_text="Empty where the provider doesn't say.")
    released_on = serializers.DateField(allow_null=True)
    context_tokens = serializers.IntegerField(allow_null=True)
    output_tokens = serializers.IntegerField(allow_null=True)
    input_price = PriceField(allow_null=True, help_text="USD per million tokens; null is unknown.")
    output_price = PriceField(allow_null=True)
    deprecated_on = serializers.DateField(allow_null=True)
    retires_on = serializers.DateField(allow_null=True)
    lifecycle = serializers.CharField(
        help_text="active, preview, legacy, deprecated or retired, as the provider or a catalogue "
        "says; empty where nobody does."
    )
    is_listed = serializers.BooleanField(
        help_text="Whether a listing of the provider had it, and still has."
    )
    parameter_map = AsJson(
        help_text="What requests must say otherwise to it: rename, drop, default. Usually {}."
    )


class CanaryShareSerializer(serializers.Serializer[Any]):
    """A version that is being tried beside the current one."""

    version = ServedVersionSerializer()
    weight = serializers.FloatField(help_text="Share of requests that should get it, 0 to 1.")


class CurrentSerializer(serializers.Serializer[Any]):
    """The version to use now."""

    provider = serializers.CharField()
    name = serializers.CharField()
    base_url = serializers.CharField(help_text="Empty: the provider's own public address.")
    version = ServedVersionSerializer()
    canary = CanaryShareSerializer(
        allow_null=True,
        help_text="Without a key, during a canary: split your requests by its weight.",
    )


class CurrentQuery(serializers.Serializer[Any]):
    key = serializers.CharField(
        required=False,
        max_length=LONGEST_KEY,
        trim_whitespace=False,
        help_text="Who asks, such as a user's or session's id: during a canary the same key "
        "always gets the same answer.",
    )


class VersionNameSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]
    upstream_id = serializers.CharField()
    revision = serializers.CharField()


class VersionSerializer(serializers.Serializer[Any]):
    """One concrete thing that a provider serves."""

    id = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]
    upstream_id = serializers.CharField()
    revision = serializers.CharField()
    previous_version_id = serializers.IntegerField(allow_null=True)
    released_on = serializers.DateField(allow_null=True)
    improvements = serializers.ListField(child=serializers.CharField())
    breaking_changes = serializers.ListField(child=serializers.CharField())
    migration_notes = serializers.CharField()
    parameter_map = Shaped()
    baseline = Shaped(allow_null=True, help_text="Its performance at the moment it became current.")
    baseline_taken_at = Moment(allow_null=True)
    input_price = PriceField(allow_null=True)
    output_price = PriceField(allow_null=True)
    cached_input_price = PriceField(allow_null=True)
    other_prices = OtherPriceSerializer(many=True, help_text=OTHER_PRICES)
    context_tokens = serializers.IntegerField(allow_null=True)
    output_tokens = serializers.IntegerField(allow_null=True)
    input_modalities = serializers.ListField(child=serializers.CharField())
    output_modalities = serializers.ListField(child=serializers.CharField())
    parameters = serializers.ListField(child=serializers.CharField())
    capabilities = serializers.ListField(child=serializers.CharField())
    deprecated_on = serializers.DateField(allow_null=True)
    retires_on = serializers.DateField(allow_null=True)
    retires_precision = serializers.CharField()
    retires_source = serializers.CharField()
    lifecycle = serializers.CharField(
        help_text="active, preview, legacy, deprecated or retired; empty where nobody says."
    )
    lifecycle_source = serializers.CharField(help_text="Empty: the provider's own list.")
    lifecycle_on = serializers.DateField(
        allow_null=True, help_text="The day that it was first said."
    )
    doubts = serializers.ListField(
        child=serializers.CharField(),
        help_text="Facts that contradict each other or can't be so, each with both sides.",
    )
    answers = serializers.CharField(
        help_text="What came of asking for it directly: callable, refused, unknown; empty: not "
        "asked."
    )
    answers_why = serializers.CharField()
    answers_at = Moment(allow_null=True)
    replacement = serializers.CharField(help_text="What the provider says to use instead.")
    replacement_source = serializers.CharField()
    is_listed = serializers.BooleanField(
        help_text="Whether a listing of the provider had it, and still has."
    )
    first_seen_at = Moment(allow_null=True)
    last_seen_at = Moment(allow_null=True)
    gone_at = Moment(allow_null=True)
    staff_fields = serializers.ListField(
        child=serializers.CharField(), help_text="What a person set: checks leave it alone."
    )


class VersionsQuery(Paging):
    listed = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Only those that are listed; false: those that left the list.",
    )


class VersionChange(serializers.Serializer[Any]):
    """What staff know better than the listing; checks never overwrite it."""

    label = serializers.CharField(required=False, max_length=50)  # type: ignore[assignment]
    released_on = serializers.DateField(required=False, allow_null=True)
    added_improvements = Sentences(required=False)
    added_breaking_changes = Sentences(required=False)
    migration_notes = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    parameter_map = serializers.DictField(
        required=False, help_text="What requests must say otherwise to it: rename, drop, default."
    )
    input_price = PriceField(required=False, allow_null=True)
    output_price = PriceField(required=False, allow_null=True)
    cached_input_price = PriceField(required=False, allow_null=True)
    other_prices = OtherPriceSerializer(many=True, required=False, help_text=OTHER_PRICES)
    context_tokens = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=2**31 - 1
    )
    output_tokens = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=2**31 - 1
    )
    deprecated_on = serializers.DateField(required=False, allow_null=True)
    retires_on = serializers.DateField(required=False, allow_null=True)
    retires_precision = serializers.ChoiceField(
        required=False, choices=["exact", "earliest", "tentative"], allow_blank=True
    )
    retires_source = serializers.CharField(required=False, allow_blank=True, max_length=300)
    replacement = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="The upstream id to move to."
    )
    replacement_source = serializers.CharField(required=False, allow_blank=True, max_length=300)
    input_modalities = Words(required=False, help_text="Such as text.")
    output_modalities = Words(required=False)
    parameters = Words(required=False, help_text="Request parameters that it accepts.")
    capabilities = Words(required=False, help_text="Such as tools or structured_outputs.")


class ReleaseSerializer(serializers.Serializer[Any]):
    """Facts that staff give back to the checks."""

    names = serializers.ListField(
        child=serializers.CharField(max_length=50),
        min_length=1,
        max_length=50,
        help_text="Some of staff_fields.",
    )
