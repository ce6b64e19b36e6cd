"""The one row that somebody names."""

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
