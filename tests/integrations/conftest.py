"""The client for applications is a project of its own: here it is put on the path."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "integrations"))

from hotswap_client import Hotswap  # noqa: E402
from pytest_django.live_server_helper import LiveServer  # noqa: E402

from tests.factories import ApiKeyFactory, tracked  # noqa: E402
from tests.providers.conftest import ScriptedServer, serve  # noqa: E402
from versioning.models import TrackedModel  # noqa: E402


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A server that answers as a test says."""
    yield from serve()


@pytest.fixture
def writer(transactional_db: None) -> TrackedModel:
    return tracked(name="writer", provider__slug="acme")


@pytest.fixture
def hotswap(live_server: LiveServer, writer: TrackedModel, tmp_path: Path) -> Iterator[Hotswap]:
    """The client of an application, at a real server that tracks acme / writer."""
    key = ApiKeyFactory(scopes=["read", "ingest"]).secret
    # Patient: how long it waits for an answer is tried in test_hanging, and this machine is busy.
    client = Hotswap(live_server.url, api_key=key, cache_dir=tmp_path / "answers", timeout_s=30)
    yield client
    client.close(5)
