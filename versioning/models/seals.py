"""The seals of the history: one for each row that is kept for good."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from versioning.domain import sealing

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]

_LATER: Mapping[str, frozenset[str]] = {"versioning_approval": frozenset({"fell_at"})}
"""What is written on a row later on, by the table, and so is not sealed."""


class SealQuerySet(models.QuerySet["Seal"]):
    def loose(self) -> Self:
        """Those that are in no chain yet."""
        return self.filter(number=None)

    def chained(self) -> Self:
        """Those of the chain, in its order."""
        return self.exclude(number=None).order_by("number")


class Seal(models.Model):
    """What one row of the history held when it was written. Never changed, but for its number."""

    table = models.CharField(max_length=63)
    row = models.BigIntegerField(help_text=_("The row's id in its table."))
    fields = models.JSONField(help_text=_("A short hash of each field, by its name."))
    at = models.DateTimeField()
    number = models.PositiveBigIntegerField(
        null=True, unique=True, help_text=_("Its place in the chain; empty for the newest ones.")
    )
    link = models.CharField(
        max_length=64, blank=True, help_text=_("Hash of the seal and of the link before it.")
    )

    objects = SealQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["table", "row"], name="each_row_is_sealed_once"),
            models.CheckConstraint(
                condition=Q(number=None, link="") | (Q(number__gte=1) & ~Q(link="")),
                name="a_chained_seal_has_its_link",
            ),
        ]
        indexes = [
            # The sweep takes these, the oldest first.
            models.Index(F("id"), condition=Q(number=None), name="loose_seals"),
        ]

    def __str__(self) -> str:
        return gettext("seal of %(table)s %(row)s") % {"table": self.table, "row": self.row}


def hashes_of(row: models.Model) -> dict[str, str]:
    """Return the hash of each field of a row as the database holds it, by the column's name."""
    table = row._meta.db_table
    later = _LATER.get(table, frozenset())
    values = {
        field.attname: _text(field, row)
        for field in row._meta.concrete_fields
        # A person's row may be removed, which empties what points at it; names are kept beside.
        if field.name not in later
        and getattr(field.remote_field, "on_delete", None) is not models.SET_NULL
    }
    return sealing.seal(table=table, row=row.pk, values=values)


def _text(field: "AnyField", row: models.Model) -> str:
    value = getattr(row, field.attname)
    if isinstance(field, models.JSONField):
        return json.dumps(value, sort_keys=True)
    # Marked, so that none and an empty text differ.
    return "" if value is None else f"={field.value_to_string(row)}"
