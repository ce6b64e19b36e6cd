"""Checks and what they found."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Moment, Paging, Shaped
from versioning.models import Check, Finding

STATES = list(Check.State.values)
FINDINGS = list(Finding.Kind.values)


class CheckSerializer(serializers.Serializer[Any]):
    """One provider asked once."""

    id = serializers.IntegerField()
    provider = serializers.CharField(source="provider.slug")
    trigger = serializers.ChoiceField(choices=Check.Trigger.values)
    asked_by = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    started_at = Moment()
    finished_at = Moment(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    listed = serializers.IntegerField()
    added = serializers.IntegerField()
    changed = serializers.IntegerField()
    missing = serializers.IntegerField()
    recommended = serializers.IntegerField()
    dropped = serializers.IntegerField(help_text="Items that could not be read.")
    error_kind = serializers.CharField()
    error = serializers.CharField()


class FindingSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=FINDINGS)
    upstream_id = serializers.CharField()
    tracked_model_id = serializers.IntegerField(allow_null=True)
    version_id = serializers.IntegerField(allow_null=True)
    sentence = serializers.CharField()
    before = Shaped()
    after = Shaped()
    found_at = Moment()


class CheckDetailSerializer(CheckSerializer):
    dropped_items = serializers.ListField(child=serializers.CharField())
    difference = Shaped(help_text="What was different, by upstream id.")
    findings = FindingSerializer(many=True)


class CheckRequest(serializers.Serializer[Any]):
    provider = serializers.CharField(
        required=False, max_length=50, help_text="Slug. Leave it out to ask all enabled ones."
    )


class AskedChecksSerializer(serializers.Serializer[Any]):
    """The checks that run now: ask for each again until its state isn't running."""

    checks = CheckSerializer(many=True)


class ChecksQuery(Paging):
    provider = serializers.CharField(required=False, max_length=50)
    state = serializers.ChoiceField(required=False, choices=STATES)


class FindingsQuery(Paging):
    provider = serializers.CharField(required=False, max_length=50)
    kind = serializers.ChoiceField(required=False, choices=FINDINGS)
    tracked_model = serializers.IntegerField(required=False, help_text="Its id.")
