"""``localfs://``: kombu's file broker with messages that appear, and are taken, whole.

The stock transport creates a message under its final name and writes to it afterwards: a
worker that reads in between loses the message and dies. It takes a message by moving it to
the system's temporary folder, which may be another file system, where two workers can both
win. Here everything is one rename within one folder, which is atomic.
"""

import fcntl
import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

TRANSPORT_ALIASES["localfs"] = "config.localfs_broker:Transport"


class FileChannel(filesystem.Channel):
    """Messages are files ``<time>_<uuid>.<queue>.msg``; a leading dot hides one from readers."""

    def _put(  # type: ignore[override]  # kombu's own two classes name the argument differently
        self, queue: str, payload: dict[str, Any], **kwargs: Any
    ) -> None:
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        aside = folder / f".{name}.part"
        aside.write_bytes(str_to_bytes(dumps(payload)))
        aside.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f".{name}.taken"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue  # another worker was faster
            message: dict[str, Any] = loads(bytes_to_str(taken.read_bytes()))
            taken.unlink()
            return message
        raise Empty

    def _queue_bind(
        self, exchange: str, routing_key: str | None, pattern: str | None, queue: str
    ) -> None:
        """Add a binding to the exchange's file: one writer at a time, never half written."""
        file: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with open(file.parent / ".lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            bindings = self.get_table(exchange)
            if binding not in bindings:
                aside = file.with_name(f".{file.name}.part")
                aside.write_bytes(str_to_bytes(dumps([binding, *bindings])))
                aside.rename(file)


class Transport(filesystem.Transport):
    Channel = FileChannel

    @property
    def default_connection_params(self) -> dict[str, Any]:
        """A folder has no host or port; with a default one kombu warns that it had to assume it."""
        return {}


def sweep_leftovers(folder: Path, *, older_than: float) -> int:
    """Delete what killed processes left half written or half read; return how many files.

    ``older_than`` is in seconds since 1970. Such a message is lost, which only delays: the
    tables are the queues.
    """
    swept = 0
    for file in folder.glob(".*.msg.*"):
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < older_than:
                file.unlink()
                swept += 1
    return swept
