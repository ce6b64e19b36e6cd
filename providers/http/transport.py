"""One exchange of HTTP: cut off at its deadline, bounded in size, without hidden credentials."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from providers.base import Nonsense
from providers.http import deadline
from providers.http.addresses import Address, addresses_of, is_public, never_asked
from providers.http.deadline import ends_within
from providers.http.guard import refuse_if_others_wait

# Read piece by piece, so that a body past the limit is broken off and not held first.
CHUNK_BYTES = 64 * 1024

MOST_OF_ERROR = 64 * 1024
"""So much is read of what comes with a status of 300 or more: it says what it is by the status."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered, whatever its status. ``elapsed_ms`` is for this exchange."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class NoReply:
    """Why there was no whole answer. ``never_sent`` is true where the server can't have acted."""

    reason: str
    never_sent: bool = False
    late: bool = False
    """Was it the deadline of the whole, and nothing in particular?"""


NAME_UNANSWERED = NoReply(
    "its name was not looked up in time (does the name server answer?)", never_sent=True
)
LATE = NoReply("no whole answer in time", late=True)


Observer = Callable[[str, str], contextlib.AbstractContextManager[Callable[[int | None], None]]]
"""Is told the method and the URL of an exchange, and at its end the status; None: no reply."""


@contextlib.contextmanager
def _nobody(method: str, url: str) -> Iterator[Callable[[int | None], None]]:
    yield lambda status: None


_observer: Observer = _nobody


def observe_by(observer: Observer) -> None:
    """Have somebody look on at each exchange of this process from now on."""
    global _observer
    _observer = observer


_check: ContextVar[Callable[[Address], None] | None] = ContextVar("_check", default=None)


@contextlib.contextmanager
def only_to(check: Callable[[Address], None] | None) -> Iterator[None]:
    """Connect only where ``check`` does not raise Nonsense; with None to whatever may be asked."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def public_only(address: Address) -> None:
    """Raise Nonsense unless the address is of the internet: after a redirect from there."""
    if not is_public(address):
        raise Nonsense(f"A redirect leads to a private address ({address}): not followed.")


def _checked(connection: HTTPConnection) -> list[str]:
    """Return the addresses to connect to. Raises Nonsense where one must not be asked.

    The connection is made to what was looked at: a name may stand for another address a moment
    later. Proxies are the operator's own and are not looked at.
    """
    host = connection.host
    try:
        found = addresses_of(host, connection.port or 0, within_s=_left_s(connection))
    except TimeoutError as error:
        raise _NameUnanswered(connection, "its name was not looked up in time") from error
    except OSError as error:
        raise NewConnectionError(connection, "its name stands for no address") from error
    for address in found:
        if never_asked(address):
            raise Nonsense(f"{host} leads to {address}, which is never asked: check the base URL.")
        if check := _check.get():
            check(address)
    return [str(address) for address in found]


class _NameUnanswered(NewConnectionError):
    """The name server was silent for as long as there was."""


def _left_s(connection: Any) -> float:
    """Return how long connecting may take: its own limit, and no more than the whole has left.

    Raises ConnectTimeoutError where nothing is left: a name may stand for a hundred addresses.
    """
    whole = deadline.current()
    left = connection.timeout if whole is None else min(connection.timeout, whole.left_s())
    if left <= 0:
        raise ConnectTimeoutError("the time for the whole is up")
    return float(left)


def _connect(connection: Any, connect: Callable[[], socket.socket]) -> socket.socket:
    """Connect to the first address that answers, of those that were looked at."""

    def to(address: str) -> socket.socket:
        connection._dns_host = address
        connection.timeout = _left_s(connection)
        return connect()

    addresses = [connection.host] if connection.proxy else _checked(connection)
    return deadline.connected_to_one(addresses, to, fails=(NewConnectionError, ConnectTimeoutError))


class _WatchedHTTPConnection(HTTPConnection):
    """Guarded from its first byte: proxies and TLS are spoken to before any request."""

    def _new_conn(self) -> socket.socket:
        return _connect(self, super()._new_conn)

    def request(self, *args: Any, **more: Any) -> None:
        if self.sock is not None:  # kept from an exchange before, which had a deadline of its own
            deadline.guarded(self.sock)
        super().request(*args, **more)


class _WatchedHTTPSConnection(_WatchedHTTPConnection, HTTPSConnection):
    """What is above asks HTTPSConnection here, for that is next in order."""


class _WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


_POOLS = {"http": _WatchedHTTPPool, "https": _WatchedHTTPSPool}


class _WatchedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _own_headers_only(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stand in for ``auth``, so that requests does not look for a password in ~/.netrc."""
    return request


