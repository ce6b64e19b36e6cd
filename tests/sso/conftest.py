"""A server that knows of single sign-on by its variables alone."""

import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.config.conftest import DATABASE, Migrated, Start, embedded, run, start, wait_until
from tests.ports import free_port

__all__ = ["start"]
GROUPS = "ml-staff=viewer,ml-deciders=reviewer,ml-oncall=emergency"
Serve = Callable[..., tuple[str, dict[str, str]]]


@pytest.fixture
def serve(tmp_path: Path, start: Start, migrated: Migrated) -> Serve:
    """Return what starts it for an identity provider, and returns its address and environment."""

    def serve(identity_provider: str, **more: str) -> tuple[str, dict[str, str]]:
        environment = embedded(
            tmp_path / "data",
            HOTSWAP_OIDC_ISSUER=identity_provider,
            HOTSWAP_OIDC_CLIENT_ID="hotswap",
            HOTSWAP_OIDC_CLIENT_SECRET="known to both",
            HOTSWAP_OIDC_GROUPS=GROUPS,
            HOTSWAP_OIDC_NAME="Acme",
            **more,
        )
        migrated(tmp_path / "data" / DATABASE)
        prepared = run([sys.executable, "manage.py", "prepare"], environment)
        assert prepared.returncode == 0, prepared.stderr
        address = f"http://127.0.0.1:{free_port()}"
        bind = ["--bind", address.removeprefix("http://"), "--no-control-socket", "--threads", "4"]
        start(
            [sys.executable, "-m", "gunicorn", "config.wsgi", *bind],
            environment,
            tmp_path / "web.log",
        )
        wait_until(lambda: answers(f"{address}/livez"), "The server")
        return address, environment

    return serve


def answers(address: str) -> bool:
    with suppress(OSError):
        urllib.request.urlopen(address, timeout=5).close()  # noqa: S310
        return True
    return False
