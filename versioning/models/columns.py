"""The columns of figures, as ``domain.figures`` declares them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import models

from versioning.domain.figures import FIELDS, SUMS, Field, Kept, Sum, Unit

_OF_UNIT: Mapping[Unit, Callable[..., "models.Field[Any, Any]"]] = {
    Unit.SCORE: models.FloatField,
    Unit.MILLISECONDS: models.FloatField,
    Unit.USD: models.BigIntegerField,
    Unit.TOKENS: models.IntegerField,
    Unit.YES_NO: models.BooleanField,
}


def add_fields(model: type[models.Model]) -> None:
    """Give an abstract model the column of each figure that samples tell."""
    for field in FIELDS:
        model.add_to_class(field.kept_as, _field(field))


def add_sums(model: type[models.Model]) -> None:
    """Give an abstract model the columns of each sum."""
    for each in SUMS:
        for name, column in zip(each.columns, _columns(each), strict=True):
            model.add_to_class(name, column)


def _field(field: Field) -> "models.Field[Any, Any]":
    return _OF_UNIT[field.unit](field.title or None, null=True, help_text=field.help)


def _columns(each: Sum) -> "tuple[models.Field[Any, Any], ...]":
    count = models.IntegerField(default=0, help_text=each.help)
    match each.kept:
        case Kept.COUNT:
            return (count,)
        case Kept.RATE:
            return count, models.IntegerField(default=0)
        case Kept.TOTAL:
            return (models.BigIntegerField(default=0),)
        case Kept.MOMENTS:
            mean = models.FloatField(default=0, help_text=each.help_of_mean)
            return count, mean, models.FloatField(default=0)
        case Kept.SKETCH:
            return (models.BinaryField(default=b""),)
        case Kept.COUNTS | Kept.MOMENTS_BY_NAME:
            return (models.JSONField(default=dict, help_text=each.help),)
