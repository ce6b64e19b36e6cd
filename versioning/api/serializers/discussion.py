"""What people say of an upgrade."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Moment
from versioning.models import Comment


class CommentSerializer(serializers.Serializer[Any]):
    """One thing that somebody said; kept for good."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(
        choices=Comment.Kind.values,
        help_text="changes asks for changes, and holds the approval back until withdrawn or "
        "overridden.",
    )
    text = serializers.CharField(allow_blank=True)
    answers_id = serializers.IntegerField(
        allow_null=True, help_text="The request for changes that this ends."
    )
    answered_by_id = serializers.IntegerField(
        source="answered_by.pk",
        default=None,
        allow_null=True,
        help_text="What ended this request; null while it is open, and for all else.",
    )
    actor_kind = serializers.CharField()
    actor_name = serializers.CharField()
    at = Moment()


class CommentFormSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=2000, help_text="Kept for good.")
    asks_for_changes = serializers.BooleanField(
        default=False, help_text="Hold the approval back until you withdraw this."
    )


class OverrideSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000, help_text="Kept for good.")
