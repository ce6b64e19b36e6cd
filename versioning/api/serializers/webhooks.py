"""Webhooks: programs that are told of events."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Moment
from versioning.api.serializers.subscriptions import SubscriptionSerializer


class WebhookChange(SubscriptionSerializer):
    """The fields that change."""

    url = serializers.CharField(
        required=False, max_length=500, help_text="It is shown: put no secret into it."
    )


class NewWebhook(WebhookChange):
    """A program that is to be told."""

    name = serializers.SlugField(max_length=50, help_text="Short and lasting.")
    url = serializers.CharField(max_length=500, help_text="It is shown: put no secret into it.")


class WebhookSerializer(NewWebhook):
    """A program that is told of events. Its secret is never shown again."""

    off_reason = serializers.CharField(help_text="Why Hotswap switched it off, if it did.")
    former_until = Moment(
        allow_null=True, help_text="Until then the secret before the last rotation signs, too."
    )
    made_by = serializers.CharField()
    created_at = Moment()


class NewSecretSerializer(serializers.Serializer[Any]):
    """A webhook, and its secret this once."""

    webhook = WebhookSerializer()
    secret = serializers.CharField(
        help_text="Shown this once: what `standardwebhooks` verifies with."
    )


class WebhookTestSerializer(serializers.Serializer[Any]):
    """What came of one message, sent at once."""

    ok = serializers.BooleanField()
    sentence = serializers.CharField()
    status = serializers.IntegerField(allow_null=True, help_text="null where none was answered.")
    duration_ms = serializers.IntegerField(source="ms")
