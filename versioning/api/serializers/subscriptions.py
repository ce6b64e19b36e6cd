"""What webhooks and recipients share: of which events they are told."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.events import KINDS
from versioning.api.serializers.policies import ProviderSlug
from versioning.api.serializers.setup import TeamName


class SubscriptionSerializer(serializers.Serializer[Any]):
    """Which events; whatever is left out stays as it is."""

    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=KINDS),
        required=False,
        max_length=len(KINDS),
        help_text="Kinds of events; empty for all.",
    )
    provider = ProviderSlug(required=False, allow_null=True, help_text="Slug; null for all.")
    team = TeamName(
        required=False,
        allow_null=True,
        help_text="Name of a team, whose models are told of although it is closed.",
    )
    owner = serializers.EmailField(
        required=False, allow_blank=True, max_length=254, help_text="Only of this owner's models."
    )
    enabled = serializers.BooleanField(required=False)
