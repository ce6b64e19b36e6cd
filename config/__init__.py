"""The project: wiring only."""

__version__ = "0.1.0"

from config import collecting

collecting.wait_for_the_start()

from config.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
