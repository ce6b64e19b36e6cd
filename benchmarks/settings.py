"""The project's settings with the benchmarks' own addresses, tables made from the models."""

import os

os.environ.setdefault("SECRET_KEY", "benchmarks")

from config.settings import *  # noqa: E402, F403

ROOT_URLCONF = os.environ.get("BENCHMARK_URLS", "benchmarks.urls")


class NoMigrations(dict[str, None]):
    """Every table is made from its model: the benchmarks need no history."""

    def __contains__(self, app: object) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


MIGRATION_MODULES = NoMigrations()
LOGGING = {"version": 1, "disable_existing_loggers": True}
# Pages need no collected files; `make demo` collects them.
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
