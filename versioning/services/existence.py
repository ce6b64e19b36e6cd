"""Which of several questions have an answer: one query for all of them."""

from collections.abc import Mapping
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, QuerySet


def which_have_rows(asked: Mapping[str, QuerySet[Any]]) -> frozenset[str]:
    """Return the names of the querysets that have a row; of none more than one row is read."""
    questions = [Exists(rows) for rows in asked.values()]
    # A statement needs a table to select from, and this one is never empty.
    one = ContentType.objects.order_by().values_list(*questions)[:1].get()
    return frozenset(name for name, is_there in zip(asked, one, strict=True) if is_there)
