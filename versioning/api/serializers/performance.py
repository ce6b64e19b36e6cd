"""What samples show of one version."""

from typing import Any

from rest_framework import serializers


class Usd(serializers.DecimalField):
    """USD as a text so that no digit is lost; null is unknown, not free."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=None, decimal_places=None, allow_null=True, **kwargs)


class PartFiguresSerializer(serializers.Serializer[Any]):
    """One part of quality."""

    mean = serializers.FloatField(help_text="From 0 to 1.")
    n = serializers.IntegerField(help_text="How many requests have it.")


class FiguresSerializer(serializers.Serializer[Any]):
    """Figures of some samples; null is unknown, never 0."""

    samples = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    error_rate = serializers.FloatField(allow_null=True)
    errors_by_class = serializers.DictField(child=serializers.IntegerField())
    quality = serializers.FloatField(
        allow_null=True,
        help_text="From 0 to 1: the mean of each part over the requests that have it, weighed part "
        "by part, however many requests have it: a given score counts 1, signals by their weights.",
    )
    quality_parts = serializers.DictField(
        child=PartFiguresSerializer(),
        help_text="What quality is made of: quality (a given score), or signals by their name.",
    )
    quality_n = serializers.IntegerField(help_text="How many samples have a score.")
    quality_coverage = serializers.FloatField(allow_null=True)
    latency_p50_ms = serializers.FloatField(allow_null=True)
    latency_p95_ms = serializers.FloatField(allow_null=True)
    latency_p99_ms = serializers.FloatField(allow_null=True)
    cost_usd = Usd(help_text="Mean of a request whose cost is known.")
    cost_n = serializers.IntegerField()
    cost_per_success_usd = Usd()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cached_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()


class VersionFiguresSerializer(serializers.Serializer[Any]):
    """A version's figures in all and task by task."""

    total = FiguresSerializer()
    tasks = serializers.DictField(child=FiguresSerializer())
