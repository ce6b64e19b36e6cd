"""Notices and drift: what people must know of."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Moment, Paging
from versioning.api.serializers.versions import VersionNameSerializer
from versioning.domain.figures import WATCHED
from versioning.models import Notice

NOTICES = list(Notice.Kind.values)
MEASURES = [each.measure for each in WATCHED]


class NoticeSerializer(serializers.Serializer[Any]):
    """Something that a person must know of an upgrade, or of Hotswap's own work."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=NOTICES)
    sentence = serializers.CharField()
    provider = serializers.CharField(
        source="record.tracked_model.provider.slug", allow_null=True, help_text="Null for a fault."
    )
    model = serializers.CharField(
        source="record.tracked_model.name", allow_null=True, help_text="Null for a fault."
    )
    record_id = serializers.IntegerField(
        allow_null=True, help_text="The upgrade that it is about; null for a fault."
    )
    subject = serializers.CharField(
        help_text="What a fault is about, such as `worker process`; empty for an upgrade."
    )
    times = serializers.IntegerField(help_text="How often it happened while open.")
    raised_at = Moment()
    last_at = Moment(allow_null=True, help_text="When it happened last; null where once.")
    resolved_at = Moment(allow_null=True)
    resolved_by = serializers.CharField()


class NoticesQuery(Paging):
    open = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Only open ones, or resolved ones."
    )
    kind = serializers.ChoiceField(required=False, choices=NOTICES)
    record_id = serializers.IntegerField(required=False, help_text="Only of this upgrade.")


class DriftFindingSerializer(serializers.Serializer[Any]):
    """A version that behaves otherwise although its name did not change."""

    id = serializers.IntegerField()
    provider = serializers.CharField(source="version.tracked_model.provider.slug")
    model = serializers.CharField(source="version.tracked_model.name")
    version = VersionNameSerializer()
    measure = serializers.ChoiceField(choices=MEASURES)
    began_on = serializers.DateField(help_text="The day (UTC) on which it began.")
    sentence = serializers.CharField()
    found_at = Moment()
    resolved_at = Moment(allow_null=True)


class DriftFindingsQuery(Paging):
    open = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Only open ones, or resolved ones."
    )
    measure = serializers.ChoiceField(required=False, choices=MEASURES)
    version_id = serializers.IntegerField(required=False)


class ServedDriftSerializer(serializers.Serializer[Any]):
    """Another id answered than the version's own."""

    id = serializers.IntegerField()
    provider = serializers.CharField(source="version.tracked_model.provider.slug")
    model = serializers.CharField(source="version.tracked_model.name")
    version = VersionNameSerializer()
    served = serializers.CharField(help_text="The id that answered.")
    samples = serializers.IntegerField()
    share = serializers.FloatField(
        allow_null=True,
        help_text="Of all samples of the version since then; null while none is counted.",
    )
    since = Moment()
    last_seen_at = Moment()
