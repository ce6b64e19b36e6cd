"""The client that adapters use: JSON in, JSON out, one of four errors otherwise."""

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from django.conf import settings

from providers import conversation
from providers.base import ChatRequest, Connection, Nonsense, Refused, Response, Unavailable
from providers.conversation import DatedAnswer
from providers.http.addresses import (
    joined,
    may_stand_in_public,
    origin,
    problem_of_redirect,
    stands_in_public,
)
from providers.http.decoding import Unreadable, decode, most_values, too_many, values_in
from providers.http.failures import failure, retry_after_s, scrub
from providers.http.remembered import Remembered, remembered
from providers.http.transport import (
    LATE,
    NoReply,
    Reply,
    exchange,
    new_session,
    only_to,
    public_only,
)

logger = logging.getLogger(__name__)

# A check asks many providers side by side: whoever is down must not hold it up for long.
MAX_RETRIES = 2
MAX_REDIRECTS = 3  # a good API moves once, perhaps to https first; more is a loop
BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 8.0
LONGEST_RETRY_AFTER_S = 60.0
"""A provider that asks for a longer pause is reported as unavailable instead of waited for."""

LARGEST_LISTING = 2
"""All pages of a listing together may be so many times as large as the largest answer."""

# What says "not now" itself; 529 is Anthropic's word for overloaded.
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
# Followed by hand: requests would send the key along to wherever it is pointed.
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Repeat = Literal["freely", "if_not_begun", "never"]
"""When a failed request may be sent again: always, where the server can't have begun, or never."""

Params = Mapping[str, str | Sequence[str]]

Signer = Callable[[str, str, Mapping[str, str], bytes], Mapping[str, str]]
"""Method, URL, headers and body of a request -> the headers that sign it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, in seconds, and how much to read, in bytes after decompression."""

    connect_s: float
    read_s: float
    total_s: float
    max_bytes: int

    @property
    def max_values(self) -> int:
        """How many values may be read of what holds so many bytes."""
        return most_values(self.max_bytes)

    @classmethod
    def from_settings(cls) -> "Limits":
        ours: Mapping[str, Any] = settings.HOTSWAP
        return cls(
            connect_s=ours["HTTP_CONNECT_SECONDS"],
            read_s=ours["HTTP_READ_SECONDS"],
            total_s=ours["HTTP_TOTAL_SECONDS"],
            max_bytes=ours["HTTP_MAX_BYTES"],
        )


