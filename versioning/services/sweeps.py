"""What is due, one after the other: one's fault holds up no other, and staff see it.

A fault is told as a notice under the subject of what failed, and closed when that works again.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic
from typing import TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError

from versioning.models import Notice, Tally
from versioning.services import clock_notices, notices, stopping, tallies

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

BY = "the next try"
DONE, FAILED = "done", "failed"


def each(
    items: Iterable[Item],
    do: Callable[[Item], object],
    *,
    subject: Callable[[Item], str],
    now: datetime,
) -> int:
    """Do something with each item; return with how many it could be done.

    ``subject`` names an item for people, the same at each sweep, such as
    ``canary of upgrade 7``. Call it outside any transaction: each item has its own. What is left
    when the worker is asked to end, is left to the next sweep.
    """
    told = set(
        Notice.objects.open().filter(kind=Notice.Kind.FAULT).values_list("subject", flat=True)
    )
    done = 0
    for item in items:
        if stopping.is_asked():
            break  # the tables are the queue: the next worker's sweep finds the rest
        name = notices.subject_of(subject(item))
        try:
            do(item)
        except SoftTimeLimitExceeded:
            raise  # the worker's time is up: the rest is done by the next sweep
        except stopping.AskedToStop:
            break
        except Exception as error:
            logger.exception("Failed: %s. It is tried again.", name)
            _tell(name, error, now=now)
            continue
        done += 1
        if name in told:
            notices.resolve_fault(subject=name, by=BY, now=now)
    return done


def in_turn(*stages: tuple[str, Callable[[], int]], now: datetime) -> int:
    """Do the named stages of a sweep in turn; return the sum of what they return.

    How long each took, and whether it could be done, is counted for whoever watches.
    """
    counts: list[int] = []

    def do(stage: tuple[str, Callable[[], int]]) -> None:
        name, work = stage
        result, began = FAILED, monotonic()
        try:
            counts.append(work())
            result = DONE
        except stopping.AskedToStop:
            result = DONE  # as far as it came
            raise
        finally:
            _count(name, result, seconds=monotonic() - began, now=now)
            _look_at_the_clock(now=now)

    each(stages, do, subject=lambda stage: stage[0], now=now)
    return sum(counts)


def _count(stage: str, result: str, *, seconds: float, now: datetime) -> None:
    try:
        tallies.note(Tally.Kind.STAGE, result, subject=stage, seconds=seconds, now=now)
    except DatabaseError:
        logger.exception("A run of %s could not be counted.", stage)


def _look_at_the_clock(*, now: datetime) -> None:
    try:
        clock_notices.note_own_clock(now=now)
    except DatabaseError:
        logger.exception("What is wrong with the clock could not be told.")


def _tell(subject: str, error: Exception, *, now: datetime) -> None:
    # The error's own words may hold what a provider said; its kind is enough to look it up.
    sentence = (
        f"{subject} failed ({type(error).__name__}); the rest went on. It is tried again at the "
        "next sweep. The log has the details."
    )
    try:
        notices.raise_fault(subject=subject, sentence=sentence, now=now)
    except Exception:
        logger.exception("The fault of %s could not be told.", subject)
