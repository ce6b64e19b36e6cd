"""Answers to ``current``: cached, asked anew conditionally, and the last good one kept on disk."""

import contextlib
import hashlib
import json
import logging
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from hotswap_client.transport import Reply, Transport, Unreachable

logger = logging.getLogger(__name__)

_MAX_AGE = re.compile(r"max-age=(\d{1,9})")
RETRY_AFTER_FAILURE_S = 5.0
"""How long the last good answer is given without asking again after a failure."""

ASKING_S = 2.0
"""How long other threads are given the earlier answer while one asks anew."""

MOST_CACHED = 10_000
"""Answers in memory; with many keys the oldest is forgotten."""


class NoAnswer(Exception):
    """The server can't say, and there is no earlier answer to fall back on."""


@dataclass(frozen=True)
class Current:
    """The version to use now. ``stale`` means: the server could not be asked, an earlier answer."""

    upstream_id: str
    label: str
    revision: str
    stale: bool
    details: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The whole answer as in the API: parameters, canary, limits, prices, dates."""


@dataclass
class _Kept:
    body: Mapping[str, Any]
    etag: str
    fresh_until: float
    is_stale: bool = False


class Answers:
    """Thread-safe; once a question has an answer, one thread at a time asks it anew."""

    def __init__(
        self,
        transport: Transport,
        *,
        folder: Path | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._folder = folder
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._renew_lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew_lock)

    def _renew_lock(self) -> None:
        """A forked worker must not inherit a lock that a thread of its parent holds."""
        self._lock = threading.Lock()

    def current(self, *, provider: str, model: str, key: str | None) -> Current:
        """Return the version to use. Raises NoAnswer."""
        path = _path(provider, model, key)
        with self._lock:
            kept = self._kept.get(path)
            if kept is not None:
                if self._clock() < kept.fresh_until:
                    return _current(kept.body, stale=kept.is_stale)
                kept.fresh_until = self._clock() + ASKING_S
        try:
            return self._ask(path, kept)
        except Unreachable as error:
            return self._fall_back(path, kept, error)

    def _ask(self, path: str, kept: _Kept | None) -> Current:
        headers = {"If-None-Match": kept.etag} if kept is not None and kept.etag else {}
        reply = self._transport.get(path, headers=headers)
        if reply.status == 304 and kept is not None:
            self._keep(path, kept.body, reply, etag=kept.etag)
            return _current(kept.body, stale=False)
        if reply.status != 200:
            raise Unreachable(f"Hotswap answered {reply.status}: {_detail(reply)}")
        body = reply.json()
        current = _current(body, stale=False)
        self._keep(path, body, reply, etag=reply.headers.get("etag") or "")
        self._write(path, body)
        return current

    def _keep(self, path: str, body: Mapping[str, Any], reply: Reply, *, etag: str) -> None:
        found = _MAX_AGE.search(reply.headers.get("cache-control") or "")
        fresh_until = self._clock() + (float(found.group(1)) if found else 0.0)
        with self._lock:
            self._kept.pop(path, None)
            self._kept[path] = _Kept(body, etag, fresh_until)
            if len(self._kept) > MOST_CACHED:
                del self._kept[next(iter(self._kept))]

    def _fall_back(self, path: str, kept: _Kept | None, error: Unreachable) -> Current:
        body = kept.body if kept is not None else self._read(path)
        if body is None:
            raise NoAnswer(f"{error} No earlier answer is kept.") from error
        logger.warning("The last good answer is used: %s", error)
        with self._lock:
            etag = kept.etag if kept is not None else ""
            until = self._clock() + RETRY_AFTER_FAILURE_S
            self._kept[path] = _Kept(body, etag, until, is_stale=True)
        return _current(body, stale=True)

    def _file(self, path: str) -> Path | None:
        if self._folder is None or "?" in path:
            return None  # answers for single keys are too many to keep on disk
        asked = f"{self._transport.base_url}{path}"
        return self._folder / f"{hashlib.sha256(asked.encode()).hexdigest()[:32]}.json"

    def _write(self, path: str, body: Mapping[str, Any]) -> None:
        """Keep the answer for the next start; a disk that is full or read-only is no trouble."""
        file = self._file(path)
        if file is None:
            return
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, aside = tempfile.mkstemp(dir=file.parent, prefix=".answer")
            with os.fdopen(handle, "w") as out:
                json.dump(body, out)
            os.replace(aside, file)

    def _read(self, path: str) -> Mapping[str, Any] | None:
        file = self._file(path)
        if file is None:
            return None
        try:
            body = json.loads(file.read_text())
            _current(body, stale=True)
        except (OSError, ValueError, Unreachable):
            return None
        return dict(body)


def _path(provider: str, model: str, key: str | None) -> str:
    path = f"/api/model-versions/{quote(provider, safe='')}/{quote(model, safe='/:')}/current"
    return f"{path}?{urlencode({'key': key})}" if key is not None else path


def _current(body: Any, *, stale: bool) -> Current:
    try:
        version = body["version"]
        return Current(
            upstream_id=str(version["upstream_id"]),
            label=str(version["label"]),
            revision=str(version["revision"]),
            stale=stale,
            details=body,
        )
    except (KeyError, TypeError) as error:
        raise Unreachable("The answer doesn't have the shape of a current version.") from error


def _detail(reply: Reply) -> str:
    try:
        return str(reply.json()["detail"])
    except (Unreachable, KeyError, TypeError):
        return "no reason given"
