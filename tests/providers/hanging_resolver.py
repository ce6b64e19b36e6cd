"""What leaves the machine, where the name server never answers: how long it took, and what it said.

Run in namespaces of its own (``test_names.py``), with a resolv.conf that names this machine.
"""

import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any


def main() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))  # it takes every question, and answers none

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.conf import settings

    from providers.base import Connection
    from providers.http import Client, Limits
    from providers.http.push import push
    from versioning.services import mail

    settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = mail.SMTP, 1
    limits = Limits(connect_s=1, read_s=1, total_s=3, max_bytes=1024)
    client = Client(Connection("https://api.example.com/v1"), limits=limits, sleep=lambda s: None)
    kinds: dict[str, Callable[[], Any]] = {
        "provider": lambda: client.get("models"),
        "webhook": lambda: push("https://hooks.example.com/x", b"{}", headers={}, networks=[]),
        "mail": lambda: mail._send(to="ada@example.com", subject="x", body="x", headers={}),
    }
    told = {}
    for kind, send in kinds.items():
        began = time.monotonic()
        try:
            said = str(send())
        except Exception as error:
            said = str(error)
        told[kind] = {"seconds": time.monotonic() - began, "said": said}
    server.setblocking(False)
    told["asked"] = {"seconds": 0, "said": str(len(server.recv(512)) > 0)}
    print(json.dumps(told), flush=True)  # noqa: T201  (its answer)
    os._exit(0)


if __name__ == "__main__":
    main()
