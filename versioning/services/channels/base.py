"""What a channel has to say: who takes an event, and how it is given to them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from versioning.models import Event


class NotDelivered(Exception):
    """The taker did not take it. The sentence is kept and shown: no key may be in it.

    A permanent one is not tried again.
    """

    def __init__(self, sentence: str, *, is_permanent: bool = False) -> None:
        super().__init__(sentence)
        self.is_permanent = is_permanent


class Channel(ABC):
    """One way by which events leave the machine."""

    name: ClassVar[str]

    @abstractmethod
    def takers(self, event: Event) -> Sequence[str]:
        """Return whom an event goes to; called in the transaction in which it happens."""

    @abstractmethod
    def deliver(self, event: Event, *, to: str) -> None:
        """Give an event to one taker, in any case within some minutes. Raises NotDelivered.

        Called outside any transaction, and again with the same event after a crash: it must say
        the event's id, so that the taker can tell.
        """
