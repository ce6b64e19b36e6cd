"""Fixtures for all tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from sample_world.simulator import Simulator
from sample_world.simulator.world import World
from tests.factories import UserFactory
from versioning.services.actors import Actor


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--with-a-database",
        action="store_true",
        help="leave out what asks for no database, or is marked as the same on any",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.option.with_a_database:
        return
    same = [item for item in items if not _asks_for_a_database(item)]
    config.hook.pytest_deselected(items=same)
    items[:] = [item for item in items if item not in set(same)]


def _asks_for_a_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("any_database") is not None:
        return False
    asked = {"db", "transactional_db", "database"} & {*getattr(item, "fixturenames", ())}
    return bool(asked) or item.get_closest_marker("django_db") is not None


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> None:
    """Migrate the test database as pytest-django does, or begin with a copy of one that was."""
    from django.db import connection

    from tests import emptying, template

    def made_by_django() -> None:
        request.getfixturevalue("django_db_setup")

    option = request.config.option
    cache = getattr(request.config, "cache", None)  # none with -p no:cacheprovider
    is_made_anew = option.create_db or not option.reuse_db
    if not is_made_anew or option.nomigrations or cache is None:
        made_by_django()
        with django_db_blocker.unblock():
            emptying.quickly()
        return
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock():
            named = connection.settings_dict["NAME"]
            with template.held_on_server(cache.mkdir("migrated")) as on_server:
                if on_server.is_there:
                    connection.settings_dict["TEST"]["TEMPLATE"] = on_server.name
                made_by_django()
                if not on_server.is_there:
                    on_server.keep(unless=named)
            emptying.quickly()
        return
    with template.held(cache.mkdir("migrated")) as made:
        if made.exists():
            with template.instead_of_empty(made):
                made_by_django()
        else:
            made_by_django()
            with django_db_blocker.unblock():
                template.keep(made)


@pytest.fixture(scope="session")
def migrated(request: pytest.FixtureRequest, django_db_setup: None) -> Callable[[Path], None]:
    """Spare a program the seven seconds of making its database: copy a migrated one to a path.

    The program still migrates, and finds nothing to do; where none is kept (the tests run on
    PostgreSQL, or without pytest's cache) it does all of it.
    """
    from tests import template

    cache = getattr(request.config, "cache", None)
    if cache is None:
        return lambda path: None
    folder = cache.mkdir("migrated")
    return lambda path: template.copy(folder, to=path)


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


@pytest.fixture(autouse=True)
def nobody_has_asked_before() -> None:
    """All tests come from one address and would be taken for somebody who guesses keys."""
    from versioning.api import authentication  # once Django is set up

    authentication.wrong_keys.forget()
    authentication.requests_of_keys.forget()


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
