"""The answer to "what comes after this model?", with its reasons."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from versioning.domain.lineage.known import Known


class StepKind(StrEnum):
    """How far an upgrade goes.

    A replacement leaves the line, a maybe may be no step at all: neither goes by itself.
    """

    REVISION = "revision"
    SNAPSHOT = "snapshot"
    MINOR = "minor"
    MAJOR = "major"
    REPLACEMENT = "replacement"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """A model that was considered, and why it was not chosen."""

    id: str
    why_not: str


class HeldBy(StrEnum):
    """What alone keeps a newer model of the line from being offered."""

    PREVIEWS = "previews"
    """It is a preview, and previews are not allowed for this model."""
    LOOK_ALIKE = "look_alike"
    """Nothing tells it from the model in use but its name."""
    STAFF_RULE = "staff_rule"


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A listed model that would follow but for one thing, and that thing in a sentence."""

    id: str
    by: HeldBy
    why: str


@dataclass(frozen=True, slots=True)
class Stated:
    """What the provider said to use instead, quoted; `listed` is it, where it is listed."""

    id: str
    source: str = ""
    dated: date | None = None
    listed: Known | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The successor, or None with the reasons for silence. Confidence is from 0 to 1.

    A maybe is no successor: `maybes` has the models that may follow, `doubt` says in one
    sentence what is not known, and the step is `StepKind.MAYBE`. Of several none is chosen.
    """

    successor: Known | None = None
    step: StepKind | None = None
    confidence: float = 0.0
    reasons: tuple[str, ...] = ()
    runners_up: tuple[RunnerUp, ...] = ()
    replacement: Stated | None = None
    needs_reembedding: bool = False
    maybes: tuple[Known, ...] = ()
    doubt: str = ""
    held_back: tuple[HeldBack, ...] = ()

    @property
    def offered(self) -> Known | None:
        """The one model to show for a decision: the successor, or else the only maybe."""
        if self.successor or len(self.maybes) != 1:
            return self.successor
        return self.maybes[0]
