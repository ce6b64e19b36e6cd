"""The project: wiring only."""

__version__ = "0.1.0"

from config.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
