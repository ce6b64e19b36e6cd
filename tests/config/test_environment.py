"""Settings from the environment: all are listed, and bad ones stop the start by name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
KEYS_OF_PROVIDERS = {"OPENROUTER_API_KEY"}


def read_by_settings() -> set[str]:
    text = (ROOT / "config/settings.py").read_text()
    return set(re.findall(r"read_(?:text|list|int|zone|bool|choice)\(\s*\"([A-Z_]+)\"", text))


def test_the_example_lists_what_is_read_and_nothing_else() -> None:
    listed = re.findall(r"^#([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) - KEYS_OF_PROVIDERS == read_by_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root@localhost/hotswap"),
        ("CELERY_BROKER_URL", "sqs://"),
        ("TIME_ZONE", "Europe/Atlantis"),
        ("DEBUG", "perhaps"),
        ("BEHIND_HTTPS", "2"),
        ("LOG_LEVEL", "loud"),
        ("HOTSWAP_CHECK_HOUR", "24"),
        ("HOTSWAP_RETENTION_DAYS", "soon"),
        ("HOTSWAP_DATA_DIR", "/dev/null/hotswap"),
    ],
)
def test_a_bad_value_stops_the_start_with_its_name(name: str, value: str, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOTSWAP_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        name: value,
    }
    started = subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 1
    assert name in started.stderr
    assert "Traceback" not in started.stderr
    assert len(started.stderr.strip().splitlines()) == 1
