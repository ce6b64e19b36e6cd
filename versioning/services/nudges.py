"""Wake a worker for what is being committed: its next sweep would find it as well.

Services know no tasks. At the start of a process ``apps`` says what each nudge sends.
"""

from collections.abc import Callable
from enum import StrEnum

from django.db import transaction


class Nudge(StrEnum):
    """What there is to do now rather than at its next hour."""

    ASK = "ask"
    CARRY_ON = "carry on"
    DELIVER = "deliver"


_senders: dict[Nudge, Callable[[], object]] = {}


def send_by(nudge: Nudge, sender: Callable[[], object]) -> None:
    """Say what sends a nudge; called once a process."""
    _senders[nudge] = sender


def soon(nudge: Nudge) -> None:
    """Send a nudge once the transaction is committed; a lost one only delays."""
    sender = _senders.get(nudge)
    if sender is not None:
        transaction.on_commit(sender, robust=True)
