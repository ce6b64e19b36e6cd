"""Stands between the machine and its database: lets the process die, and looks for secrets."""

import logging
from collections.abc import Callable
from typing import Any

WRITES = ("INSERT", "UPDATE", "DELETE")


class Crash(BaseException):
    """The process died here. No handler may catch it, as none catches a SIGKILL."""


class Watcher(logging.Handler):
    """Dies before the n-th write; keeps whatever would store or log a secret (law 7)."""

    def __init__(self, *secrets: str) -> None:
        super().__init__()
        self.secrets = secrets
        self.dies_before: int | None = None
        self.leaks: list[str] = []

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        if str(sql).lstrip()[:6].upper() in WRITES:
            if self.dies_before == 0:
                self.dies_before = None
                raise Crash
            if self.dies_before is not None:
                self.dies_before -= 1
            self.look(f"{sql} {params!r}", where="stored")
        return execute(sql, params, many, context)

    def emit(self, record: logging.LogRecord) -> None:
        self.look(f"{record.getMessage()} {record.exc_info!r}", where="logged")

    def look(self, text: str, *, where: str) -> None:
        if any(secret in text for secret in self.secrets):
            self.leaks.append(f"{where}: {text[:300]}")
