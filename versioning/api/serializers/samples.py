"""Single samples, as long as they are kept."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from versioning.api.serializers.fields import Moment, Paging
from versioning.api.serializers.versions import VersionNameSerializer
from versioning.domain.figure_kinds import Field, Unit
from versioning.domain.figures import FIELDS
from versioning.models import PerformanceSample

NANO = Decimal("1e-9")
SOURCES = {
    source.name.lower(): source.value
    for source in PerformanceSample.Source
    if source is not PerformanceSample.Source.COUNTED_OUT  # no sample has it
}


@extend_schema_field({"type": "string", "format": "decimal"})
class NanoUsd(serializers.Field[int, Any, str, Any]):
    """Billionths of a USD, shown as USD in a text so that no digit is lost."""

    def to_representation(self, value: int) -> str:
        return format(value * NANO, "f")


_OF_UNIT: Mapping[Unit, type[serializers.Field[Any, Any, Any, Any]]] = {
    Unit.SCORE: serializers.FloatField,
    Unit.MILLISECONDS: serializers.FloatField,
    Unit.USD: NanoUsd,
    Unit.TOKENS: serializers.IntegerField,
    Unit.YES_NO: serializers.BooleanField,
}


def _field(figure: Field) -> serializers.Field[Any, Any, Any, Any]:
    source = figure.column or None  # a source must not be the field's own name
    return _OF_UNIT[figure.unit](source=source, allow_null=True, help_text=figure.sentence)


class SampleSerializer(serializers.Serializer[Any]):
    """What one request cost and gave, by ``domain.figures``; null is unknown, never 0."""

    id = serializers.IntegerField()
    at = Moment()
    version = VersionNameSerializer(allow_null=True, help_text="Null while nobody tracks it.")
    unknown_model = serializers.CharField(
        source="unknown_model.name",
        default=None,
        allow_null=True,
        help_text="The name that it came with, while nobody tracks it.",
    )
    task = serializers.CharField(source="task.text")
    source = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text=f"One of {', '.join(SOURCES)}."
    )
    error = serializers.CharField(
        source="error.text", default=None, allow_null=True, help_text="Null: none."
    )
    tags = serializers.CharField(source="tags.text")
    requested = serializers.CharField(source="route.requested", help_text="The id asked for.")
    served = serializers.CharField(source="route.served", help_text="The id that answered.")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **{figure.name: _field(figure) for figure in FIELDS}}

    def get_source(self, sample: PerformanceSample) -> str:
        return PerformanceSample.Source(sample.source).name.lower()


class SamplesQuery(Paging):
    version_id = serializers.IntegerField(required=False)
    source = serializers.ChoiceField(  # type: ignore[assignment]
        required=False, choices=list(SOURCES)
    )
    failed = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Only failed ones, or the others."
    )
