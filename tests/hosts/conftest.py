"""One cluster for all tests of hosts, and applications that use it meanwhile."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts import laws
from tests.hosts.cluster import Cluster, unavailable
from tests.hosts.load import Load


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if reason := unavailable():
        pytest.skip(reason)
    # Not below pytest's own folder, which only root may enter.
    with (
        tempfile.TemporaryDirectory(prefix="hotswap-hosts-") as folder,
        Cluster(Path(folder)) as cluster,
    ):
        yield cluster


@pytest.fixture(scope="session")
def applications(cluster: Cluster) -> Load:
    return Load(cluster)


@pytest.fixture
def load(cluster: Cluster, applications: Load) -> Iterator[Load]:
    """Applications that go on through whatever the test does; afterwards every law holds."""
    applications.begin()
    yield applications
    cluster.heal()
    applications.stop()
    laws.hold(cluster, applications)
