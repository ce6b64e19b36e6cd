"""Events: what happened, as clients read it."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Moment, Paging
from versioning.domain.events import EventKind
from versioning.models import Delivery, UpgradeStep

KINDS = [kind.value for kind in EventKind]
STATES = list(Delivery.State.values)


class EventSerializer(serializers.Serializer[Any]):
    """One thing that happened to a model, a provider, or all. It never changes."""

    id = serializers.IntegerField(help_text="Of one model, in the order in which it happened.")
    kind = serializers.ChoiceField(choices=KINDS)
    version = serializers.IntegerField(help_text="Of the kind's payload: 1 until a field changes.")
    at = Moment()
    provider = serializers.CharField(
        source="provider.slug", allow_null=True, help_text="null where it concerns all."
    )
    model = serializers.CharField(
        source="tracked_model.name", allow_null=True, help_text="null where it is of no model."
    )
    tracked_model_id = serializers.IntegerField(allow_null=True)
    record_id = serializers.IntegerField(allow_null=True, help_text="The upgrade, if it is of one.")
    version_id = serializers.IntegerField(
        source="model_version_id", allow_null=True, help_text="The version, if it is of one."
    )
    actor_kind = serializers.ChoiceField(choices=UpgradeStep.ActorKind.choices)
    actor_name = serializers.CharField()
    sentence = serializers.CharField(help_text="For people.")
    payload = serializers.DictField(
        child=serializers.JSONField(),
        help_text="What it was then, by kind: see docs/events.md. Names are as they were, too.",
    )


class DeliverySerializer(serializers.Serializer[Any]):
    """One event on its way to one taker."""

    id = serializers.IntegerField()
    event_id = serializers.IntegerField()
    provider = serializers.CharField(source="event.provider.slug", allow_null=True)
    model = serializers.CharField(source="tracked_model.name", allow_null=True)
    channel = serializers.CharField(help_text="By which way, such as mail.")
    to = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES, help_text="dead: given up.")
    attempts = serializers.IntegerField()
    due_at = Moment(help_text="When it may be tried, or the lease of who tries it ends.")
    last_error = serializers.CharField()
    ended_at = Moment(allow_null=True)


class AttemptSerializer(serializers.Serializer[Any]):
    """One try of a delivery. Neither what was sent nor what came back is kept."""

    began_at = Moment()
    duration_ms = serializers.IntegerField(
        allow_null=True, help_text="null while it runs, or where the worker died over it."
    )
    status = serializers.IntegerField(
        allow_null=True, help_text="What the taker answered with; null where the way has none."
    )
    error = serializers.CharField(help_text="Why it was not taken; empty where it was.")


class DeliveriesQuery(Paging):
    state = serializers.ChoiceField(required=False, choices=STATES)
    channel = serializers.CharField(required=False, max_length=20)


class EventsQuery(Paging):
    after = serializers.IntegerField(
        required=False, min_value=0, max_value=2**63 - 1, help_text="Only with a larger id."
    )
    kind = serializers.ChoiceField(required=False, choices=KINDS)
    provider = serializers.CharField(required=False, max_length=50)
    model = serializers.CharField(required=False, max_length=200)
    record_id = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Only of this upgrade."
    )
