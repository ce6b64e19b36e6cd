"""Whether the server answers, known once for all questions: a call never waits to find out again.

The first call that gets no answer waits for its time limit and no longer; from then on the server
counts as away, every question fails at once, and one thread in the background asks again.
"""

import os
import threading
from collections.abc import Mapping

from hotswap_client.transport import BUSY, Reply, Transport, Unreachable

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
"""The background thread's pauses between two tries; they double."""


class Server:
    """Asks one server questions, each within ``timeout_s`` seconds. Thread-safe."""

    def __init__(self, transport: Transport, *, timeout_s: float) -> None:
        self._transport = transport
        self._timeout_s = timeout_s
        self._start_afresh()
        if hasattr(os, "register_at_fork"):
            # Neither the thread nor the lock of a parent is of any use in a forked worker.
            os.register_at_fork(after_in_child=self._start_afresh)

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._away = ""
        self._asked_while_away = False
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._waiting: set[_Question] = set()

    @property
    def base_url(self) -> str:
        """The server's address."""
        return self._transport.base_url

    def ask(self, path: str, *, headers: Mapping[str, str]) -> Reply:
        """Return the server's answer. Raises Unreachable, at once while it is known to be away."""
        question = _Question(self._transport, path, headers)
        with self._lock:
            if self._away:
                self._asked_while_away = True
                self._look_after(path)
                raise Unreachable(self._away)
            self._waiting.add(question)
        try:
            reply = question.answered_within(self._timeout_s)
            if reply.status in BUSY:
                raise Unreachable(f"Hotswap answered {reply.status}.")
        except Unreachable as error:
            self._is_away(str(error), path)
            raise
        finally:
            with self._lock:
                self._waiting.discard(question)
        return reply

    def close(self) -> None:
        """End the background thread."""
        self._closed.set()

    def _is_away(self, why: str, path: str) -> None:
        with self._lock:
            self._away = why
            self._asked_while_away = True
            others, self._waiting = self._waiting, set()
            self._look_after(path)
        for question in others:  # what one waited for in vain, no other call waits for any longer
            question.give_up(why)

    def _look_after(self, path: str) -> None:
        """Have the background thread ask again; the lock is held."""
        if self._closed.is_set() or (self._thread is not None and self._thread.is_alive()):
            return
        thread = threading.Thread(
            target=self._ask_again, args=(path,), name="hotswap-server", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # too many threads, or the interpreter is going down
            self._away = ""  # nobody would find out that it is back: the next call asks itself
        else:
            self._thread = thread

    def _ask_again(self, path: str) -> None:
        """Ask until the server answers, or until nobody has wanted to know for a whole pause."""
        pause = FIRST_PAUSE_S
        while not self._closed.wait(pause):
            if self._answers(path):
                with self._lock:
                    self._away = ""
                    self._thread = None
                return
            with self._lock:
                if not self._asked_while_away:
                    self._thread = None  # the next question starts another
                    return
                self._asked_while_away = False
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _answers(self, path: str) -> bool:
        try:
            return self._transport.get(path).status not in BUSY
        except Unreachable:
            return False


class _Question:
    """One question in a thread of its own: a name server that hangs has no time limit either."""

    def __init__(self, transport: Transport, path: str, headers: Mapping[str, str]) -> None:
        self._transport = transport
        self._path = path
        self._headers = headers
        self._reply: Reply | None = None
        self._why = ""
        self._done = threading.Event()

    def answered_within(self, timeout_s: float) -> Reply:
        """Return the answer. Raises Unreachable."""
        try:
            threading.Thread(target=self._ask, name="hotswap-question", daemon=True).start()
        except RuntimeError as error:
            raise Unreachable("No thread could be started to ask Hotswap.") from error
        self._done.wait(timeout_s)
        if self._reply is None:
            raise Unreachable(self._why or f"No answer from Hotswap within {timeout_s:g} s.")
        return self._reply

    def give_up(self, why: str) -> None:
        """Let the caller go with this reason."""
        self._why = self._why or why
        self._done.set()

    def _ask(self) -> None:
        try:
            self._reply = self._transport.get(self._path, headers=self._headers)
        except Unreachable as error:
            self._why = str(error)
        finally:
            self._done.set()
