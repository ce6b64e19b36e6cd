"""How moments, money and short texts look in JSON."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, TypeVar

from django.db import models
from drf_spectacular.drainage import set_override
from rest_framework import serializers
from rest_framework.fields import empty


class Moment(serializers.DateTimeField):
    """A moment in UTC, as RFC 3339 writes it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


class PriceField(serializers.DecimalField):
    """USD per million tokens, as a text so that no digit is lost."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=16, decimal_places=6, min_value=0, **kwargs)


class Sentences(serializers.ListField):
    """A list of sentences for people."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=500), max_length=100, **kwargs)


Row = TypeVar("Row", bound=models.Model)


class RowByName(serializers.SlugRelatedField[Row]):
    """A row by its name; null is none, and an empty text is no name."""

    def run_validation(self, data: Any = empty) -> Any:
        if data == "":  # which Django REST framework takes for null
            self.fail("does_not_exist", slug_name=self.slug_field, value="")
        return super().run_validation(data)


class Words(serializers.ListField):
    """A list of names, such as parameters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=100), max_length=200, **kwargs)


ANY_OBJECT: Mapping[str, Any] = {"type": "object", "additionalProperties": {}}


class Shaped(serializers.JSONField):
    """A JSON value that is described by its shape; unless it is told, by that of any object."""

    def __init__(self, *, shape: Mapping[str, Any] = ANY_OBJECT, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        set_override(self, "field", dict(shape))


class SmallInteger(serializers.IntegerField):
    """Whole numbers that any database keeps: SQLite takes larger ones, PostgreSQL doesn't."""

    most = 2**15 - 1

    def __init__(self, *, max_value: int = 2**63 - 1, **kwargs: Any) -> None:
        super().__init__(max_value=min(max_value, self.most), **kwargs)


class Integer(SmallInteger):
    most = 2**31 - 1


class BigInteger(SmallInteger):
    most = 2**63 - 1


FORM_FIELDS: Mapping[Any, Any] = {
    **serializers.ModelSerializer.serializer_field_mapping,
    models.PositiveSmallIntegerField: SmallInteger,
    models.PositiveIntegerField: Integer,
    models.PositiveBigIntegerField: BigInteger,
    models.JSONField: Shaped,
}
"""What each column of a model is in a form made from it."""


class Paging(serializers.Serializer[Any]):
    """Query parameters of every list."""

    limit = serializers.IntegerField(
        min_value=1, max_value=200, default=50, help_text="How many to a page."
    )
    cursor = serializers.CharField(
        required=False,
        max_length=1000,
        help_text="Where the page begins: take it from the next page's address.",
    )
