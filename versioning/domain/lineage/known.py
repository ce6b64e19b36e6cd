"""What is known of a model beside its id, and what people ruled about it."""

from dataclasses import dataclass
from datetime import date, timedelta
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
    parameters: tuple[str, ...] = ()  # of a request
    aliases: tuple[str, ...] = ()
    hugging_face_id: str = ""
    description: str = ""
    status: str = ""
    deprecated_on: date | None = None
    retires_on: date | None = None
    replacement: str = ""
    replacement_source: str = ""
    replacement_dated: date | None = None
    listed_since: date | None = None
    access: str = ""
    """How the id can be called: on_demand, profile, provisioned; empty where nobody says."""
    refused: str = ""
    """What the provider said when it was asked for the model and refused it; a sentence."""

    @property
    def is_called_out(self) -> bool:
        """True where its provider, or a catalogue, calls it legacy, deprecated or retired."""
        return self.status.lower() in _LEAVING

    @property
    def is_still_served(self) -> bool:
        """False where its provider, or a catalogue, calls it retired."""
        return self.status.lower() != "retired"

    @property
    def is_called_preview(self) -> bool:
        """True where its provider, or a catalogue, calls it a preview."""
        return self.status.lower() == "preview"

    def why_not_callable(self, current: "Known") -> str:
        """Say why requests that go to ``current`` could not simply go here; empty if they can."""
        if self.refused:
            return self.refused
        if self.access in ("", "on_demand") or self.access == current.access == "provisioned":
            return ""
        return _NEEDS[self.access]

    def is_leaving(self, at: date | None) -> bool:
        """True where the provider said that it goes: nobody should move there.

        Some providers date the end of every model years ahead, so at a given day only a
        deprecation that has begun counts, or an end within the longest usual notice. Without
        a day any date counts.
        """
        if self.is_called_out:
            return True
        if at is None:
            return bool(self.deprecated_on or self.retires_on)
        is_deprecated = bool(self.deprecated_on and self.deprecated_on <= at)
        return is_deprecated or bool(self.retires_on and self.retires_on <= at + _LONGEST_NOTICE)


_LEAVING: Final = frozenset({"deprecated", "legacy", "retired"})
_NEEDS: Final = {
    "profile": "It can't be called by this id: only through an inference profile.",
    "provisioned": "It can only be called with throughput that was bought ahead.",
}
# A date farther ahead is a plan for later: the model is not leaving yet.
_LONGEST_NOTICE: Final = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class StaffRule:
    """What one person said: an id, or for `Rules.ignored` a pattern with `*` and `?`."""

    pattern: str
    made_by: str = ""
    reason: str = ""

    def cite(self) -> str:
        whose = f"a rule of {self.made_by}" if self.made_by else "a rule of the staff"
        return f"{whose} ({self.reason.rstrip('.')})" if self.reason else whose


@dataclass(frozen=True, slots=True)
class Rules:
    """What people ruled about one model in use; it beats the grammar.

    A pin changes no answer, but the answer says so: a pinned model never moves by itself.
    """

    pinned: StaffRule | None = None
    ignored: tuple[StaffRule, ...] = ()
    successor: StaffRule | None = None
    forbidden: tuple[StaffRule, ...] = ()
    allow_previews: bool = False
