"""The client's way to the server: the standard library, with time-outs and a size limit."""

import gzip
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes; answers of Hotswap are far smaller."""

BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that say nothing of the request: the same one is worth another try later."""


class Unreachable(Exception):
    """No answer: a time-out, a refused connection, an answer that broke off."""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer of any status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the decoded body. Raises Unreachable where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Unreachable("The answer is no JSON.") from error


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to wherever it points."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Transport:
    """Sends requests to one server with one key."""

    def __init__(self, *, base_url: str, api_key: str, timeout_s: float) -> None:
        if urlsplit(base_url).scheme not in {"http", "https"}:
            raise ValueError("base_url must start with http:// or https://.")
        key = api_key.strip()
        if not (key and key.isascii() and key.isprintable()):
            # The key is not repeated here: errors end up in logs.
            raise ValueError("api_key must be a key of Hotswap, such as hs_...")
        self.base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(_NoRedirects)

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Reply:
        return self._send(urllib.request.Request(self.base_url + path), headers or {})  # noqa: S310

    def post(self, path: str, payload: Any) -> Reply:
        body = gzip.compress(json.dumps(payload).encode(), compresslevel=1)
        request = urllib.request.Request(  # noqa: S310
            self.base_url + path, data=body, method="POST"
        )
        return self._send(request, {"Content-Type": "application/json", "Content-Encoding": "gzip"})

    def _send(self, request: urllib.request.Request, headers: Mapping[str, str]) -> Reply:
        for name, value in {**self._headers, **headers}.items():
            request.add_header(name, value)
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return _reply(answer.status, answer)
        except urllib.error.HTTPError as error:
            with error:
                return _reply(error.code, error)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"No answer from Hotswap ({type(error).__name__}).") from error


def _reply(status: int, answer: Any) -> Reply:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Reply(status, headers, answer.read(LARGEST_ANSWER))
