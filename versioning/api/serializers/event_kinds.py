"""The kinds of events, and the schema of each."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.events import KINDS
from versioning.domain.event_schemas import Subject


class KindOfEventSerializer(serializers.Serializer[Any]):
    """One kind of event."""

    kind = serializers.ChoiceField(choices=KINDS)
    version = serializers.IntegerField(help_text="Of its payload.")
    about = serializers.ChoiceField(
        choices=[subject.value for subject in Subject], help_text="What it is about."
    )
    when = serializers.CharField(help_text="When it is written.")
    details = serializers.ListField(
        child=serializers.CharField(), help_text="What its payload has beside what it is about."
    )
    schema = serializers.DictField(
        child=serializers.JSONField(),
        help_text="JSON Schema (2020-12) of its message, as webhooks send it.",
    )


class KindsOfEventsSerializer(serializers.Serializer[Any]):
    """All of them, on one page."""

    results = KindOfEventSerializer(many=True)
