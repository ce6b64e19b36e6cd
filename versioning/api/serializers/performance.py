"""What samples show of one version."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rest_framework import serializers

from versioning.domain.figure_kinds import Says
from versioning.domain.figures import SHOWN


class Usd(serializers.DecimalField):
    """USD as a text so that no digit is lost; null is unknown, not free."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=None, decimal_places=None, allow_null=True, **kwargs)


class PartFiguresSerializer(serializers.Serializer[Any]):
    """One part of quality."""

    mean = serializers.FloatField(help_text="From 0 to 1.")
    n = serializers.IntegerField(help_text="How many requests have it.")


_OF_SAYS: Mapping[Says, Callable[..., serializers.Field[Any, Any, Any, Any]]] = {
    Says.COUNT: serializers.IntegerField,
    Says.COUNTS: lambda **told: serializers.DictField(child=serializers.IntegerField(), **told),
    Says.SHARE: partial(serializers.FloatField, allow_null=True),
    Says.SCORE: partial(serializers.FloatField, allow_null=True),
    Says.PARTS: lambda **told: serializers.DictField(child=PartFiguresSerializer(), **told),
    Says.MILLISECONDS: partial(serializers.FloatField, allow_null=True),
    Says.USD: Usd,
}


class FiguresSerializer(serializers.Serializer[Any]):
    """Figures of some samples; null is unknown, never 0."""

    def get_fields(self) -> dict[str, Any]:
        """Return a field for each figure that is shown."""
        return {each.name: _OF_SAYS[each.says](help_text=each.help or None) for each in SHOWN}


class VersionFiguresSerializer(serializers.Serializer[Any]):
    """A version's figures in all and task by task."""

    total = FiguresSerializer()
    tasks = serializers.DictField(child=FiguresSerializer())
