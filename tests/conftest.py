"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest

from sample_world.simulator import Simulator
from sample_world.simulator.world import World
from tests.factories import UserFactory
from versioning.services.actors import Actor


@pytest.fixture(autouse=True)
def answers_as_described() -> Iterator[None]:
    """Every answer of the API is as its description says, in whichever test."""
    from tests.versioning.api import contract  # once Django is set up

    contract.broken.clear()
    yield
    broken, contract.broken[:] = [*dict.fromkeys(contract.broken)], []
    assert not broken, "\n".join(broken)


@pytest.fixture(scope="session", autouse=True)
def documents_are_held() -> None:
    from tests.versioning import documents  # once Django is set up

    documents.hold()


@pytest.fixture(autouse=True)
def documents_as_described() -> Iterator[None]:
    """What is kept for good is in the form that its reader knows, in whichever test."""
    from tests.versioning import documents

    documents.broken.clear()
    documents.given.clear()
    yield
    broken, documents.broken[:] = [*dict.fromkeys(documents.broken)], []
    assert not broken, "\n".join(broken)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask providers again at once: how long after is tested where HTTP is."""
    monkeypatch.setattr("providers.http.client.BACKOFF_S", 0.0)


@pytest.fixture
def staff(db: None) -> Actor:
    """A member of staff who decides."""
    return Actor.of_user(UserFactory(username="ada"))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """The simulated providers, each with an empty catalogue, over real HTTP."""
    with Simulator() as server:
        server.world = World(dict.fromkeys(server.world.kinds(), ()))
        yield server
