"""Settings from the environment: all are listed and tried, and bad ones stop the start by name."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from config import environment
from config.environment import database_of, read_file
from providers.checks import variables_are_read

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = (ROOT / ".env.example").read_text()
LISTED = dict(re.findall(r"^#([A-Z][A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
KEYS_OF_PROVIDERS = {"OPENROUTER_API_KEY"}

BAD = {
    "DATABASE_URL": ["mysql://root@localhost/hotswap", "postgres://localhost"],
    "CELERY_BROKER_URL": ["sqs://"],
    "TIME_ZONE": ["Europe/Atlantis"],
    "DEBUG": ["perhaps"],
    "BEHIND_HTTPS": ["2"],
    "LOG_FORMAT": ["xml"],
    "LOG_LEVEL": ["loud"],
    "HOTSWAP_CHECK_HOUR": ["24", "-1", "two", "2.5"],
    "HOTSWAP_SIGN_IN_TRIES": ["2", "many"],
    "HOTSWAP_SIGN_IN_WAIT_MINUTES": ["0", "soon"],
    "HOTSWAP_TRACES_URL": ["collector:4318"],
    "HOTSWAP_OIDC_ISSUER": ["id.example.com", "https://id.example.com"],
    "HOTSWAP_OIDC_GROUPS": ["ml-admins", "=operator", "a=b,c="],
    "HOTSWAP_LOCAL_PASSWORDS": ["perhaps", "false"],
    "HOTSWAP_SECOND_FACTOR": ["perhaps", "required"],
    "HOTSWAP_SECOND_FACTOR_AFTER_SSO": ["perhaps"],
    "HOTSWAP_LOST_AFTER_SECONDS": ["3", "601", "soon"],
    "HOTSWAP_DRAIN_SECONDS": ["-1", "11", "long"],
    "HOTSWAP_SESSION_HOURS": ["0", "721", "long"],
    "HOTSWAP_PROXIES": ["-1", "11", "10.0.0.1"],
    "HOTSWAP_KEY_REQUESTS_A_MINUTE": ["0", "100000001", "1/s"],
    "HOTSWAP_GONE_AFTER_LISTINGS": ["1", "101", "some"],
    "HOTSWAP_GONE_AFTER_HOURS": ["0", "2161", "soon"],
    "HOTSWAP_PROVIDER_FAILING_HOURS": ["0", "721", "soon"],
    "EMAIL_TLS": ["perhaps"],
    "EMAIL_PORT": ["0", "65536", "smtp"],
    "EMAIL_TIMEOUT": ["0", "121", "soon"],
    "HOTSWAP_WITNESS": ["maybe"],
    "HOTSWAP_WITNESS_CALLS_A_DAY": ["-1", "10001", "few"],
    "HOTSWAP_RETENTION_DAYS": ["0", "3651", "soon"],
    "HOTSWAP_HTTP_CONNECT_SECONDS": ["0", "61", "1s"],
    "HOTSWAP_HTTP_READ_SECONDS": ["0", "601", "1s"],
    "HOTSWAP_HTTP_TOTAL_SECONDS": ["0", "3601", "1s"],
    "HOTSWAP_HTTP_MAX_BYTES": ["1023", "1073741825", "32M"],
    "HOTSWAP_PROVIDER_KEYS": ["acme_key", "A*", "ACME_KEY;OTHER"],
    "HOTSWAP_DATA_DIR": ["/dev/null/hotswap"],
    "HOTSWAP_SECRETS_KEY": ["short", "c2hvcnQ=", "***"],
    "HOTSWAP_WEBHOOK_NETWORKS": ["10.0.0.0/33", "intranet"],
}
ANYTHING_GOES = {
    "EMAIL_HOST",
    "EMAIL_HOST_USER",
    "EMAIL_HOST_PASSWORD",
    "EMAIL_FROM",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "HOTSWAP_FILES_DIR",
    "HOTSWAP_OIDC_CLIENT_ID",
    "HOTSWAP_OIDC_CLIENT_SECRET",
    "HOTSWAP_OIDC_GROUPS_CLAIM",
    "HOTSWAP_OIDC_NAME",
    "HOTSWAP_PUBLIC_URL",
}


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without any variable of ours but the data folder."""
    for name in LISTED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOTSWAP_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(environment, "_in_file", set())
    return monkeypatch


