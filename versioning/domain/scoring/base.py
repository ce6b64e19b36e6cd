"""What a scorer is given, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar


class BadOptions(ValueError):
    """The scorer can't be used like this; a sentence for the person who wrote it."""


class NameTaken(ValueError):
    """Another scorer has the name; the end of a sentence about the one that wants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one version answered to one case; ``cost_usd`` None where no price is known."""

    text: str
    latency_ms: float = 0.0
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """From 0 to 1, with a short reason; ``value`` None where it can't be said."""

    value: float | None
    reason: str


class OptionKind(StrEnum):
    """What an option of a scorer is, for the form that asks for it."""

    TEXT = "text"
    NUMBER = "number"
    YES_OR_NO = "yes_or_no"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a scorer: a short explanation, and what kind of value it takes."""

    meaning: str
    kind: OptionKind = OptionKind.TEXT


class Scorer:
    """Scores an output against what was expected, under options that ``check`` accepted."""

    name: ClassVar[str]
    explanation: ClassVar[str]
    """One line for the person who chooses it."""
    needs_expected: ClassVar[bool] = False
    options: ClassVar[Mapping[str, Option]] = {}
    """The options it knows by name."""

    def check(self, options: Mapping[str, Any]) -> None:
        """Raise BadOptions unless it can be used with these options."""
        unknown = sorted(set(options) - set(self.options))
        if unknown:
            known = ", ".join(self.options) or "none"
            raise BadOptions(f"{self.name} has no option {unknown[0]}; it has {known}.")

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        """Score one output."""
        raise NotImplementedError


def passed(is_right: bool, reason: str) -> Score:
    """Return 1 or 0 with the reason."""
    return Score(1.0 if is_right else 0.0, reason)


def shortened(text: str, *, length: int = 60) -> str:
    """Return the text on one line, cut where it is long, in quotation marks."""
    line = " ".join(text.split())
    return f'"{line[: length - 1]}…"' if len(line) > length else f'"{line}"'


def read_number(
    options: Mapping[str, Any], name: str, *, least: float, most: float, default: float | None
) -> float:
    """Return an option that is a number in a range. Raises BadOptions."""
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadOptions(f"{name} must be a number.")
    if not least <= value <= most:
        raise BadOptions(f"{name} must be from {least:g} to {most:g}.")
    return float(value)
