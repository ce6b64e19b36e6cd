"""What a process loads before it does anything: `python -m benchmarks.idle` says what it takes."""

import sys
from pathlib import Path

import pytest

from tests.config.conftest import embedded, run

SELDOM = {
    "apprise", "cryptography", "google.protobuf", "icalendar", "numpy", "psycopg", "rapidfuzz",
    "scipy",
}  # fmt: skip
"""Large, and needed by few requests and tasks; the driver by those alone who have PostgreSQL."""
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
