"""The scheduler's schedule: rows of the database, and an end that a signal can ask for any time."""

import signal
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any

from django.db import connections
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

SET_BACK_S = 1.0
"""Less is how clocks are kept right all the time."""


class SchedulerRow(ModelEntry):  # type: ignore[misc]
    """One row; a time that has not come yet is of a scheduler whose clock was ahead.

    Kept, it would hold the row back for as long as that clock was wrong: for years, it may be.
    """

    def __init__(self, model: PeriodicTask, app: Any = None) -> None:
        if model.last_run_at and model.last_run_at > datetime.now(UTC):
            model.last_run_at = datetime.now(UTC)
        super().__init__(model, app=app)


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """Celery's own way to end asks the database in the signal's handler.

    There it waits for ever where the signal came in the middle of a query: its connection is
    locked until the query ends, which is what the handler broke off. So a handler here raises
    SystemExit and does nothing else; Celery writes down what it has to afterwards.
    """

    Entry = SchedulerRow

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._is_ending = False
        self._seen = time(), monotonic()
        # Made after Celery has set its handlers, so these stand.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        super().__init__(*args, **kwargs)

    def _end(self, *_: object) -> None:
        # Ctrl-C comes from the terminal and from the supervisor: the second breaks nothing off.
        if not self._is_ending:
            self._is_ending = True
            raise SystemExit

    def tick(self, *args: Any, **kwargs: Any) -> float:
        if self._is_ending:  # raised where Python swallows it, in the middle of a clean-up
            raise SystemExit
        if self._was_set_back():
            # What is next is noted by the clock as it was: nothing would be begun until it shows
            # that again. So all rows are read anew.
            self._last_full_sync = datetime.min  # noqa: DTZ901 (as Celery writes it, without a zone)
        return float(super().tick(*args, **kwargs))

    def _was_set_back(self) -> bool:
        """Say whether this machine's clock was set back since this was asked last."""
        (was, steady), self._seen = self._seen, (time(), monotonic())
        return self._seen[0] - was < self._seen[1] - steady - SET_BACK_S

    def close(self) -> None:
        # What the signal broke off may have left its connection in the middle of an answer.
        connections.close_all()
        super().close()
