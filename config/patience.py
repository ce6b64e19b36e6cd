"""The web worker that is shipped: a request takes a thread only when all of it has come.

gunicorn's threads read heads and bodies themselves, so as many half-sent requests as there are
threads stop everything. Here the main loop gathers what comes, without waiting for anybody, and
ends what takes too long. A proxy in front does the same better, and for TLS, too: see
docs/operations.md.
"""

import json
import re
import selectors
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_SECONDS = 10.0
"""From the first byte, or the connection, to the end of the head."""

BODY_SECONDS = 30.0
"""From there to the end of the whole request."""

LEAVE_SECONDS = 2.0
"""How long a client that was refused may go on sending, so that it reads why."""

LONGEST_HEAD = 64 * 1024
LARGE = 256 * 1024
"""Bytes of a body that the main loop gathers; what is larger is read by a thread, and only half of
the threads do so at one time."""

MOST_HELD = 64 * 1024 * 1024
"""Bytes of all unfinished requests of one process."""

_PIECE = 64 * 1024
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_PIECES = re.compile(rb"^transfer-encoding:", re.IGNORECASE | re.MULTILINE)
_EXPECTS = re.compile(rb"^expect:[ \t]*100-continue", re.IGNORECASE | re.MULTILINE)
_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(;[^\r\n]*)?\r\n")


