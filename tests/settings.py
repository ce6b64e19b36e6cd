"""The project's settings, with what tests need to be fast and apart from each other."""

import os
import tempfile

os.environ.setdefault("HOTSWAP_DATA_DIR", tempfile.mkdtemp(prefix="hotswap-tests-"))
os.environ.setdefault("SECRET_KEY", "tests")

from config.settings import *  # noqa: E402, F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CELERY_TASK_ALWAYS_EAGER = True
