"""The project's settings, with what tests need to be fast and apart from each other."""

import os
import tempfile

os.environ.setdefault("HOTSWAP_DATA_DIR", tempfile.mkdtemp(prefix="hotswap-tests-"))
os.environ.setdefault("SECRET_KEY", "tests")
os.environ["HOTSWAP_PROVIDER_KEYS"] = (
    "A_KEY,ACME_*,SIMULATED_KEY,ZETA_KEY,MACHINE_KEY,LAW_SEVEN_KEY,WORKED_EXAMPLE_KEY,"
    "NOBODY_SET_THIS,ID"
)
os.environ["HOTSWAP_SECRETS_KEY"] = "aXQncyBhIGtleSBmb3IgdGVzdHMsIG5vIG90aGVyISE="
os.environ["EMAIL_HOST"] = "mail.example.com"

from config.settings import *  # noqa: E402, F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CELERY_TASK_ALWAYS_EAGER = True
# Tests travel in time, and the database's server doesn't.
HOTSWAP["CLOCK_OF_DATABASE"] = False  # noqa: F405
# Outermost: it looks at answers as clients get them.
MIDDLEWARE = ["tests.versioning.api.contract.ContractMiddleware", *MIDDLEWARE]  # noqa: F405

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # A file: threads that race need connections of their own, which memory can't give them.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "tests.sqlite3")}  # noqa: F405
STATIC_ROOT.mkdir(exist_ok=True)  # noqa: F405  (whitenoise warns of a folder that isn't there)
