"""The answer to "what comes after this model?", with its reasons."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from versioning.domain.lineage.known import Known


class Step(StrEnum):
    """How far an upgrade goes; a replacement leaves the line and never goes by itself."""

    REVISION = "revision"
    SNAPSHOT = "snapshot"
    MINOR = "minor"
    MAJOR = "major"
    REPLACEMENT = "replacement"


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """A model that was considered, and why it was not chosen."""

    id: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Stated:
    """What the provider said to use instead, quoted; `listed` is it, where it is listed."""

    id: str
    source: str = ""
    dated: date | None = None
    listed: Known | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The successor, or None with the reasons for silence. Confidence is from 0 to 1."""

    successor: Known | None = None
    step: Step | None = None
    confidence: float = 0.0
    reasons: tuple[str, ...] = ()
    runners_up: tuple[RunnerUp, ...] = ()
    replacement: Stated | None = None
    needs_reembedding: bool = False
