"""Celery: the worker and the scheduler of Hotswap."""

import gc
import logging
import os
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    worker_before_create_process,
    worker_init,
    worker_ready,
    worker_shutting_down,
)
from django.conf import settings

from config import logs  # noqa: F401  (what it connects to messages and tasks)
from config.localfs_broker import sweep_leftovers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Celery would run Django's checks, which load all pages, and look at nothing that they say.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("hotswap")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

log = logging.getLogger("hotswap.start")

AN_HOUR = 3600


@worker_init.connect
def trace_the_worker(**_: Any) -> None:
    _trace("hotswap-worker")


@beat_init.connect
def trace_beat(**_: Any) -> None:
    _trace("hotswap-beat")


def _trace(service: str) -> None:
    if settings.HOTSWAP["TRACES_URL"]:
        from config import tracing  # an extra

        tracing.start(service)


@worker_init.connect
def tidy_the_queue(**_: Any) -> None:
    """Delete what killed workers left in the file queue."""
    folder = app.conf.broker_transport_options.get("data_folder_in")
    if folder:
        sweep_leftovers(Path(folder), older_than=time.time() - AN_HOUR)


@worker_init.connect
def let_processes_end(**_: Any) -> None:
    """Have a process that is told to end not wait half a minute for its last result to be read.

    Who reads it has mostly stopped by then. Nothing hangs on it: no task has a result, and its
    message was acknowledged before it began.
    """
    from billiard import pool

    pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = 10  # a tenth of a second each


@worker_before_create_process.connect
def share_memory(**_: Any) -> None:
    """Have the processes that tasks run in share what this one has loaded."""
    from config import shared_memory

    shared_memory.keep_shared()


@worker_ready.connect
def catch_up_on_checks(**_: Any) -> None:
    """Ask for the check that was missed while nothing ran; the task looks if there was one."""
    app.send_task("versioning.check_due_providers")
    log.info("The worker is ready.")


@worker_shutting_down.connect
def stop_long_work(**_: Any) -> None:
    """Have tasks that would take minutes leave the rest to the next worker."""
    from versioning.services import stopping  # Django is set up by now, and wasn't above

    stopping.ask()


@beat_init.connect
def say_that_beat_runs(**_: Any) -> None:
    log.info("The scheduler is ready.")
    gc.collect()  # put off at the start (config/collecting.py): beat would not come to it for days
