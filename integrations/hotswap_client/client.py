"""One object for an application: ask which version, report what came of it."""

from __future__ import annotations

import atexit
import math
import os
import time
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotswap_client.answers import Answers, Current, NoAnswer
from hotswap_client.outbox import Outbox, Stats
from hotswap_client.sample import Sample, Signals
from hotswap_client.server import Server
from hotswap_client.transport import Transport

if TYPE_CHECKING:
    from typing_extensions import Unpack

SAMPLES = "/api/performance-samples"
SCORES = "/api/performance-samples/scores"
CACHE_DIR = "~/.cache/hotswap"


class Hotswap:
    """The client; make one for a process and share it between threads.

    ``cache_dir`` keeps the last good answers for the next start (None: in memory only). At most
    ``capacity`` samples wait to be sent, ``batch`` go in one request, at the latest after
    ``every_s`` seconds. ``timeout_s`` is the longest that ``current`` waits, and that an
    exit waits for what is queued. Raises ValueError for an address or a key that can't be one.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str,
        cache_dir: str | Path | None = CACHE_DIR,
        timeout_s: float = 2.0,
        capacity: int = 10_000,
        batch: int = 500,
        every_s: float = 1.0,
    ) -> None:
        transport = Transport(base_url=base_url, api_key=api_key, timeout_s=timeout_s)
        sender = Transport(base_url=base_url, api_key=api_key, timeout_s=max(timeout_s, 30.0))
        self._server = Server(transport, timeout_s=timeout_s)
        self._answers = Answers(self._server, folder=_folder(cache_dir))
        self._samples = Outbox(
            sender, path=SAMPLES, capacity=capacity, batch=batch, every_s=every_s
        )
        self._scores = Outbox(sender, path=SCORES, capacity=capacity, batch=batch, every_s=every_s)
        self._exit_timeout_s = timeout_s
        atexit.register(self._at_exit)

    def current(
        self, provider: str, model: str, *, key: str | None = None, default: str | None = None
    ) -> Current:
        """Return the version to use now.

        With ``key`` (a user's or session's id) the same key gets the same version during a
        canary. When the server can't be asked, the last good answer is given, marked ``stale``: to
        this key, else to the question without one. Where there is none, ``default`` as upstream
        id, else NoAnswer is raised. A call waits at most ``timeout_s``, and not at all while the
        server is known not to answer.
        """
        try:
            return self._answers.current(provider=provider, model=model, key=key)
        except NoAnswer:
            if default is None:
                raise
            return Current(upstream_id=default, label="", revision="", stale=True)

    def record(self, **sample: Unpack[Sample]) -> str:
        """Queue one sample and return its request id; never blocks, never raises.

        ``Sample`` says which fields there are. A type checker refuses another; at run time the
        server does, and the refusal is counted and logged.
        """
        request_id = uuid.uuid4().hex
        try:
            request_id = str(sample.get("request_id") or request_id)
            began = sample.get("time") or _began(sample.get("latency_ms"))
            told = {**sample, "request_id": request_id, "time": began}
            plain = {name: _plain(value) for name, value in told.items()}
            self._samples.put({name: value for name, value in plain.items() if value is not None})
        except Exception:
            self._samples.drop()  # such as a value whose text can't be made
        return request_id

    def score(
        self,
        request_id: str,
        *,
        quality: float | None = None,
        signals: Signals | None = None,
    ) -> None:
        """Queue a late score of a request; never blocks, never raises."""
        score = {"request_id": request_id, "quality": quality, "signals": signals}
        try:
            self._scores.put({k: _plain(v) for k, v in score.items() if v is not None})
        except Exception:
            self._scores.drop()

    @property
    def stats(self) -> Stats:
        """What became of the samples so far."""
        return self._samples.stats

    @property
    def score_stats(self) -> Stats:
        """What became of the late scores so far."""
        return self._scores.stats

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Send what is queued; return whether all of it was sent in time."""
        deadline = time.monotonic() + timeout_s
        sent = self._samples.flush(timeout_s)
        return self._scores.flush(max(0.0, deadline - time.monotonic())) and sent

    def close(self, timeout_s: float = 10.0) -> bool:
        """Flush, then stop. Later samples are dropped and counted."""
        atexit.unregister(self._at_exit)
        return self._end(timeout_s)

    def _end(self, timeout_s: float) -> bool:
        self._server.close()
        deadline = time.monotonic() + timeout_s
        sent = self._samples.close(timeout_s)
        return self._scores.close(max(0.0, deadline - time.monotonic())) and sent

    def _at_exit(self) -> None:
        self._end(self._exit_timeout_s)


def _folder(cache_dir: str | Path | None) -> Path | None:
    if cache_dir is None:
        return None
    return Path(os.path.expanduser(cache_dir))


def _began(latency_ms: Any) -> datetime:
    """Return when a request began that ended now."""
    took_ms = latency_ms if isinstance(latency_ms, int | float) else 0
    took_ms = took_ms if 0 <= took_ms < 86_400_000 else 0
    return datetime.now(timezone.utc) - timedelta(milliseconds=took_ms)  # noqa: UP017


def _plain(value: Any) -> Any:
    """Return what JSON can carry; anything else as its text, so that nothing raises later."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.astimezone()).isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
