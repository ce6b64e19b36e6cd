"""What a name stands for, asked within a time: the system's own resolver knows no limit of ours."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future

MOST_WAITING = 32
"""So many names may be waited for in a process. Where a name server hangs each takes a thread until
the system gives up, which may be long after whoever asked."""

Found = tuple[str, ...]

_waiting: dict[tuple[str, int], Future[Found]] = {}
_lock = threading.Lock()


class NameUnanswered(TimeoutError):
    """Nobody said in time what a name stands for."""


def look_up(host: str, port: int, *, within_s: float) -> Found:
    """Return the addresses of a host, as text, each once.

    Raises OSError where it has none, and NameUnanswered, which is one, where nobody says it in
    time.
    """
    return _asked((host, port), lambda: _addresses(host, port), within_s=within_s)


def own_name(*, within_s: float) -> str:
    """Return this machine's whole name if it is told in time, else the short one it gave itself."""
    try:
        (name,) = _asked(("", 0), lambda: (socket.getfqdn(),), within_s=within_s)
    except OSError:
        return socket.gethostname()
    return name


def _asked(key: tuple[str, int], ask: Callable[[], Found], *, within_s: float) -> Found:
    with _lock:
        asked = _waiting.get(key)
        if asked is None:
            if len(_waiting) >= MOST_WAITING:
                raise NameUnanswered("too many names are waited for")
            asked = _waiting[key] = Future()
            # A daemon: a process that ends waits for no name server.
            threading.Thread(target=_ask, args=(key, asked, ask), daemon=True, name="names").start()
    try:
        return asked.result(timeout=max(0.0, within_s))
    except NameUnanswered:
        raise
    except TimeoutError as error:
        raise NameUnanswered(f"nobody said it within {within_s:.3g} s") from error


def _ask(key: tuple[str, int], asked: Future[Found], ask: Callable[[], Found]) -> None:
    try:
        answer: Found | OSError = ask()
    except ValueError:  # such as a label of more than 63 letters
        answer = OSError("no name of a host")
    except OSError as error:
        answer = error
    # Whoever asks from now on asks anew: a name may stand for another address a moment later.
    with _lock:
        del _waiting[key]
    if isinstance(answer, OSError):
        asked.set_exception(answer)
    else:
        asked.set_result(answer)


def _addresses(host: str, port: int) -> Found:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]).split("%")[0] for each in found))
