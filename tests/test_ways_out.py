"""Whatever leaves this machine ends in time, whoever is at the other end, over TLS, too.

``WAYS`` has each way there is: a module that could open another has to be named here.
"""

import ast
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.mail import EmailMessage
from packaging.requirements import Requirement

from providers.base import Connection, ProviderError
from providers.http import Client, Limits, notify, push
from providers.http.lent import LentSession
from providers.http.smtp import TIMES, Mails
from providers.http.transport import NoReply
from versioning.services import mail

ROOT = Path(__file__).parents[1]
TOTAL_S = 1.2
SLACK_S = 2.0
"""For a machine that has others to run, too."""

MAIL_S = 4.0
"""Longer: much is made a mail of meanwhile."""

MUCH = f"{'x' * 63}\n" * 128 * 1024
"""More than a connection takes whose other end reads nothing."""

LIMITS = Limits(connect_s=1, read_s=1, total_s=TOTAL_S, max_bytes=100_000)
HERE = [ip_network("127.0.0.0/8")]


# --- the ways


def _provider(port: int, text: str) -> str:
    client = Client(Connection(f"https://127.0.0.1:{port}/v1"), limits=LIMITS, sleep=lambda s: None)
    try:
        return f"it was told {client.get('models')}"
    except ProviderError as error:
        return str(error)


def _chat(port: int, text: str) -> str:
    client = Client(Connection(f"https://127.0.0.1:{port}/v1"), limits=LIMITS, sleep=lambda s: None)
    try:
        return f"it was told {client.post('chat', {'prompt': text})}"
    except ProviderError as error:
        return str(error)


def _webhook(port: int, text: str) -> str:
    try:
        answer = push.push(f"https://127.0.0.1:{port}/", text.encode(), headers={}, networks=HERE)
    except ProviderError as error:
        return str(error)
    return answer.reason if isinstance(answer, NoReply) else f"it was told {answer.status}"


def _lent(port: int, text: str) -> str:
    """What is lent to allauth and to OpenTelemetry's exporter."""
    session = LentSession(total_s=TOTAL_S, max_bytes=100_000)
    try:
        return f"it was told {session.post(f'https://127.0.0.1:{port}/', data=text).text}"
    except OSError as error:
        return str(error)


def _notice(port: int, text: str) -> str:
    done = notify.notify(f"jsons://127.0.0.1:{port}/", title="T", body=text[:100], networks=HERE)
    return "it was told so" if done.ok else done.why


def _mail(port: int, text: str, **tls: bool) -> str:
    way = Mails(host="127.0.0.1", port=port, timeout=MAIL_S / TIMES, **tls)
    try:
        return f"sent {way.send_messages([EmailMessage('S', text, 'a@b.cz', ['c@d.cz'])])}"
    except OSError as error:
        return f"{type(error).__name__} {error}"


# --- what they speak


def _read_request(peer: socket.socket) -> None:
    peer.recv(4096)


def _ask_for_tls(peer: socket.socket) -> None:
    _say(peer, b"220 mail\r\n", b"250-mail\r\n250 STARTTLS\r\n", b"220 go\r\n")


def _up_to_the_mail(peer: socket.socket) -> None:
    _say(peer, b"", b"250 mail\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n")


def _greet_and_go_on(peer: socket.socket) -> None:
    peer.sendall(b"220 mail\r\n")
    _up_to_the_mail(peer)


def _say(peer: socket.socket, greeting: bytes, *answers: bytes) -> None:
    peer.sendall(greeting)
    for each in answers:
        peer.recv(4096)
        peer.sendall(each)


def _nothing(peer: socket.socket) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Way:
    """A way out: how it is gone, and what a server says on it until it becomes unbearable."""

    go: Callable[[int, str], str]
    before_tls: Callable[[socket.socket], None] = _nothing
    before_answer: Callable[[socket.socket], None] = _read_request
    before_much: Callable[[socket.socket], None] = _read_request
    head: bytes = b"HTTP/1.1 200 OK\r\nX-"
    body: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"
    total_s: float = TOTAL_S
    only: tuple[str, ...] = ()
    """What of ``UNBEARABLE`` it is shown, all where that is empty."""


