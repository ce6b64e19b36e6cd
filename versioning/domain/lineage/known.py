"""What is known of a model beside its id, and what people ruled about it."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class Known:
    """One listed model. Everything but the id may be missing.

    Limits are in tokens, prices in one currency for a million tokens; `replacement` is the id
    that the provider states, `replacement_source` its sentence or address.
    """

    id: str
    name: str = ""
    revision: str = ""
    released: date | None = None
    context_tokens: int | None = None
    output_tokens: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    hugging_face_id: str = ""
    description: str = ""
    status: str = ""
    deprecated_on: date | None = None
    retires_on: date | None = None
    replacement: str = ""
    replacement_source: str = ""
    replacement_dated: date | None = None

    @property
    def is_leaving(self) -> bool:
        """True where the provider said that it will go: nobody should move there."""
        return bool(self.deprecated_on or self.retires_on) or self.status.lower() in _LEAVING


_LEAVING: Final = frozenset({"deprecated", "legacy", "retired"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What staff decided about one tracked model; `made_by` is the name to cite."""

    pinned: bool = False
    ignored: tuple[str, ...] = ()  # patterns with `*` and `?`, over ids
    successor: str = ""
    forbidden: tuple[str, ...] = ()
    allow_previews: bool = False
    made_by: str = field(default="")

    def cite(self) -> str:
        return f"a rule of {self.made_by}" if self.made_by else "a rule of the staff"
