"""Comparisons of versions, and the best model for a task."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Shaped
from versioning.api.serializers.versions import VersionNameSerializer


class CompareQuery(serializers.Serializer[Any]):
    to = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Label, id or upstream id; left out: the version that is recommended.",
    )
    task = serializers.CharField(required=False, max_length=100)
    slice = serializers.CharField(
        required=False, max_length=200, help_text="A declared tag with its value: `language=de`."
    )

    def get_fields(self) -> dict[str, Any]:
        """Add ``from``, which is a word of Python and can't be an attribute."""
        before = serializers.CharField(
            required=False,
            max_length=200,
            help_text="Label, id or upstream id; left out: the current version.",
        )
        return {"from": before, **super().get_fields()}


class ComparisonSerializer(serializers.Serializer[Any]):
    """What the samples and runs say about two versions."""

    from_version = VersionNameSerializer()
    to_version = VersionNameSerializer()
    task = serializers.CharField(allow_null=True)
    verdict = serializers.CharField(help_text="better, not_worse, worse or not_enough_data.")
    decision = serializers.CharField()
    improvement = serializers.DecimalField(
        max_digits=None, decimal_places=None, allow_null=True, help_text="0.13 is 13 % better."
    )
    sentence = serializers.CharField(help_text="What a person can act on.")
    details = Shaped(shape={"$ref": "#/components/schemas/Evidence"})
    evidence_hash = serializers.CharField()


class BestQuery(serializers.Serializer[Any]):
    task = serializers.CharField(max_length=100, help_text="The kind of work, as samples name it.")


class PlaceSerializer(serializers.Serializer[Any]):
    """One line of the table of a task; null is unknown."""

    provider = serializers.CharField()
    model = serializers.CharField()
    version = VersionNameSerializer()
    rank = serializers.IntegerField(allow_null=True, help_text="Null with too few scores.")
    n = serializers.IntegerField(help_text="How many samples have a score.")
    quality = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True, help_text="Lower end of the interval.")
    high = serializers.FloatField(allow_null=True)
    cost_per_success_usd = serializers.FloatField(allow_null=True)
    latency_p95_ms = serializers.FloatField(allow_null=True)
    on_front = serializers.BooleanField(
        allow_null=True,
        help_text="No other is as good in quality, cost and latency, and better in one.",
    )
    tie = serializers.BooleanField(help_text="It can't be told from the first.")
    samples_needed = serializers.IntegerField(
        allow_null=True,
        help_text="At least so many more samples, of it and the first together, would tell the two "
        "apart; null where nothing is open, or nothing can be foretold.",
    )
    needed = serializers.CharField(
        help_text="The same in words, as a range of samples and time; empty where nothing is open."
    )


class BestSerializer(serializers.Serializer[Any]):
    """The best model for a task, with the whole table."""

    task = serializers.CharField()
    sentence = serializers.CharField()
    best = PlaceSerializer(allow_null=True)
    tied = serializers.BooleanField()
    ranked_by = serializers.ListField(
        child=serializers.CharField(),
        help_text="What quality is made of in this table: quality (a given score), or signals.",
    )
    shared_days = serializers.IntegerField(
        help_text="Days on which all ranked versions served, and which alone count; 0 where each "
        "is ranked on its own days."
    )
    table = PlaceSerializer(many=True)
