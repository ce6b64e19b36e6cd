"""A version's figures at the moment it became current, as they are kept for good."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from versioning.domain.figure_kinds import Says
from versioning.domain.figures import SHOWN
from versioning.domain.stored_documents import (
    SCHEMA_VERSION,
    Document,
    as_json,
    as_text,
    read_as,
)


class BaselinePart(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of one part of quality, 0 to 1, over the ``n`` requests that had it."""

    mean: float | None = None
    n: int = 0


_TYPES: Mapping[Says, tuple[Any, Any]] = {
    Says.COUNT: (int | None, None),
    Says.COUNTS: (dict[str, int], {}),
    Says.SHARE: (float | None, None),
    Says.SCORE: (float | None, None),
    Says.PARTS: (dict[str, BaselinePart], {}),
    Says.MILLISECONDS: (float | None, None),
    Says.USD: (Decimal | None, None),
}
"""What each kind of figure is kept as; None, or nothing by name, is unknown."""

BaselineFigures: Any = msgspec.defstruct(
    "BaselineFigures", [(shown.name, *_TYPES[shown.says]) for shown in SHOWN], frozen=True
)
"""Each figure that `domain.figures` shows."""


class Baseline(BaselineFigures, frozen=True, kw_only=True):  # type: ignore[call-arg, misc]
    """The figures in all, and task by task."""

    schema_version: int = SCHEMA_VERSION
    tasks: dict[str, BaselineFigures] = {}

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can keep it, money as texts."""
        return as_json(self)


class UnreadBaseline(Baseline, frozen=True, kw_only=True):  # type: ignore[call-arg]
    """A baseline in a schema that isn't known here, and why it isn't read."""

    document: dict[str, Any]
    why: str

    @property
    def text(self) -> str:
        """The document for a person to read."""
        return as_text(self.document)


def read_baseline(document: Document) -> Baseline:
    """Return a stored baseline of any version; never raises."""
    return read_as(Baseline, document, unread=UnreadBaseline)
