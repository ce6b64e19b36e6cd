"""Rows that people set up: shown with an ETag, changed on what was read."""

from typing import Any

from django.db.models import Model, QuerySet
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from versioning.api.operations import Asked, header
from versioning.services import editing

ETAG = header("ETag", "Send it as If-Match with a change.", sent_back=[200, 201])
IF_MATCH = header("If-Match", "The ETag of what you have read: 412 if it has changed since.")


def shown(row: Model, form: type[Serializer[Any]]) -> Response:
    """Show a row as it is stored; its ETag changes with each change of it."""
    return Response(form(row).data, headers=_headers(row))


def made(row: Model, form: type[Serializer[Any]], *, at: str) -> Response:
    """Show a new row, and say at which address it is."""
    headers = {**_headers(row), "Location": f"{at}/{row.pk}"}
    return Response(form(row).data, status=201, headers=headers)


def changed(asked: Asked, found: QuerySet[Any], form: type[Serializer[Any]]) -> Response:
    """Set the fields that were sent of the one row there is, and show it."""
    row = editing.change(found, changes=asked.body, actor=asked.actor, revision=asked.if_match)
    return shown(row, form)


def removed(asked: Asked, found: QuerySet[Any]) -> Response:
    """Remove the one row there is."""
    editing.remove(found, actor=asked.actor, revision=asked.if_match)
    return Response(status=204)


def _headers(row: Model) -> dict[str, str]:
    return {"ETag": f'"{editing.revision_of(row)}"', "Cache-Control": "private, no-cache"}
