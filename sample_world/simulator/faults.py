"""What can go wrong on the way: the simulator's faults, one at a time for each provider."""

import copy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from sample_world.simulator.speech import Response

Scope = Literal["all", "list", "chat"]

MODES = (
    "http_500",
    "http_503",
    "http_429",
    "unauthorized",
    "html",
    "not_json",
    "empty",
    "half",
    "garbage",
    "slow",
    "hang",
    "oversized",
    "truncated",
    "redirect",
    "bad_request",
)
"""Names of the faults; unauthorized, http_* and bad_request come in the provider's own shape."""

STATUS_OF = {
    "http_500": (500, "The server had an error."),
    "http_503": (503, "The engine is overloaded."),
    "http_429": (429, "Rate limit reached."),
    "unauthorized": (401, "Incorrect API key provided."),
    "bad_request": (400, "This parameter is not supported."),
}

PAGE = b"<!doctype html><html><head><title>Bad gateway</title></head><body>nginx</body></html>"
GARBAGE: Any = {"unexpected": True}


class UnknownFault(ValueError):
    """There is no fault of this name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``times`` is how many requests it still spoils; None means until healed."""

    mode: str
    scope: Scope = "all"
    times: int | None = None
    retry_after: str = ""
    """Value of the Retry-After header; empty sends none."""
    to_url: str = ""
    """Where ``redirect`` points; empty is another name of this host."""
    seconds: float = 5.0
    """How long ``slow`` drips and ``hang`` says nothing."""


class Faults:
    """The faults that are on, by kind; safe to use from the server's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[str, Fault] = {}

    def set(self, kind: str, fault: Fault) -> None:
        """Switch the fault on; UnknownFault for a name that isn't one."""
        if fault.mode not in MODES:
            raise UnknownFault(f"There is no fault {fault.mode!r}. Known: {', '.join(MODES)}.")
        with self._lock:
            self._on[kind] = fault

    def heal(self, kind: str) -> None:
        with self._lock:
            self._on.pop(kind, None)

    def named(self) -> dict[str, str]:
        """Return the fault that is on for each kind that has one."""
        with self._lock:
            return {kind: fault.mode for kind, fault in self._on.items()}

    def take(self, kind: str, *, is_chat: bool) -> Fault | None:
        """Return the fault that spoils this request, and count it."""
        with self._lock:
            fault = self._on.get(kind)
            if fault is None or fault.scope == ("list" if is_chat else "chat"):
                return None
            if fault.times is not None:
                if fault.times <= 1:
                    del self._on[kind]
                else:
                    self._on[kind] = replace(fault, times=fault.times - 1)
            return fault


def spoil(response: Response, mode: str) -> Response:
    """Return the listing emptied, cut to a tenth, or with one item that can't be read."""
    body = copy.deepcopy(response.body)
    headers = {k: v for k, v in response.headers.items() if k != "ETag"}
    rows = body if isinstance(body, list) else _rows_in(body)
    if mode == "garbage":
        _add_garbage(body, rows)
    elif rows is not None:
        del rows[0 if mode == "empty" else max(1, len(rows) // 10) :]
    elif isinstance(body, dict):
        keep = 0 if mode == "empty" else 1
        body = dict(list(body.items())[:keep])
    if mode != "garbage":
        # Without more pages: what is gone is gone.
        headers = {k: v for k, v in headers.items() if k != "Link"}
        if isinstance(body, dict):
            for name in ("links", "has_more", "nextPageToken", "nextLink"):
                body.pop(name, None)
    return replace(response, body=body, headers=headers)


def _rows_in(body: Any) -> list[Any] | None:
    values = body.values() if isinstance(body, dict) else ()
    return next((value for value in values if isinstance(value, list)), None)


def _add_garbage(body: Any, rows: list[Any] | None) -> None:
    if rows is not None:
        rows.append(GARBAGE)
    elif isinstance(body, dict):
        body["garbage"] = "not an object"


def drip(write: Callable[[bytes], object], payload: bytes, *, seconds: float) -> None:
    """Write the payload a little at a time over about ``seconds``."""
    steps = max(1, int(seconds / 0.05))
    size = max(1, -(-len(payload) // steps))
    for start in range(0, len(payload), size):
        write(payload[start : start + size])
        time.sleep(0.05)
