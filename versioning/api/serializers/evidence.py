"""Comparisons of versions, and the best model for a task."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.versions import VersionNameSerializer


class CompareQuery(serializers.Serializer[Any]):
    to = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Label, id or upstream id; left out: the version that is recommended.",
    )
    task = serializers.CharField(required=False, max_length=100)

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
    details = serializers.JSONField()
    evidence_hash = serializers.CharField()


class BestQuery(serializers.Serializer[Any]):
    task = serializers.CharField(max_length=100, help_text="The kind of work, as samples name it.")
