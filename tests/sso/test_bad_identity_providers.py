"""An identity provider that is silent, slow or mad: people read so, and nobody else waits.

It needs what `make sso` installs.
"""

import json
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.providers.hostile.behaviours import chunked, deep, drips, floods, hangs, raw, says, then
from tests.providers.hostile.server import Behaviour, HostileServer, Wire, head, reply, serving
from tests.sso.conftest import Serve

pytest.importorskip("allauth", reason="make sso installs it")
pytestmark = pytest.mark.e2e
TOTAL_S, SLACK_S = 10, 3
MIB = 1024 * 1024
MOST_MEMORY = 100 * MIB
LATE, MAD = "can't be reached, or does not answer as it should", "can't be read"
NOT_LET_IN = "did not let you in"

QUICK: dict[str, Behaviour] = {
    "sends 100 MB": then(raw(head()), lambda wire: wire.flood([b" " * MIB] * 100)),
    "floods headers": floods(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000),
    "answers with a page": says(b"<html>", Content_Type="text/html"),
    "answers with nothing": says(b""),
    "answers with a list": says(b"[1]"),
    "answers with another object": says(b'{"a": 1}'),
    "answers with a number": says(b"NaN"),
    "answers too deep": says(deep(100_000)),
    "answers half": raw(head(Content_Length=999) + b'{"a"'),
    "answers with an error": says(b"", "500 Internal Server Error"),
    "redirects within": says(b"", "302 Found", Location="http://169.254.169.254/latest"),
    "sends odd chunks": raw(chunked(b"{") + b"zz\r\n"),
}
SLOW: dict[str, tuple[str, Behaviour]] = {
    "openid-configuration": ("hangs", hangs),
    "/token": ("drips", then(raw(head()), drips(b" " * 10_000))),
    "/userinfo": ("hangs", hangs),
}
"""By the endpoint: each of these takes all the time there is."""


@dataclass
class Stranger:
    """A browser that has signed in nowhere."""

    address: str

    def __post_init__(self) -> None:
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self._browser = urllib.request.build_opener(jar, _Stays)
        self._follows = urllib.request.build_opener(jar)

    def begin(self) -> str:
        """Ask to be led to the identity provider; return the state that it is told, or the page."""
        answer = self._browser.open(f"{self.address}/accounts/oidc/sso/login/", timeout=60)
        return str(answer.headers["Location"])

    def come_back(self, state: str) -> str:
        where = f"{self.address}/accounts/oidc/sso/login/callback/?code=x&state={state}"
        return str(self._browser.open(where, timeout=60).headers["Location"])

    def reads(self) -> str:
        """Return the log-in page, with what it says once."""
        page = self._follows.open(f"{self.address}/admin/login/", timeout=60)
        return unescape(page.read().decode())


class _Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None

    def http_error_302(self, req: Any, fp: Any, *_: Any) -> Any:
        return fp


@pytest.fixture
def identity_provider() -> Iterator[HostileServer]:
    yield from serving()


def misbehaves(server: HostileServer, endpoint: str, behave: Behaviour) -> None:
    """Have one endpoint behave so, the others as they should."""
    description = {
        "issuer": server.url,
        "authorization_endpoint": f"{server.url}/authorize",
        "token_endpoint": f"{server.url}/token",
        "userinfo_endpoint": f"{server.url}/userinfo",
        "jwks_uri": f"{server.url}/jwks",
    }
    good = {
        "/.well-known/openid-configuration": description,
        "/token": {"access_token": "x", "token_type": "Bearer"},
        "/userinfo": {"sub": "ada", "groups": ["ml-staff"], "preferred_username": "ada"},
    }

    def answer(wire: Wire) -> None:
        if wire.path.endswith(endpoint):
            behave(wire)
        else:
            wire.send(reply(json.dumps(good[wire.path]).encode()))

    server.behaviour = answer


def tries(address: str, endpoint: str) -> tuple[str, float]:
    """Sign in up to where it goes wrong; return what the page says, and how long it took."""
    stranger = Stranger(address)
    began = time.monotonic()
    led_to = stranger.begin()
    if endpoint != "openid-configuration":
        began = time.monotonic()
        led_to = stranger.come_back(parse_qs(urlsplit(led_to).query)["state"][0])
    took = time.monotonic() - began
    assert urlsplit(led_to).path == "/admin/login/", led_to
    return stranger.reads(), took


def test_each_is_said_in_time_and_memory(
    identity_provider: HostileServer, serve: Serve, tmp_path: Path
) -> None:
    address, _ = serve(identity_provider.url)
    before, wrong = _memory(tmp_path), dict[str, Any]()
    for endpoint, (slow, waits) in SLOW.items():
        for name, behave in {**QUICK, slow: waits}.items():
            misbehaves(identity_provider, endpoint, behave)
            page, took = tries(address, endpoint)
            said = any(each in page for each in (LATE, MAD, NOT_LET_IN))
            if not said or took > (TOTAL_S if name == slow else 3) + SLACK_S:
                wrong[f"{endpoint} {name}"] = took, page
    assert wrong == {}
    assert _memory(tmp_path) - before < MOST_MEMORY
    misbehaves(identity_provider, "nowhere", hangs)
    stranger = Stranger(address)
    state = parse_qs(urlsplit(stranger.begin()).query)["state"][0]
    assert stranger.come_back(state) == "/admin/"


def test_while_it_is_silent_others_are_answered(
    identity_provider: HostileServer, serve: Serve
) -> None:
    address, _ = serve(identity_provider.url)
    misbehaves(identity_provider, "openid-configuration", hangs)
    endpoint = "openid-configuration"
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(tries, address, endpoint) for _ in range(8)]
        time.sleep(2)
        for _ in range(5):
            began = time.monotonic()
            urllib.request.urlopen(f"{address}/livez", timeout=30).close()  # noqa: S310
            assert time.monotonic() - began < 2
        told = [each.result() for each in waiting]
    busy = [page for page, _ in told if "Others are signing in" in page]
    assert len(busy) >= 5
    assert all(took < TOTAL_S + SLACK_S for _, took in told)


def _memory(folder: Path) -> int:
    """Return the most bytes that a process of the server ever took."""
    found = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            environment = (status.parent / "environ").read_bytes()
            lines = status.read_text().splitlines()
        except OSError:
            continue
        if f"HOTSWAP_DATA_DIR={folder}".encode() in environment:
            told = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
            found = max(found, *told, 0)
    return found * 1024