def new_session() -> requests.Session:
    """Return a session that keeps connections, and neither cookies nor found passwords."""
    session = requests.Session()
    make_ours(session)
    return session


def make_ours(session: requests.Session) -> None:
    """Have a session's connections cut at their deadline; see ``new_session``."""
    session.auth = _own_headers_only
    session.cookies.set_policy(_NoCookies())
    for scheme in ("http://", "https://"):
        session.mount(scheme, _WatchedAdapter())


class _NoCookies(requests.cookies.cookielib.DefaultCookiePolicy):  # type: ignore[name-defined,misc]
    def set_ok(self, cookie: Any, request: Any) -> bool:
        return False


def exchange(
    session: requests.Session,
    request: requests.PreparedRequest,
    *,
    connect_s: float,
    read_s: float,
    total_s: float,
    max_bytes: int,
    settings: Mapping[str, Any] | None = None,
) -> Reply | NoReply:
    """Send one request, follow nothing, and return what came within ``total_s`` seconds.

    ``settings`` say which proxies and certificates are used, where not those of the environment.
    Raises Nonsense for a decoded body of more than ``max_bytes``; with a status that says what
    went wrong, its beginning will do, also where the rest never comes.
    """
    refuse_if_others_wait()
    started = time.monotonic()
    used: Any = settings or session.merge_environment_settings(request.url, {}, True, None, None)
    answer: Reply | NoReply
    with _observer(str(request.method), str(request.url)) as ended, ends_within(total_s) as whole:
        try:
            # Not the session's own send: it reads all that comes with a redirect, to no limit.
            response = session.get_adapter(str(request.url)).send(
                request,
                timeout=(min(connect_s, total_s), min(read_s, total_s)),
                **used,
            )
            with contextlib.closing(response):
                if response.status_code >= 300:
                    body = _beginning_of(response.raw)
                else:
                    body = _read_body(response.raw, max_bytes=max_bytes)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            answer = _explain(error)
        except (HTTPException, OSError, ValueError) as error:
            answer = NoReply(f"the connection broke ({type(error).__name__})")
        else:
            elapsed_ms = (time.monotonic() - started) * 1000
            answer = Reply(response.status_code, _lower(response.headers), body, elapsed_ms)
        # By the clock, too: on a busy machine a read may give up before the timer's thread wakes.
        is_late = whole.expired or (isinstance(answer, NoReply) and whole.left_s() <= 0)
        says_why = answer is NAME_UNANSWERED or (isinstance(answer, Reply) and answer.status >= 300)
        if is_late and not says_why:
            answer = LATE
        ended(answer.status if isinstance(answer, Reply) else None)
        return answer


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _explain(error: Exception) -> NoReply:
    """Say what went wrong in few words; the error's own text may hold addresses and is not used."""
    if isinstance(error, requests.ConnectTimeout):
        return NoReply("it can't be reached (connecting timed out)", never_sent=True)
    if isinstance(error, requests.exceptions.SSLError):
        return NoReply("its certificate can't be trusted or TLS failed", never_sent=True)
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return NoReply("it did not answer in time")
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, _NameUnanswered):
        return NAME_UNANSWERED
    if isinstance(reason, NewConnectionError):
        return NoReply("it can't be reached (is the address right, and is it up?)", never_sent=True)
    if isinstance(error, requests.exceptions.InvalidURL):
        return NoReply("its address can't be used", never_sent=True)
    if _speaks_otherwise(error):
        return NoReply(
            "what it sends is no HTTP that can be read (http or https? is the port right?)"
        )
    return NoReply("the connection broke before the whole answer had come")


def _speaks_otherwise(error: Exception) -> bool:
    """Say whether something came, and it was no answer of HTTP or broke its rules."""
    causes = [error, *error.args, *(part for each in error.args for part in _parts_of(each))]
    return any(
        isinstance(each, HTTPException)
        and not isinstance(each, RemoteDisconnected | IncompleteRead)
        for each in causes
    )


def _parts_of(error: object) -> tuple[object, ...]:
    return error.args if isinstance(error, Exception) else ()


def _beginning_of(raw: Any) -> bytes:
    """Return what comes first of a body, whatever becomes of its rest."""
    parts: list[bytes] = []
    with contextlib.suppress(urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError):
        while sum(map(len, parts)) < MOST_OF_ERROR:
            part = raw.read1(CHUNK_BYTES, decode_content=True)
            if not part:
                break
            parts.append(part)
    return b"".join(parts)[:MOST_OF_ERROR]


def _read_body(raw: Any, *, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := raw.read1(CHUNK_BYTES, decode_content=True):
        size += len(part)
        if size > max_bytes:
            raise Nonsense(f"The answer is larger than {max_bytes:,} bytes, so it was not read.")
        parts.append(part)
    return b"".join(parts)
