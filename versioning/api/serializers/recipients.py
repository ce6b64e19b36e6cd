"""Recipients: people who are told of events."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Moment
from versioning.api.serializers.subscriptions import SubscriptionSerializer


class RecipientChange(SubscriptionSerializer):
    """The fields that change."""

    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    url_env = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=128,
        help_text="Variable with an apprise address, such as NOTIFY_OPS_SLACK.",
    )
    url = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=1000,
        write_only=True,
        help_text="An apprise address: kept encrypted, and never shown again.",
    )
    quiet_from = serializers.TimeField(required=False, allow_null=True)
    quiet_until = serializers.TimeField(required=False, allow_null=True)
    time_zone = serializers.CharField(
        required=False, allow_blank=True, max_length=64, help_text="Empty for the server's."
    )
    daily_digest = serializers.BooleanField(required=False)
    weekly_digest = serializers.BooleanField(required=False)


class NewRecipient(RecipientChange):
    """People who are to be told: by one of e-mail, variable and address."""

    name = serializers.SlugField(max_length=50, help_text="Short and lasting.")


class RecipientSerializer(NewRecipient):
    """People who are told of events. Their address is never shown."""

    way = serializers.CharField(help_text="The kind of the address that is kept, such as slack.")
    off_reason = serializers.CharField(help_text="Why Hotswap switched it off, if it did.")
    made_by = serializers.CharField()
    created_at = Moment()


class RecipientTestSerializer(serializers.Serializer[Any]):
    """What came of one notice."""

    ok = serializers.BooleanField()
    sentence = serializers.CharField()
