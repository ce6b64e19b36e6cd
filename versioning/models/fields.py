"""A moment stored as one whole number, for tables with very many rows."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core import exceptions
from django.db import models
from django.db.models import Func
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Return milliseconds since 1970 UTC, rounded down."""
    return (moment - EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """Return the aware UTC moment of milliseconds since 1970."""
    return EPOCH + timedelta(milliseconds=ms)


if TYPE_CHECKING:
    _Field = models.Field[datetime, datetime]
else:
    _Field = models.Field


class InstantField(_Field):
    """An aware datetime kept as milliseconds since 1970 UTC: 8 bytes in every database.

    SQLite keeps an ordinary DateTimeField as 26 letters of text.
    """

    description = _("Moment, to the millisecond")

    def get_internal_type(self) -> str:
        return "BigIntegerField"

    def from_db_value(self, value: int | None, *_: Any) -> datetime | None:
        return None if value is None else from_ms(value)

    def to_python(self, value: Any) -> datetime | None:
        if value is None or isinstance(value, datetime):
            return value
        if isinstance(value, int):
            return from_ms(value)
        moment = parse_datetime(str(value))
        if moment is None or moment.tzinfo is None:
            raise exceptions.ValidationError(
                gettext("%(value)s is no moment with a time zone.") % {"value": repr(value)}
            )
        return moment

    def get_prep_value(self, value: Any) -> int | None:
        return to_ms(value) if isinstance(value, datetime) else super().get_prep_value(value)


class PeriodStart(Func):
    """The milliseconds since 1970 at which the hour or day of a DateTimeField's moment began.

    To compare an ordinary moment with an `InstantField` in the database.
    """

    output_field = models.BigIntegerField()

    def __init__(self, moment: Any, *, length_ms: int) -> None:
        super().__init__(moment, seconds=length_ms // 1000)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(strftime('%%%%s', %(expressions)s) / %(seconds)s * %(seconds)s000)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = (
            "(FLOOR(EXTRACT(EPOCH FROM %(expressions)s) / %(seconds)s)::bigint * %(seconds)s000)"
        )
        return self.as_sql(compiler, connection, template=template, **context)
