"""Celery for the scheduler alone: it knows what is due when, and nothing of what is then done.

It sends names of tasks that the worker knows, so it loads neither them nor the tables that they
are about: that would take twice the memory.
"""

from celery import Celery
from django.conf import settings

# Which settings these are, config/celery.py has said: a package's own module comes before.
settings.INSTALLED_APPS = ["django.contrib.contenttypes", "django_celery_beat"]

app = Celery("hotswap")
app.config_from_object("django.conf:settings", namespace="CELERY")
