"""Answers to ``current``: cached, asked anew conditionally, and the last good one kept on disk."""

import contextlib
import hashlib
import json
import logging
import math
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

from hotswap_client.server import Server
from hotswap_client.transport import Reply, Unreachable

logger = logging.getLogger(__name__)

_MAX_AGE = re.compile(r"max-age=(\d{1,9})")
RETRY_AFTER_REFUSAL_S = 5.0
"""How long an earlier answer is given without asking again where the server refused to say."""

ASKING_S = 2.0
"""How long other threads are given the earlier answer while one asks anew."""

SILENT_S = 60.0
"""The same warning is logged once in so long."""

MOST_CACHED = 10_000
"""Answers in memory; with many keys the oldest is forgotten."""


class NoAnswer(Exception):
    """The server can't say, and there is no earlier answer to fall back on."""


class _Refused(Unreachable):
    """The server answered, but with no version to use: another question may fare better."""


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
        server: Server,
        *,
        folder: Path | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._folder = folder
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._silent_until = -math.inf
        self._renew_lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew_lock)

    def _renew_lock(self) -> None:
        """A forked worker must not inherit a lock that a thread of its parent holds."""
        self._lock = threading.Lock()

    def current(self, *, provider: str, model: str, key: str | None) -> Current:
        """Return the version to use. Raises NoAnswer."""
        path = _path(provider, model, key)
        without_key = _path(provider, model, None)
        with self._lock:
            kept = self._kept.get(path)
            if kept is not None:
                if self._clock() < kept.fresh_until:
                    return _current(kept.body, stale=kept.is_stale)
                kept.fresh_until = self._clock() + ASKING_S
        try:
            return self._ask(path, kept)
        except _Refused as error:
            body = self._earlier(path, without_key, error)
            with self._lock:
                until = self._clock() + RETRY_AFTER_REFUSAL_S
                self._kept[path] = _Kept(body, "", until, is_stale=True)
            return _current(body, stale=True)
        except Unreachable as error:
            if kept is not None:
                kept.fresh_until = 0.0  # once the server is back, the next call asks it
            return _current(self._earlier(path, without_key, error), stale=True)

    def _ask(self, path: str, kept: _Kept | None) -> Current:
        headers = {"If-None-Match": kept.etag} if kept is not None and kept.etag else {}
        reply = self._server.ask(path, headers=headers)
        if reply.status == 304 and kept is not None:
            self._keep(path, kept.body, reply, etag=kept.etag)
            return _current(kept.body, stale=False)
        if reply.status != 200:
            raise _Refused(f"Hotswap answered {reply.status}: {_detail(reply)}")
        try:
            body = reply.json()
            current = _current(body, stale=False)
        except Unreachable as error:
            raise _Refused(str(error)) from error
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

    def _earlier(self, path: str, without_key: str, error: Unreachable) -> Mapping[str, Any]:
        """Return the last good answer to the question, else to the one without its key.

        Raises NoAnswer.
        """
        for each in (path, without_key):
            with self._lock:
                kept = self._kept.get(each)
            body = kept.body if kept is not None else self._read(each)
            if body is None:
                continue
            if kept is None:
                with self._lock:  # the disk is read once
                    self._kept.setdefault(each, _Kept(body, "", 0.0, is_stale=True))
            self._say(error)
            return body
        raise NoAnswer(f"{error} No earlier answer is kept.") from error

    def _say(self, error: Unreachable) -> None:
        """Log why an earlier answer is used, once in a while: every call would fill a disk."""
        now = self._clock()
        if now >= self._silent_until:
            self._silent_until = now + SILENT_S
            logger.warning("The last good answer is used: %s", error)

    def _file(self, path: str) -> Path | None:
        if self._folder is None or "?" in path:
            return None  # answers for single keys are too many to keep on disk
        asked = f"{self._server.base_url}{path}"
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
