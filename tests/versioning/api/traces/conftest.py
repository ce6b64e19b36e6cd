"""A tracked model, and whoever sends spans about it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.factories import ApiKeyFactory, tracked
from versioning.models import TrackedModel


@pytest.fixture
def writer(db: None) -> TrackedModel:
    return tracked(name="writer", provider__slug="acme")


@pytest.fixture
def secret(db: None) -> str:
    return str(ApiKeyFactory().secret)


@pytest.fixture
def post(client: Client, secret: str, time_machine: Any) -> Callable[..., Any]:
    time_machine.move_to("2026-09-21T14:14:00Z", tick=False)

    def post(body: Any, form: str = "application/json", **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {secret}", **headers}
        return client.post("/v1/traces", data, content_type=form, headers=sent)

    return post
