"""Clients of the API: applications with a key."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.factories import ApiKeyFactory
from versioning.models import ApiKey

JSON = "application/json"


class Api:
    """An application: it sends JSON with its key and never raises for an answer of 500."""

    def __init__(self, secret: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.secret = secret

    def get(self, address: str, **headers: str) -> Any:
        return self._send("GET", address, None, headers)

    def post(self, address: str, body: Any = None, **headers: str) -> Any:
        return self._send("POST", address, {} if body is None else body, headers)

    def patch(self, address: str, body: Any, **headers: str) -> Any:
        return self._send("PATCH", address, body, headers)

    def delete(self, address: str) -> Any:
        return self._send("DELETE", address, None, {})

    def _send(self, method: str, address: str, body: Any, headers: dict[str, str]) -> Any:
        sent = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer: HttpResponse = self.client.generic(
            method,
            address,
            data=body if isinstance(body, bytes) else self.client._encode_json(body or {}, JSON),
            content_type=sent.pop("Content-Type", JSON),
            headers=sent,
        )
        return answer


@pytest.fixture
def with_scopes(db: None) -> Callable[..., Api]:
    """Make an application whose key has the given scopes."""
    return lambda *scopes: Api(ApiKeyFactory(scopes=list(scopes)).secret)


@pytest.fixture
def api(with_scopes: Callable[..., Api]) -> Api:
    """An application that may do everything."""
    return with_scopes(*ApiKey.Scope.values)


@pytest.fixture
def stranger(db: None) -> Api:
    """Somebody without a key."""
    return Api("")
