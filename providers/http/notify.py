"""A notice to people, by whatever apprise can speak to: chats, pagers, push services."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from providers.http.addresses import Network
from providers.http.guard import refuse_if_others_wait

TOTAL_S = 60.0
"""Its start included: importing takes a second or two."""

_PASSED_ON = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "TZ") + tuple(
    name for proxy in ("http_proxy", "https_proxy", "no_proxy") for name in (proxy, proxy.upper())
)
"""Of the environment: no key, and nothing else that a way could send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notified:
    """What came of a notice; ``why`` is for people where it was not taken, in our own words."""

    ok: bool
    why: str
    status: int | None = None
    is_permanent: bool = False


def notify(url: str, *, title: str, body: str, networks: Sequence[Network]) -> Notified:
    """Give a notice to an apprise URL, once, within a minute.

    A process of its own does it (``notify_child``): there each connection is looked at, and only
    those to the internet or to ``networks`` are made. The URL is a secret and is told to it by a
    pipe.
    """
    refuse_if_others_wait()
    asked = {
        "url": url,
        "title": title,
        "body": body,
        "networks": [str(network) for network in networks],
    }
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "providers.http.notify_child"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=TOTAL_S,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Notified(ok=False, why=f"It was not taken within {TOTAL_S:.0f} seconds.")
    try:
        said = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return Notified(ok=False, why=f"It broke off ({done.returncode}).")
    return Notified(
        ok=said["ok"],
        why=said["why"],
        status=said.get("status"),
        is_permanent=said.get("permanent", False),
    )
