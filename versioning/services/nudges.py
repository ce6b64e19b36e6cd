"""Wake a worker for what is being committed: its next sweep would find it as well.

Services know no tasks. At the start of a process ``apps`` says what each nudge sends.
"""

import logging
import time
from collections.abc import Callable
from enum import StrEnum

from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

PAUSE_S = 30.0
"""So long nothing is sent after the queue could not be reached: each try keeps somebody waiting."""


class Nudge(StrEnum):
    """What there is to do now rather than at its next hour."""

    ASK = "ask"
    CARRY_ON = "carry on"
    DELIVER = "deliver"


_senders: dict[Nudge, Callable[[], object]] = {}
_not_before = 0.0  # on the monotonic clock


def send_by(nudge: Nudge, sender: Callable[[], object]) -> None:
    """Say what sends a nudge; called once a process."""
    _senders[nudge] = sender


def soon(nudge: Nudge) -> None:
    """Send a nudge once the transaction is committed; a lost one only delays."""
    sender = _senders.get(nudge)
    if sender is not None:
        transaction.on_commit(lambda: _send(sender), robust=True)


def _send(sender: Callable[[], object]) -> None:
    global _not_before
    if time.monotonic() < _not_before:
        return
    try:
        sender()
    except OperationalError as error:
        _not_before = time.monotonic() + PAUSE_S
        logger.warning("The queue can't be reached, so work begins later: %s", error)