LINES = b"220-x\r\n"
NOTICE_S = 6.0
WAYS = {
    "a provider": Way(_provider),
    "a chat": Way(_chat),
    "a webhook": Way(_webhook),
    "an identity provider, a collector of traces": Way(_lent),
    # A process of its own, which is killed at its end whatever happens in it.
    "a notice": Way(_notice, total_s=NOTICE_S, only=("drips the greeting of TLS", "drips a head")),
    "a mail, STARTTLS": Way(
        partial(_mail, use_tls=True, use_ssl=False),
        before_tls=_ask_for_tls,
        total_s=MAIL_S,
        before_answer=_read_request,
        before_much=_up_to_the_mail,
        head=b"250-",
        body=LINES * 3,
    ),
    "a mail, TLS from the start": Way(
        partial(_mail, use_tls=False, use_ssl=True),
        total_s=MAIL_S,
        before_answer=_nothing,
        before_much=_greet_and_go_on,
        head=b"220-",
        body=LINES * 3,
    ),
}

# --- what is at the other end


class Stage(Enum):
    """How far a server goes along."""

    MET = "before TLS"
    ASKED = "before its first answer over TLS"
    GIVEN = "before it takes what is sent"


Act = Callable[[socket.socket, Way], None]


def hangs(peer: socket.socket, way: Way) -> None:
    pass


def drips_a_greeting(peer: socket.socket, way: Way) -> None:
    _drip(peer, b"\x16\x03\x03\x40\x00", b"\x02")


def drips_a_head(peer: socket.socket, way: Way) -> None:
    _drip(peer, way.head, b"x")


def drips_a_body(peer: socket.socket, way: Way) -> None:
    _drip(peer, way.body, LINES)


def floods(peer: socket.socket, way: Way) -> None:
    peer.sendall(way.body)
    while True:
        peer.sendall(LINES * 1000)


def _drip(peer: socket.socket, first: bytes, drop: bytes) -> None:
    peer.sendall(first)
    while True:
        time.sleep(0.05)
        peer.sendall(drop)


UNBEARABLE: dict[str, tuple[Stage, Act]] = {
    "hangs in the greeting of TLS": (Stage.MET, hangs),
    "drips the greeting of TLS": (Stage.MET, drips_a_greeting),
    "hangs": (Stage.ASKED, hangs),
    "drips a head": (Stage.ASKED, drips_a_head),
    "drips a body": (Stage.ASKED, drips_a_body),
    "says too much": (Stage.ASKED, floods),
    "takes nothing": (Stage.GIVEN, hangs),
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate of this machine."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, clear = serialization.Encoding.PEM, serialization.NoEncryption()
    file = tmp_path_factory.mktemp("tls") / "this-machine.pem"
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, clear)
    file.write_bytes(plain + made.public_bytes(pem))
    return file


@dataclass(slots=True)
class Server:
    """What is at the other end: its port, and whether it came to what makes it unbearable."""

    port: int
    came_to_it: bool = False


