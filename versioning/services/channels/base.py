"""What a channel has to say: who takes an event, and how it is given to them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from versioning.models import Event


class NotDelivered(Exception):
    """The taker did not take it. The sentence is kept and shown: no key may be in it.

    A permanent one is not tried again. ``is_away``: the taker was not there at all, so that
    nothing else of this run is worth its time limit. ``status`` is what it answered with.
    """

    def __init__(
        self,
        sentence: str,
        *,
        is_permanent: bool = False,
        is_away: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(sentence)
        self.is_permanent = is_permanent
        self.is_away = is_away
        self.status = status


@dataclass(frozen=True, slots=True)
class Addressed:
    """An event, to whom it goes, and from when on they may be told."""

    event: Event
    to: str
    at: datetime


class Channel(ABC):
    """One way by which events leave the machine."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def longest_s(self) -> float:
        """How many seconds ``deliver`` takes at most, whatever its taker does."""

    @abstractmethod
    def takers(self, events: Sequence[Event]) -> Iterable[Addressed]:
        """Return to whom each event goes; called in the transaction in which they happen.

        As many queries for any number of events and of takers.
        """

    def earliest(self, *, to: str, at: datetime) -> datetime:
        """Return when a further try of a moment may be made: then, or later."""
        return at

    @abstractmethod
    def deliver(self, event: Event, *, to: str) -> int | None:
        """Give an event to one taker, within ``longest_s`` in any case. Raises NotDelivered.

        Return the status that it answered with, None where this way has none.

        Called outside any transaction, and again with the same event after a crash: it must say
        the event's id, so that the taker can tell.
        """

    def given_up(self, event: Event, *, to: str, status: int | None, now: datetime) -> None:
        """Draw what follows from an event that its taker won't get: here nothing.

        Called outside any transaction; ``status`` is the last one that it answered with.
        """
        return
