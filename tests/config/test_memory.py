"""What a process loads before it does anything: `python -m benchmarks.idle` says what it takes."""

import gc
import sys
from pathlib import Path
from typing import Any

import pytest

from config import collecting
from config.admin_site import HotswapAdminSite
from tests.config.conftest import embedded, run

SELDOM = {
    "apprise", "cryptography", "google.protobuf", "icalendar", "numpy", "psycopg", "rapidfuzz",
    "scipy", "versioning.admin",
}  # fmt: skip
"""Large, and needed by few requests and tasks; the driver by those alone who have PostgreSQL, the
pages by web."""
NOTHING_OF_OURS = {"versioning", "providers", "rest_framework", "unfold"}


@pytest.mark.parametrize(
    ("app", "without"), [("celery", SELDOM), ("beat", SELDOM | NOTHING_OF_OURS)]
)
def test_a_process_that_idles_loads_no_more_than_it_needs(
    app: str, without: set[str], tmp_path: Path
) -> None:
    program = (
        f"import sys; from config.{app} import app; app.loader.init_worker(); app.finalize();"
        "print(*sys.modules)"
    )
    done = run([sys.executable, "-c", program], embedded(tmp_path))
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "django_celery_beat.models" in loaded
    assert loaded & without == set()


def test_the_pages_are_loaded_when_one_is_asked_for(tmp_path: Path) -> None:
    program = """if True:
        import sys, django
        django.setup()
        assert "versioning.admin" not in sys.modules
        from django.core import checks
        checks.run_checks(tags=[checks.Tags.admin])
        assert "versioning.admin" in sys.modules, "their checks look at none of them"
    """
    done = run([sys.executable, "-c", program], embedded(tmp_path))
    assert done.returncode == 0, done.stderr


def test_pages_that_can_not_be_loaded_are_not_taken_for_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ImportError("a page")

    monkeypatch.setattr("config.admin_site.autodiscover_modules", fail)
    site = HotswapAdminSite()
    for _ in range(2):
        with pytest.raises(ImportError, match="a page"):
            site.get_urls()


def test_the_collector_waits_for_the_start_alone() -> None:
    usual = gc.get_threshold()
    try:
        collecting.wait_for_the_start()
        assert gc.get_threshold()[0] == collecting.OBJECTS_OF_A_START
        gc.collect()
        assert gc.get_threshold() == usual
    finally:
        gc.set_threshold(*usual)