class Arriving:
    """A request of which some has come. ``head`` and ``is_whole`` say how far it is."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray()
        self.head = 0  # where the body begins; 0 until the head is whole
        self.is_whole = False
        self.deadline = time.monotonic() + HEAD_SECONDS
        self._length: int | None = 0  # of the body; None where it comes in pieces
        self._at = 0  # where the next piece begins
        self._is_odd = False  # a head that gunicorn's parser refuses as it stands
        self.add(data)

    def add(self, data: bytes) -> None:
        """Take what came next, and look whether all is there."""
        seen = len(self.data)
        self.data += data
        if not self.head:
            end = self.data.find(b"\r\n\r\n", max(0, seen - 3))
            if end < 0:
                return
            self._read_head(end + 4)
        if self._is_odd:
            self.is_whole = True
        elif self._length is None:
            self._skip_pieces()
        else:
            self.is_whole = len(self.data) >= self.head + self._length

    @property
    def is_large(self) -> bool:
        return bool(self.head) and len(self.data) - self.head > LARGE

    @property
    def expects_a_word(self) -> bool:
        """Does the client wait for 100 Continue before it sends the body?"""
        head = bytes(self.data[: self.head])
        return bool(self.head) and not self.is_whole and bool(_EXPECTS.search(head))

    def _read_head(self, end: int) -> None:
        self.head = self._at = end
        self.deadline = time.monotonic() + BODY_SECONDS
        head = bytes(self.data[:end])
        lengths = _LENGTH.findall(head)
        if _PIECES.search(head):
            self._length = None
        elif lengths:
            self._length = int(lengths[0])
        self._is_odd = len(lengths) > 1 or (bool(lengths) and self._length is None)

    def _skip_pieces(self) -> None:
        """Go over the pieces that are there; the last one has no bytes."""
        while found := _SIZE.match(self.data, self._at):
            size = int(found[1], 16)
            if size == 0:
                self.is_whole = self.data.find(b"\r\n\r\n", found.end() - 2) >= 0
                return
            end = found.end() + size + 2
            if len(self.data) < end:
                return
            self._at = end
        # Nonsense in place of a size: the parser says so, and needs no more for it.
        self.is_whole = b"\r\n" in self.data[self._at : self._at + 64] or (
            len(self.data) - self._at > 64
        )


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that waits for slow clients in its main loop."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arriving: dict[TConn, Arriving] = {}
        self.large: set[TConn] = set()
        self.waiting_large: list[TConn] = []
        self.leaving: dict[TConn, float] = {}
        self.ends_at: float | None = None
        """When it stops taking requests, on the monotonic clock; None until it is asked to end."""

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """Say first that it is about to end, and go on until balancers have heard.

        Asked once more, it ends at once.
        """
        drain = settings.HOTSWAP["DRAIN_SECONDS"]
        if not drain or self.ends_at is not None:
            super().handle_exit(sig, frame)
            return
        # Imported after the fork: what master and workers share would end those that come next.
        from versioning.services import readiness

        readiness.end()
        self.ends_at = time.monotonic() + drain

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or not; once it stops for good, take those who came already and shut the door.

        Left open, it would go on greeting clients whose requests nobody reads any more. Refused at
        once they know that theirs was not done, and ask elsewhere.
        """
        super().set_accept_enabled(enabled)
        if self.alive or enabled:
            return
        for listener in self.sockets:
            before = -1
            while before != self.nr_conns:
                before = self.nr_conns
                self.accept(listener)
            listener.close()
        for arriving in self.arriving.values():
            arriving.deadline = min(arriving.deadline, time.monotonic() + LEAVE_SECONDS)

    def enqueue_req(self, conn: TConn) -> None:
        """Gather a request before a thread gets it; all that is read goes this way."""
        if self.cfg.is_ssl:
            super().enqueue_req(conn)  # its bytes can't be looked at before the handshake
            return
        parser = conn.parser
        self.arriving[conn] = Arriving(parser.unreader.take_buffered() if parser else b"")
        conn.sock.setblocking(False)
        if not self._is_done_with(conn):
            self._listen(conn)
            self._read(conn, conn.sock)  # most requests are there already

    def _listen(self, conn: TConn) -> None:
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read, conn))

    def _read(self, conn: TConn, sock: Any) -> None:
        arriving = self.arriving.get(conn)
        if arriving is None:
            return  # it was answered and closed earlier in this round
        try:
            data = conn.sock.recv(_PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
            return
        had_head = bool(arriving.head)
        arriving.add(data)
        if not had_head and arriving.expects_a_word:
            with suppress(OSError):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._is_done_with(conn)

    def _is_done_with(self, conn: TConn) -> bool:
        """Hand the request over, or refuse it; say whether the main loop is done with it."""
        arriving = self.arriving[conn]
        if arriving.is_whole:
            self._deafen(conn)
            self._hand_over(conn)
        elif not arriving.head and len(arriving.data) > LONGEST_HEAD:
            is_line = b"\r\n" not in arriving.data
            status = HTTPStatus.REQUEST_URI_TOO_LONG if is_line else _TOO_LARGE_HEAD
            self._refuse(conn, status, "The head of the request is too long.")
        elif arriving.is_large:
            self._deafen(conn)
            self.waiting_large.append(conn)
            self._let_large_go_on()
        elif sum(len(each.data) for each in self.arriving.values()) > MOST_HELD:
            self._refuse(conn, HTTPStatus.SERVICE_UNAVAILABLE, "Too much at once: try again.")
        else:
            return False
        return True

    def _deafen(self, conn: TConn) -> None:
        """Read no more of a connection here."""
        with suppress(KeyError, ValueError):
            self.poller.unregister(conn.sock)

    def _let_large_go_on(self) -> None:
        """Give large bodies to threads, but never all of the threads."""
        while self.waiting_large and len(self.large) < max(1, self.cfg.threads // 2):
            conn = self.waiting_large.pop(0)
            if conn in self.arriving:
                self.large.add(conn)
                self._hand_over(conn)

    def _hand_over(self, conn: TConn) -> None:
        conn.gathered = bytes(self.arriving.pop(conn).data)
        conn.data_ready = True
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        """Answer the request in a thread; what was gathered is what its parser reads first."""
        gathered = getattr(conn, "gathered", b"")
        if not gathered:
            return super().handle(conn)
        conn.gathered = b""
        conn.init()
        conn.parser.unreader.unread(gathered)
        # Only the rest of a large body is still read here.
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 10, 0))
        if conn not in self.large:
            return super().handle(conn)
        end = threading.Timer(BODY_SECONDS, _stop_reading, [conn.sock])
        end.daemon = True
        end.start()
        try:
            return super().handle(conn)
        finally:
            end.cancel()

    def finish_request(self, conn: TConn, fs: Any) -> None:
        self.large.discard(conn)
        super().finish_request(conn, fs)
        self._let_large_go_on()

    def murder_pending(self) -> None:
        """End what takes too long; a worker that stops waits for little more."""
        super().murder_pending()
        now = time.monotonic()
        if self.ends_at is not None and self.ends_at < now:
            self.alive = False
        for conn, arriving in list(self.arriving.items()):
            if arriving.deadline < now:
                self._refuse(conn, HTTPStatus.REQUEST_TIMEOUT, "The request came too slowly.")
        for conn, deadline in list(self.leaving.items()):
            if deadline < now or not self.alive:
                self._drop(conn)

    def _refuse(self, conn: TConn, status: HTTPStatus, detail: str) -> None:
        """Answer, and read on for a moment: to close at once would lose the answer."""
        self.arriving.pop(conn, None)
        self._deafen(conn)
        try:
            conn.sock.send(_answer(status, detail))
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        self.leaving[conn] = time.monotonic() + LEAVE_SECONDS
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._let_go, conn))

    def _let_go(self, conn: TConn, sock: Any) -> None:
        try:
            more = conn.sock.recv(_PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            more = b""
        if not more:
            self._drop(conn)

    def _drop(self, conn: TConn) -> None:
        self.arriving.pop(conn, None)
        self.leaving.pop(conn, None)
        with suppress(KeyError, ValueError, OSError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()


_TOO_LARGE_HEAD = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


def _stop_reading(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RD)


def _answer(status: HTTPStatus, detail: str) -> bytes:
    """Return a whole answer with problem details, for what never reaches the application."""
    code = status.phrase.lower().replace(" ", "-")
    body = json.dumps(
        {
            "type": f"/api/problems/{code}",
            "title": status.phrase,
            "status": status,
            "detail": detail,
            "instance": "",
            "code": code,
            "errors": [],
            "request_id": uuid.uuid4().hex,
        }
    ).encode()
    again = "Retry-After: 5\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n{again}"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def problem_writer(write: Callable[[Any, bytes], None]) -> Callable[[Any, int, str, str], None]:
    """Return gunicorn's writer of errors, so that it writes problems: 414 among others."""

    def write_error(sock: Any, status_int: int, reason: str, mesg: str) -> None:
        write(sock, _answer(HTTPStatus(status_int), mesg or reason))

    return write_error
