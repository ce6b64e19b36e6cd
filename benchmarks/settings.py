"""The project's settings with the benchmarks' own addresses, tables made from the models."""

import os

os.environ.setdefault("SECRET_KEY", "benchmarks")

from config.settings import *  # noqa: E402, F403

INSTALLED_APPS = [  # the admin's pages are not needed here
    "django.contrib.admin.apps.SimpleAdminConfig" if app == "django.contrib.admin" else app
    for app in INSTALLED_APPS  # noqa: F405
]
ROOT_URLCONF = "benchmarks.urls"
MIGRATION_MODULES = {"versioning": None, "providers": None}
LOGGING = {"version": 1, "disable_existing_loggers": True}
