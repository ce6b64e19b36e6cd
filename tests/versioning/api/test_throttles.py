"""Who guesses keys is kept out for a while, and a key that asks too often waits."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, RequestFactory

from tests.factories import ApiKeyFactory, tracked
from tests.versioning.api.test_problems import assert_problem
from versioning.api import authentication
from versioning.api.middleware import address_of
from versioning.domain.quotas import Quota
from versioning.models import ApiKey

pytestmark = pytest.mark.django_db
DOORS = ("/api/checks", "/api/model-versions/acme/zeta/current", "/v1/traces", "/readyz")
FEW = 3


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "wrong_keys", Quota(most=FEW, seconds=60))
    monkeypatch.setattr(authentication, "requests_of_keys", Quota(most=FEW, seconds=60))


@pytest.fixture
def secret() -> str:
    return str(ApiKeyFactory(scopes=ApiKey.Scope.values).secret)


@pytest.fixture
def ask() -> Callable[..., Any]:
    tracked(name="zeta", provider__slug="acme")
    client = Client(raise_request_exception=False)

    def send(secret: str, address: str = DOORS[0], *, of: str = "10.0.0.1") -> Any:
        way = client.post if address.startswith("/v1") else client.get
        return way(address, headers={"Authorization": f"Bearer {secret}"}, REMOTE_ADDR=of)

    return send


@pytest.mark.parametrize("door", DOORS)
def test_an_address_that_guesses_is_refused_at_every_door(
    ask: Callable[..., Any], secret: str, door: str
) -> None:
    for guess in range(FEW):
        ask(f"hs_{guess}", DOORS[0])

    refused = ask(secret, door)

    assert_problem(refused, 429, "too-many-requests")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert "RateLimit" not in refused.headers
    assert ask(secret, door, of="10.0.0.2").status_code != 429


def test_one_old_key_is_no_guess_however_often_it_comes(
    ask: Callable[..., Any], secret: str
) -> None:
    """An application that was forgotten must not keep out the others of its machine."""
    for _ in range(5 * FEW):
        assert_problem(ask("hs_old"), 401, "authentication-failed")

    assert ask(secret).status_code == 200


def test_a_key_that_asks_too_often_waits_and_others_don_t(
    ask: Callable[..., Any], secret: str
) -> None:
    limits = [ask(secret, DOORS[1])["RateLimit"] for _ in range(FEW)]
    refused = ask(secret)

    assert limits == [f'"key";r={left};t=60' for left in (2, 1, 0)]
    assert_problem(refused, 429, "too-many-requests")
    assert refused["RateLimit-Policy"] == '"key";q=3;w=60'
    assert refused["RateLimit"].startswith('"key";r=0;t=')
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert ask(ApiKeyFactory().secret).status_code == 200


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "1.2.3.4", "10.0.0.9"),
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.8", "1.2.3.4"),
        (2, "1.2.3.4", "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, "2001:db8::1:2:3:4", "2001:db8::"),
        (1, "unknown", "unknown"),
    ],
)
def test_the_address_is_what_the_outermost_proxy_saw(
    proxies: int, forwarded: str, expected: str, rf: RequestFactory, settings: Any
) -> None:
    settings.HOTSWAP = {**settings.HOTSWAP, "PROXIES": proxies}
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}

    assert address_of(rf.get("/", headers=headers, REMOTE_ADDR="10.0.0.9")) == expected