def read_settings() -> dict[str, Any]:
    """Return the settings as the environment gives them now."""
    return {
        name: value
        for name, value in runpy.run_path(str(ROOT / "config/settings.py")).items()
        if name.isupper() and name not in {"UNFOLD", "SECRET_KEY"}
    }


def test_the_example_lists_what_is_read_and_nothing_else() -> None:
    listed = re.findall(r"^#([A-Z][A-Z_]+)=", EXAMPLE, re.MULTILINE)
    assert len(listed) == len(set(listed))
    read = settings.HOTSWAP["OWN_VARIABLES"] - {"DJANGO_SETTINGS_MODULE"}
    assert set(listed) - KEYS_OF_PROVIDERS == read
    assert BAD.keys() | ANYTHING_GOES == read


def test_what_the_example_shows_is_the_default(nothing_set: pytest.MonkeyPatch) -> None:
    usual = read_settings()
    for name, value in LISTED.items():
        if name not in {"HOTSWAP_DATA_DIR", *KEYS_OF_PROVIDERS}:
            nothing_set.setenv(name, value)
    assert read_settings() == usual


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_a_bad_value_stops_the_start_with_its_name(
    name: str, value: str, nothing_set: pytest.MonkeyPatch
) -> None:
    nothing_set.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=name) as stopped:
        read_settings()
    assert len(str(stopped.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["DEBUG", "HOTSWAP_DATA_DIR"])
def test_who_starts_it_sees_one_sentence(name: str, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOTSWAP_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        name: BAD[name][0],
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


def test_a_slip_in_a_name_is_told_at_the_start(
    nothing_set: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / ".env").write_text("ALOWED_HOSTS=a\nMY_OWN_KEY=k\nALLOWED_HOSTS=b\n")
    for name in ("ALOWED_HOSTS", "MY_OWN_KEY", "ALLOWED_HOSTS"):
        nothing_set.setenv(name, "set here, and undone after the test")
    nothing_set.setenv("HOTSWAP_RETENTION_DAY", "30")
    nothing_set.setenv("HOTSWAP_FROBNICATE_ALL", "1")
    nothing_set.setenv("HOTSWAP_API_KEY", "of a client")
    read_file(tmp_path / ".env")

    settings.HOTSWAP = {**settings.HOTSWAP, "SLIPS": read_settings()["HOTSWAP"]["SLIPS"]}

    assert [warning.msg for warning in variables_are_read()] == [
        "ALOWED_HOSTS is set, and nothing reads it. Did you mean ALLOWED_HOSTS?",
        "HOTSWAP_FROBNICATE_ALL is set, and nothing reads it. .env.example lists all there are.",
        "HOTSWAP_RETENTION_DAY is set, and nothing reads it. Did you mean HOTSWAP_RETENTION_DAYS?",
    ]


def test_every_variable_that_the_guide_names_is_there() -> None:
    others = {"HOTSWAP_URL", "HOTSWAP_API_KEY", "HOTSWAP_REAL_SERVER", "HOTSWAP_REAL_MODELS"}
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
    named = {
        name for page in pages for name in re.findall(r"\bHOTSWAP_[A-Z_]*[A-Z]\b", page.read_text())
    }
    assert named - others - {"HOTSWAP_HTTP"} <= LISTED.keys()


def test_a_clone_needs_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user may have none."""

    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", none)
    assert runpy.run_path(str(ROOT / "config/places.py"))["HOME"] == ROOT


READ_ELSEWHERE = {
    "config/tracing.py": "which names OpenTelemetry uses",
    "providers/http/notify.py": "hands a few on to what it starts",
    "config/install.py": "hands it on to what it starts",
    "config/command.py": "which settings",
    "config/celery.py": "which settings",
    "config/wsgi.py": "which settings",
    "config/places.py": "where a user's data goes",
    "config/supervisor.py": "hands it on to what it starts",
    "providers/variables.py": "keys of providers, each when it is used",
    "versioning/services/backups.py": "hands it on to what it starts",
}


def test_only_one_module_reads_variables_of_ours() -> None:
    reading = {
        file.relative_to(ROOT).as_posix()
        for top in ("config", "providers", "versioning")
        for file in (ROOT / top).rglob("*.py")
        if re.search(r"os\.(environ|getenv)\b", file.read_text())
    }
    assert reading == {"config/environment.py", *READ_ELSEWHERE}


class TestTheFile:
    @pytest.mark.parametrize(
        ("line", "value"),
        [
            ("X_TRIED=a", "a"),
            ("export X_TRIED = a b ", "a b"),
            ("X_TRIED='a # b'", "a # b"),
            ('X_TRIED="a"', "a"),
            ("X_TRIED=a=b#c", "a=b#c"),
            ("X_TRIED=$HOME", "$HOME"),
            ('X_TRIED="', '"'),
            ("X_TRIED=", ""),
            ("#X_TRIED=a", None),
            ("X TRIED=a", None),
        ],
    )
    def test_a_line(
        self, line: str, value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("X_TRIED", "undone after the test")
        del os.environ["X_TRIED"]
        (tmp_path / ".env").write_text(f"\ufeffA_FIRST=1\n{line}\n")
        monkeypatch.setenv("A_FIRST", "")
        read_file(tmp_path / ".env")
        assert os.environ.get("X_TRIED") == value

    def test_the_environment_wins(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("X_TRIED", "outer")
        (tmp_path / ".env").write_text("X_TRIED=inner")
        read_file(tmp_path / ".env")
        assert os.environ["X_TRIED"] == "outer"

    def test_none_is_none_and_one_that_can_not_be_read_is_told(self, tmp_path: Path) -> None:
        read_file(tmp_path / "none")
        (tmp_path / ".env").write_bytes(b"\xff\xfe")
        with pytest.raises(ImproperlyConfigured, match=r"\.env can't be read"):
            read_file(tmp_path / ".env")


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)


class TestTheDatabase:
    @given(user=PLAIN, password=PLAIN, name=PLAIN)
    def test_what_is_encoded_is_what_was_meant(self, user: str, password: str, name: str) -> None:
        url = "postgres://{}:{}@db.internal:5433/{}?sslmode=require".format(
            *(quote(part, safe="") for part in (user, password, name))
        )
        assert database_of(url) == {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": user,
            "PASSWORD": password,
            "HOST": "db.internal",
            "PORT": 5433,
            "OPTIONS": {"sslmode": "require"},
        }

    @pytest.mark.parametrize(
        ("url", "parts"),
        [
            ("postgresql:///hotswap", {"NAME": "hotswap", "HOST": "", "PORT": "", "USER": ""}),
            ("postgres://%2Frun%2Fpostgresql/x", {"NAME": "x", "HOST": "/run/postgresql"}),
            ("postgres://u@[::1]:5432/x", {"HOST": "::1", "PORT": 5432, "USER": "u"}),
            ("sqlite:////srv/h.sqlite3", {"NAME": "/srv/h.sqlite3"}),
            ("sqlite:///a%20b.sqlite3", {"NAME": "a b.sqlite3"}),
        ],
    )
    def test_its_parts(self, url: str, parts: dict[str, Any]) -> None:
        assert parts.items() <= database_of(url).items()

    @pytest.mark.parametrize(
        "url", ["mysql://a/b", "postgres://a", "postgres://a:port/b", "postgres://[::1/b", "x"]
    )
    def test_what_is_none(self, url: str) -> None:
        with pytest.raises(ValueError, match="."):
            database_of(url)
