"""The columns of figures, as ``domain.figures`` declares them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from versioning.domain.figure_kinds import (
    Field,
    Kept,
    Limit,
    Rises,
    Sum,
    Unit,
)
from versioning.domain.figures import FIELDS, LIMITS, SUMS

FRACTION: dict[str, Any] = {
    "max_digits": 6,
    "decimal_places": 4,
    "null": True,
    "blank": True,
}
AT_MOST_ALL = MaxValueValidator(1, message=_("Write a fraction up to 1, such as 0.02 for 2 %."))

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


def add_limits(model: type[models.Model]) -> None:
    """Give an abstract model a setting for each limit."""
    for limit in LIMITS:
        model.add_to_class(limit.setting, _setting(limit))


def _setting(limit: Limit) -> "models.Field[Any, Any]":
    most = [AT_MOST_ALL] if limit.rises is Rises.POINTS else []
    validators = [MinValueValidator(limit.least), *most]
    return models.DecimalField(**FRACTION, validators=validators, help_text=limit.help)


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
