"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest

from versioning.services.actors import Actor
from tests.factories import UserFactory


@pytest.fixture
def staff(db: None) -> Actor:
    """A member of staff who decides."""
    return Actor.of_user(UserFactory(username="ada"))
