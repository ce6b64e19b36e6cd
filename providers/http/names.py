"""What a name stands for, asked within a time: the system's own resolver knows no limit of ours."""

import socket
import threading
from concurrent.futures import Future

MOST_WAITING = 32
"""So many names may be waited for in a process. Where a name server hangs each takes a thread until
the system gives up, which may be long after whoever asked."""

Found = Future[tuple[str, ...]]

_waiting: dict[tuple[str, int], Found] = {}
_lock = threading.Lock()


def look_up(host: str, port: int, *, within_s: float) -> tuple[str, ...]:
    """Return the addresses of a host, as text, each once.

    Raises OSError where it has none, and TimeoutError, which is one, where nobody says so in time.
    """
    key = (host, port)
    with _lock:
        asked = _waiting.get(key)
        if asked is None:
            if len(_waiting) >= MOST_WAITING:
                raise TimeoutError("too many names are waited for")
            asked = _waiting[key] = Future()
            # A daemon: a process that ends waits for no name server.
            threading.Thread(target=_ask, args=(key, asked), daemon=True, name="names").start()
    return asked.result(timeout=max(0.0, within_s))


def _ask(key: tuple[str, int], asked: Found) -> None:
    try:
        found = socket.getaddrinfo(*key, type=socket.SOCK_STREAM)
        texts = tuple(dict.fromkeys(str(each[4][0]).split("%")[0] for each in found))
    except ValueError:  # such as a label of more than 63 letters
        answer: tuple[str, ...] | OSError = OSError("no name of a host")
    except OSError as error:
        answer = error
    else:
        answer = texts
    # Whoever asks from now on asks anew: a name may stand for another address a moment later.
    with _lock:
        del _waiting[key]
    if isinstance(answer, OSError):
        asked.set_exception(answer)
    else:
        asked.set_result(answer)
