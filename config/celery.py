"""Celery: the worker and the scheduler of Hotswap."""

import os

from celery import Celery

import config.localfs_broker  # noqa: F401  (registers localfs://)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("hotswap")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
