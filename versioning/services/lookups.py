"""The one row that somebody names, and the first ones of an order."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from versioning.services.errors import NotFound

Row = TypeVar("Row", bound=Model)


def one(rows: QuerySet[Row], *, missing: str) -> Row:
    """Return the one row there is. Raises NotFound, in the words of ``missing``."""
    row = rows.first()
    if row is None:
        raise NotFound(missing)
    return row


def first_ones(rows: QuerySet[Row], count: int) -> list[Row]:
    """Return the first rows of an order, in two queries.

    What belongs to rows is read for those alone: PostgreSQL joins all rows before it sorts them.
    """
    keys = list(rows.values_list("pk", flat=True)[:count])
    found = rows.order_by().in_bulk(keys)
    return [found[key] for key in keys if key in found]
