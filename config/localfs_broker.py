"""``localfs://``: kombu's file broker with messages that appear whole.

The stock transport creates a message under its final name and writes to it afterwards; a
worker that reads in between loses the message and dies. Here it is written aside and
renamed, which is atomic on one file system.
"""

import os
import time
import uuid
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps


class Channel(filesystem.Channel):  # type: ignore[misc]
    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        folder = self.data_folder_out
        aside = os.path.join(folder, f".{name}.part")
        with open(aside, "xb") as file:
            file.write(str_to_bytes(dumps(payload)))
        os.replace(aside, os.path.join(folder, name))


class Transport(filesystem.Transport):  # type: ignore[misc]
    Channel = Channel


TRANSPORT_ALIASES["localfs"] = "config.localfs_broker:Transport"
