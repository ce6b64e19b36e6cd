"""A server that writes bytes as it likes: it needn't speak HTTP, nor to an end."""

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

MODEL = {
    "id": "acme/zeta-1",
    "canonical_slug": "acme/zeta-1",
    "created": 1735689600,
    "context_length": 32000,
    "pricing": {"prompt": "0.000001", "completion": "0.000002"},
}
GOOD = [MODEL, *({**MODEL, "id": id, "canonical_slug": id} for id in ("acme/eta-1", "acme/iota-1"))]


class Wire:
    """One connection, after its request was read: ``path`` is what was asked for."""

    def __init__(self, connection: socket.socket, path: str, home: str, over: threading.Event):
        self.connection = connection
        self.path = path
        self.home = home
        """The server's own address, such as http://127.0.0.1:8000."""
        self._over = over

    def send(self, *parts: bytes) -> None:
        self.connection.sendall(b"".join(parts))

    def hang(self) -> None:
        """Say nothing more until the client has gone or the test is over."""
        self.connection.setblocking(False)
        while not self._over.wait(0.02):
            with contextlib.suppress(BlockingIOError):
                if not self.connection.recv(1024):
                    return

    def drip(self, payload: bytes, *, every_s: float = 0.02) -> None:
        """Send byte by byte, slowly enough that no read ever times out."""
        for each in payload:
            self.send(bytes([each]))
            time.sleep(every_s)

    def flood(self, parts: Iterable[bytes]) -> None:
        """Send as fast as it is taken, until the client has had enough."""
        for part in parts:
            self.send(part)

    def reset(self) -> None:
        """End with RST, as a machine does that lost its state."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Behaviour = Callable[[Wire], None]


class HostileServer:
    """Answers each connection once, as ``behaviour`` says; hung-up clients are no news to it."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = lambda wire: wire.send(reply(listing()))
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def serve(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            path = _path_of(_request(connection))
            self.behaviour(Wire(connection, path, self.url, self._over))


def serving() -> Iterator[HostileServer]:
    """Yield a running server, and end it afterwards."""
    running = HostileServer()
    thread = threading.Thread(target=running.serve, daemon=True)
    thread.start()
    yield running
    running.close()
    thread.join(5)


def _request(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got and not got.startswith(b"\x16"):  # 22: a greeting of TLS
        part = connection.recv(4096)
        if not part:
            break
        got += part
    return got


def _path_of(request: bytes) -> str:
    words = request.split(b"\r\n", 1)[0].split(b" ")
    return words[1].decode("latin-1") if len(words) > 1 else ""


def head(status: str = "200 OK", **headers: object) -> bytes:
    """Return a status line and headers; underscores in names become hyphens."""
    told = {"Content_Type": "application/json", "Connection": "close", **headers}
    lines = [f"HTTP/1.1 {status}", *(f"{k.replace('_', '-')}: {v}" for k, v in told.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def reply(body: bytes, status: str = "200 OK", **headers: object) -> bytes:
    """Return a whole answer that is well-formed as far as HTTP goes."""
    return head(status, Content_Length=len(body), **headers) + body


def listing(*more: Any, **fields: Any) -> bytes:
    """Return the good listing with further rows, and with further fields beside them."""
    return json.dumps({"data": [*GOOD, *more], **fields}).encode()
