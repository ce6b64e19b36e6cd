"""Why a service could not do what was asked; each carries a sentence a person can read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class ServiceError(Exception):
    """The base of all: ``code`` names the error for programs, ``status`` is its HTTP status."""

    code: ClassVar[str] = "not-possible"
    status: ClassVar[int] = 409


class AlreadyMoved(ServiceError):
    """Somebody else moved the record first; nothing was changed."""

    code = "already-moved"


class AnotherUnderWay(ServiceError):
    """Another upgrade of the tracked model is under way (law 3)."""

    code = "another-upgrade-under-way"


class NothingToRollBack(ServiceError):
    """The record or the tracked model has no move that can be reversed."""

    code = "nothing-to-roll-back"


class EvidenceChanged(ServiceError):
    """The evidence is not what the decision was made on; look again."""

    code = "evidence-changed"
    status = 412


class NotAllowed(ServiceError):
    """The one who asks may not do this, or a policy forbids it."""

    code = "not-allowed"
    status = 403


class NotFound(ServiceError):
    """There is no such thing."""

    code = "not-found"
    status = 404


class Busy(ServiceError):
    """It can't be done now; try again after ``retry_after_s`` seconds."""

    code = "busy"
    status = 503

    def __init__(self, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooMany(ServiceError):
    """The one who asks did so too often; they may again after ``retry_after_s`` seconds."""

    code = "too-many-requests"
    status = 429

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one value; ``pointer`` is its JSON pointer, such as /name."""

    pointer: str
    code: str
    detail: str


class Invalid(ServiceError):
    """The input can't be used as it is."""

    code = "invalid"
    status = 422

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)