class Client:
    """Speaks to one provider. Any number of threads may share it.

    ``secret_headers`` carry the key: they go to the base URL's scheme, host and port only.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        headers: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, str] | None = None,
        signer: Signer | None = None,
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connection = connection
        self.base_url = connection.base_url.rstrip("/")
        self.host = urlsplit(self.base_url).netloc
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": "hotswap",
            **(headers or {}),
        }
        self._secret_headers = dict(secret_headers or {}) if connection.api_key else {}
        self._signer = signer
        self._limits = limits or Limits.from_settings()
        self._sleep = sleep
        self._local = threading.local()
        self._refuse_a_broken_key()

    def get(
        self, path: str, *, params: Params | None = None, conditional: bool = False
    ) -> Response:
        """Return the JSON at a path under the base URL, or at a full URL on the same host.

        ``conditional`` asks only for what changed since this process last read the address.
        The pages of a listing share one deadline, and a measure for all of them.
        Raises Unavailable, Refused or Nonsense.
        """
        url = self._url(path, params)
        talk = conversation.current()
        known = remembered.get(url) if conditional else None
        extra = known.conditions() if known else {}
        reply, attempts = self._send(
            "GET",
            url,
            None,
            repeat="freely",
            headers=extra,
            total_s=self.connection.timeout_s or self._limits.total_s,
            began=talk.began,
        )
        talk.dated = _dated(reply, host=self.host) or talk.dated
        body = known.body if known and reply.status == 304 else reply.body
        self._measure(talk, body)
        if known and reply.status == 304:
            return Response(self._decode(known.body), known.headers, reply.elapsed_ms, attempts)
        answer = Response(self._decode(reply.body), reply.headers, reply.elapsed_ms, attempts)
        if conditional:
            remembered.keep(url, Remembered(reply.body, reply.headers))
        return answer

    def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        safe_to_repeat: bool = False,
        is_chat: bool = True,
        timeout_s: float | None = None,
    ) -> Response:
        """Send JSON and return the JSON that came back within ``timeout_s`` seconds.

        ``safe_to_repeat`` sends it again where the server can't have begun to act on it.
        Raises Unavailable, Refused or Nonsense, and Incompatible where ``is_chat``.
        """
        try:
            payload = json.dumps(body, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise Nonsense(f"The request can't be written as JSON ({error}).") from error
        reply, attempts = self._send(
            "POST",
            self._url(path, None),
            payload,
            repeat="if_not_begun" if safe_to_repeat else "never",
            is_chat=is_chat,
            total_s=timeout_s or self._limits.total_s,
            began=time.monotonic(),
        )
        return Response(self._decode(reply.body), reply.headers, reply.elapsed_ms, attempts)

    def chat(self, path: str, body: Mapping[str, Any], request: ChatRequest) -> Response:
        """Send a chat as ``post`` does, within its time, and again only where it says so."""
        return self.post(
            path, body, safe_to_repeat=request.safe_to_repeat, timeout_s=request.timeout_s
        )

    def _refuse_a_broken_key(self) -> None:
        # Said here because the HTTP library would put the whole key into its error.
        if not all(
            value.isascii() and value.isprintable() for value in self._secret_headers.values()
        ):
            raise Refused(
                f"The key in {self.connection.key_variable or 'the environment'} holds a line"
                " break or a character that no key has: set it again."
            )

    def _url(self, path: str, params: Params | None) -> str:
        url = joined(f"{self.base_url}/", path) if path else self.base_url
        if not url:
            raise Nonsense(f"{self.host} gives an address for its next page that is none.")
        if origin(url) != origin(self.base_url):
            raise Nonsense(f"{self.host} points to another host for its next page: not followed.")
        prepared = requests.Request("GET", url, params=dict(params or {})).prepare()
        return str(prepared.url)

    def _send(
        self,
        method: str,
        url: str,
        body: bytes | None,
        *,
        repeat: Repeat,
        total_s: float,
        began: float,
        headers: Mapping[str, str] | None = None,
        is_chat: bool = False,
    ) -> tuple[Reply, int]:
        deadline = began + total_s
        attempts = 0
        never_sent = True
        while True:
            attempts += 1
            outcome = self._follow(method, url, body, headers or {}, deadline=deadline)
            never_sent &= isinstance(outcome, NoReply) and outcome.never_sent
            pause = self._pause(outcome, attempts=attempts, repeat=repeat)
            if pause is None or time.monotonic() + pause >= deadline:
                break
            self._sleep(pause)
        if isinstance(outcome, NoReply):
            late = f"no whole answer within {total_s:.3g} s"
            raise Unavailable(
                f"{self.host} gave no answer: {late if outcome.late else outcome.reason}."
                " Try again later.",
                never_sent=never_sent,
            )
        if outcome.status == 206:
            raise Nonsense(f"{self.host} answered with a part only (206): not believed.")
        if outcome.status >= 400:
            error = failure(outcome, connection=self.connection, host=self.host, is_chat=is_chat)
            error.status = outcome.status
            raise error
        return outcome, attempts

    def _pause(self, outcome: Reply | NoReply, *, attempts: int, repeat: Repeat) -> float | None:
        """Return the seconds to wait before another try, None where there should be none."""
        if repeat == "never" or attempts > MAX_RETRIES:
            return None
        told = None
        if isinstance(outcome, NoReply):
            if repeat == "if_not_begun" and not outcome.never_sent:
                return None
        else:
            told = retry_after_s(outcome)
            turned_away = outcome.status in {429, 503} and told is not None
            if outcome.status not in _WORTH_ANOTHER_TRY:
                return None
            if repeat == "if_not_begun" and not turned_away:
                return None
        # Full jitter: clients that failed together don't come back together.
        jitter = secrets.SystemRandom().random()
        if told is None:
            return jitter * min(LONGEST_BACKOFF_S, BACKOFF_S * 2.0**attempts)
        return None if told > LONGEST_RETRY_AFTER_S else told + jitter * BACKOFF_S

    def _follow(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        deadline: float,
    ) -> Reply | NoReply:
        """Send once, and follow redirects by hand; the key stays with the base URL's origin."""
        came_from_public = False
        for _ in range(MAX_REDIRECTS + 1):
            with only_to(public_only if came_from_public else None):
                outcome = self._exchange(method, url, body, headers, deadline=deadline)
            if isinstance(outcome, NoReply) or outcome.status not in _REDIRECTS:
                return outcome
            target = joined(url, outcome.headers.get("location", ""))
            if problem := problem_of_redirect(method, outcome.status, url, target):
                raise Nonsense(f"{self.host} {scrub(problem, self.connection)}")
            # Unsure, it counts as of the internet: its name server is not to say where we may go.
            time_s = min(self._limits.connect_s, max(0.0, deadline - time.monotonic()))
            came_from_public = came_from_public or may_stand_in_public(url, within_s=time_s)
            if came_from_public and not stands_in_public(target, within_s=time_s):
                raise Nonsense(f"{self.host} redirects to a private address: not followed.")
            url = target
        raise Nonsense(f"{self.host} redirects in a circle: check the base URL.")

    def _exchange(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        deadline: float,
    ) -> Reply | NoReply:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return LATE
        sent: dict[str, str] = {**self._headers, **headers}
        if body is not None:
            sent["Content-Type"] = "application/json"
        if origin(url) == origin(self.base_url):
            sent |= self._secret_headers
            if self._signer:
                sent |= self._signer(method, url, sent, body or b"")
        request = requests.Request(method, url, headers=sent, data=body).prepare()
        # A chat answer comes in one piece at its end: waiting for it is not a stall.
        read_s = left_s if method == "POST" else self._limits.read_s
        outcome = exchange(
            self._session(),
            request,
            connect_s=self._limits.connect_s,
            read_s=read_s,
            total_s=left_s,
            max_bytes=self._limits.max_bytes,
        )
        result = outcome.reason if isinstance(outcome, NoReply) else outcome.status
        logger.debug("%s %s%s: %s", method, self.host, urlsplit(url).path, result)
        return outcome

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = new_session()
        session: requests.Session = self._local.session
        return session

    def _measure(self, talk: conversation.Conversation, body: bytes) -> None:
        """Count an answer towards its listing. Raises Nonsense where that has become too large."""
        talk.bytes_read += len(body)
        talk.values_read += values_in(body)
        most = LARGEST_LISTING * self._limits.max_bytes
        if talk.bytes_read > most:
            raise Nonsense(f"{self.host} lists more than {most:,} bytes in all: not read further.")
        if talk.values_read > self._limits.max_values:
            raise Nonsense(f"{self.host} answered with {too_many(self._limits.max_values)}")

    def _decode(self, body: bytes) -> Any:
        try:
            return decode(body, most=self._limits.max_values)
        except Unreadable as error:
            problem = scrub(str(error), self.connection)
        raise Nonsense(f"{self.host} answered with {problem}")


def _dated(reply: Reply, *, host: str) -> DatedAnswer | None:
    """Read when an answer was made; None where it doesn't say, or a cache had kept it."""
    received = datetime.now(UTC)
    if "age" in reply.headers:
        return None
    try:
        said = parsedate_to_datetime(reply.headers["date"])
    except (KeyError, ValueError, OverflowError):
        return None
    sent = received - timedelta(milliseconds=reply.elapsed_ms)
    said = said if said.tzinfo else said.replace(tzinfo=UTC)
    return DatedAnswer(host=host, sent=sent, received=received, said=said)
