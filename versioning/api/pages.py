"""Lists by page: keyset cursors, a stable order, a Link header."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F, Field, Model, Q, QuerySet
from django.utils import timezone
from django.utils.http import urlencode
from rest_framework import serializers
from rest_framework.response import Response

from versioning.api.operations import Asked, Form
from versioning.api.problems import Problem
from versioning.api.teams import caller_of
from versioning.services import teams
from versioning.services.errors import FieldError

T = TypeVar("T")
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class By:
    """One column of an order. Empty values come last, whichever the direction.

    Of a column that has none that is not said: PostgreSQL's indexes have them first the other way
    round, and it would sort a million rows for a page of fifty.
    """

    column: str
    descending: bool = False

    def ordering(self, model: type[Model]) -> Any:
        column = F(self.column)
        last = True if self._may_be_empty(model) else None
        return column.desc(nulls_last=last) if self.descending else column.asc(nulls_last=last)

    def after(self, value: Any, model: type[Model]) -> Q | None:
        """Return what comes strictly after the value; None where nothing does."""
        if value is None:
            return None
        later = Q(**{f"{self.column}__{'lt' if self.descending else 'gt'}": value})
        return later | Q(**{self.column: None}) if self._may_be_empty(model) else later

    def _may_be_empty(self, model: type[Model]) -> bool:
        return bool(model._meta.get_field(self.column).null)

    def same(self, value: Any) -> Q:
        return Q(**{self.column: value})


NEWEST_FIRST = (By("id", descending=True),)
OLDEST_FIRST = (By("id"),)
URGENT_FIRST = (By("urgent_on"), By("recommended_at", descending=True), By("id", descending=True))


def page(
    asked: Asked,
    rows: QuerySet[Any],
    *,
    order: Sequence[By],
    show: Form,
    prepare: Callable[[list[Any]], Sequence[Any]] = list,
    top: Callable[[list[Any]], Mapping[str, Any]] = lambda rows: {},
) -> Response:
    """Answer with one page of the rows. The order must end with a column without ties.

    ``prepare`` makes of the page's rows what is shown, ``top`` what stands before them.
    """
    cursor = asked.query.get("cursor")
    rows = teams.visible(rows, caller_of(asked.request))
    rows = rows.order_by(*(by.ordering(rows.model) for by in order))
    if cursor is not None:
        rows = rows.filter(_after(_read(cursor, rows.model, order), order, rows.model))
    found = list(rows[: asked.query["limit"] + 1])
    return _answer(
        asked, found, key=partial(_key, order=order), show=show, prepare=prepare, top=top
    )


def page_of_reckoned(
    asked: Asked,
    rows: Sequence[T],
    *,
    key: Callable[[T], Key],
    show: Form,
    prepare: Callable[[list[T]], Sequence[Any]],
) -> Response:
    """Answer with one page of what no query gives, sorted by a key without ties."""
    cursor = asked.query.get("cursor")
    if cursor is not None:
        with _refusing():
            after = _decode(cursor)
            rows = [row for row in rows if key(row) > _like(after, key(row))]
    found = list(rows[: asked.query["limit"] + 1])
    return _answer(asked, found, key=key, show=show, prepare=prepare, top=lambda shown: {})


def _answer(
    asked: Asked,
    found: list[T],
    *,
    key: Callable[[T], Key],
    show: Form,
    prepare: Callable[[list[T]], Sequence[Any]],
    top: Callable[[list[T]], Mapping[str, Any]],
) -> Response:
    """Answer with all of what was found but what is more than the limit."""
    limit: int = asked.query["limit"]
    shown, more = found[:limit], len(found) > limit
    address = _address(asked, _encode(key(shown[-1]))) if more else None
    body = {**top(shown), "results": show(prepare(shown), many=True).data, "next": address}
    return Response(body, headers={"Link": f'<{address}>; rel="next"'} if address else None)


def page_of(form: Form, *, top: Form = serializers.Serializer) -> Form:
    """Return the shape of a page of such items, for the docs; ``top`` stands before them."""
    name = form.__name__.removesuffix("Serializer")
    return type(
        f"{name}PageSerializer",
        (top,),
        {
            "results": form(many=True),
            "next": serializers.URLField(
                allow_null=True, help_text="Address of the next page, also in the Link header."
            ),
            "__doc__": "One page of a list.",
        },
    )


def _after(values: Sequence[Any], order: Sequence[By], model: type[Model]) -> Q:
    """Return the rows after the one with these values: later in the first column that differs."""
    condition = Q(pk__in=[])
    same = Q()
    for by, value in zip(order, values, strict=True):
        after = by.after(value, model)
        if after is not None:
            condition |= same & after
        same &= by.same(value)
    return condition


def _key(row: Model, *, order: Sequence[By]) -> Key:
    values = [getattr(row, by.column) for by in order]
    return tuple(None if value is None else str(value) for value in values)


def _encode(key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _decode(cursor: str) -> list[Any]:
    """Return the key that a cursor was made of. Raises ValueError and RecursionError."""
    padded = cursor + "=" * (-len(cursor) % 4)
    found = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    if not isinstance(found, list):
        raise ValueError
    return found


def _like(found: Sequence[Any], key: Key) -> Key:
    """Return what a cursor had, as comparable with the key. Raises ValueError."""
    if [type(part) for part in found] != [type(part) for part in key]:
        raise ValueError
    return tuple(found)


def _read(cursor: str, model: type[Model], order: Sequence[By]) -> list[Any]:
    with _refusing():
        texts = _decode(cursor)
        if len(texts) != len(order):
            raise ValueError
        return [_value(text, model, by) for text, by in zip(texts, order, strict=True)]


@contextmanager
def _refusing() -> Iterator[None]:
    """Refuse a cursor that can't be read."""
    try:
        yield
    except (ValueError, RecursionError, ValidationError) as error:
        message = "This cursor can't be read. Take it from the address of the next page."
        errors = [FieldError("?cursor", "bad-cursor", message)]
        raise Problem(400, "bad-query", message, errors) from error


def _value(text: Any, model: type[Model], by: By) -> Any:
    field: Field[Any, Any] = model._meta.get_field(by.column)  # type: ignore[assignment]
    if text is None and field.null:
        return None
    if not isinstance(text, str) or "\0" in text:
        raise ValueError
    value = field.to_python(text)
    if isinstance(value, datetime) and timezone.is_naive(value):
        raise ValueError
    return value


def _address(asked: Asked, cursor: str) -> str:
    parameters = {**asked.request.query_params.dict(), "cursor": cursor}
    return asked.request.build_absolute_uri(f"{asked.request.path}?{urlencode(parameters)}")