@contextmanager
def unbearable(name: str, way: Way, certificate: Path) -> Iterator[Server]:
    """Yield a server that behaves so to everybody, until the end of the test."""
    stage, act = UNBEARABLE[name]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    door = socket.create_server(("127.0.0.1", 0))
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peers, server = list[socket.socket](), Server(door.getsockname()[1])

    def meet(peer: socket.socket) -> None:
        with suppress(OSError, ValueError):
            way.before_tls(peer)
            if stage is not Stage.MET:
                peer = context.wrap_socket(peer, server_side=True)
                peers.append(peer)
                (way.before_answer if stage is Stage.ASKED else way.before_much)(peer)
            server.came_to_it = True
            act(peer, way)

    def serve() -> None:
        with suppress(OSError):
            while True:
                peer, _ = door.accept()
                peers.append(peer)
                threading.Thread(target=meet, args=(peer,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        for each in (door, *peers):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        thread.join(5)


@pytest.mark.parametrize("name", WAYS)
def test_it_ends_in_time_and_says_why(
    name: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(variable, str(certificate))
    monkeypatch.setattr(push, "TOTAL_S", TOTAL_S)
    monkeypatch.setattr(notify, "TOTAL_S", NOTICE_S)
    way = WAYS[name]
    shown = way.only or tuple(UNBEARABLE)

    def timed(unbearable_so: str, server: Server) -> tuple[str, float]:
        began = time.monotonic()
        text = MUCH if UNBEARABLE[unbearable_so][0] is Stage.GIVEN else "x"
        return way.go(server.port, text), time.monotonic() - began

    with ExitStack() as stack, ThreadPoolExecutor(len(shown)) as pool:
        servers = [stack.enter_context(unbearable(each, way, certificate)) for each in shown]
        told = dict(zip(shown, pool.map(timed, shown, servers), strict=True))
    assert [
        each for each, server in zip(shown, servers, strict=True) if not server.came_to_it
    ] == []
    late = {each: took for each, (_, took) in told.items() if took > way.total_s + SLACK_S}
    assert late == {}
    taken = ("it was told", "sent")
    assert {each: said for each, (said, _) in told.items() if said.startswith(taken)} == {}


# --- no way is forgotten

LIBRARIES = {"requests", "urllib3", "httpx", "httpcore", "aiohttp", "h11", "h2", "websockets"}
"""Distributions that speak over the network; whoever needs one of them may, too."""

MODULES = {
    "allauth", "asyncio", "django.core.mail", "ftplib", "http.client", "imaplib", "poplib",
    "smtplib",
    "socket", "socketserver", "ssl", "urllib.request", "xmlrpc.client",
}  # fmt: skip
"""Of the standard library, Django's own, and an extra that may not be there to be asked."""

SPEAKERS = {
    "providers/http/client.py": "a provider",
    "providers/http/deadline.py": "cuts them all",
    "providers/http/lent.py": "an identity provider, a collector of traces",
    "providers/http/names.py": "look-ups: tests/providers/test_names.py",
    "providers/http/notify_child.py": "a notice",
    "providers/http/push.py": "a webhook",
    "providers/http/smtp.py": "a mail, STARTTLS",
    "providers/http/transport.py": "a provider",
    "config/sso.py": "an identity provider, a collector of traces",
    "config/tracing.py": "an identity provider, a collector of traces",
    "versioning/services/mail.py": "a mail, STARTTLS",
}
"""Each module that speaks, and its way, or where else it is shown."""

SILENT = {
    "config/lost_connections.py": "constants of sockets, for database and broker",
    "config/patience.py": "listens",
    "config/supervisor.py": "asks this machine whether its own web answers",
    "providers/files.py": "a path from a file's address",
    "providers/kinds/bedrock/adapter.py": "botocore signs; a provider's client sends",
    "providers/kinds/genai_prices/adapter.py": "the snapshot that comes with the package",
    "versioning/services/clock_notices.py": "this machine's own name",
    "versioning/services/evaluation/running.py": "this machine's own name",
    "versioning/services/samples/trace_format.py": "OpenTelemetry's format",
}
"""Each module that imports what could speak, and does not use it for that."""


def test_each_module_that_could_speak_to_others_is_known() -> None:
    found = {file for file in _ours() if _could_speak(ROOT / file)}
    assert found == {*SPEAKERS, *SILENT}
    elsewhere = {way for way in SPEAKERS.values() if way not in WAYS}
    assert elsewhere == {"cuts them all", "look-ups: tests/providers/test_names.py"}


def test_mail_goes_the_way_that_is_shown() -> None:
    from tests import settings  # pytest-django sets another into Django's

    assert settings.EMAIL_BACKEND == mail.SMTP == f"{Mails.__module__}.{Mails.__name__}"


def _ours() -> list[str]:
    listed = ["git", "ls-files", "config", "providers", "versioning", "hotswap"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [file for file in files.splitlines() if file.endswith(".py")]


def _could_speak(file: Path) -> bool:
    named, text = set[str](), file.read_text()
    if not WORDS.search(text):
        return False
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            named |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return any(_speaks(name) for name in named)


def _speaks(name: str) -> bool:
    if any(f"{name}.".startswith(f"{each}.") for each in MODULES):
        return True
    return any(_needs(each) for each in PACKAGES.get(name.split(".")[0], ()))


def _needs(name: str) -> bool:
    """Say whether a distribution is one that speaks, or needs one."""
    wanted, seen = [name.lower()], set[str]()
    while wanted:
        each = wanted.pop()
        if each not in seen:
            seen.add(each)
            wanted += _requires(each)
    return bool(seen & LIBRARIES)


@cache
def _requires(name: str) -> list[str]:
    try:
        required = [Requirement(each) for each in distribution(name).requires or ()]
    except PackageNotFoundError:
        return []
    return [each.name.lower() for each in required if not each.marker or each.marker.evaluate()]


PACKAGES = packages_distributions()
WORDS = re.compile(
    "|".join(
        rf"\b{re.escape(each)}\b"
        for each in (
            *{name.split(".")[0] for name in MODULES if name != "django.core.mail"},
            "mail",
            *(name for name, of in PACKAGES.items() if any(map(_needs, of))),
        )
    )
)
"""What stands in each module that could: looking for it is quicker than reading them all."""
