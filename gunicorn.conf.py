"""What gunicorn reads when it is started in this folder; the command line wins over it."""

from typing import Any

from gunicorn import util

from config.patience import problem_writer

worker_class = "config.patience.PatientWorker"
preload_app = True  # once, by the master: its workers share the memory, and start at once
keepalive = 5
graceful_timeout = 20


def when_ready(server: Any) -> None:
    """Load and keep shared what every worker needs, before the first of them begins."""
    from config import shared_memory

    shared_memory.load_for_requests()
    shared_memory.keep_shared()


util.write_error = problem_writer(util.write_nonblock)
