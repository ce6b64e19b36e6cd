"""What errors look like."""

from typing import Any

from rest_framework import serializers


class FieldErrorSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(
        help_text="JSON pointer into the body, such as /name; ?name for a query parameter."
    )
    code = serializers.CharField(help_text="For programs, such as unknown-field.")
    detail = serializers.CharField(help_text="For people.")


class ProblemSerializer(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.CharField(help_text="Names the kind of problem.")
    title = serializers.CharField(help_text="The HTTP status in words.")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What happened, why, and what to do next.")
    instance = serializers.CharField(help_text="The address that was asked.")
    code = serializers.CharField(help_text="The last part of type.")
    errors = FieldErrorSerializer(many=True)  # type: ignore[assignment]
    request_id = serializers.CharField(help_text="Also in the header X-Request-ID.")
