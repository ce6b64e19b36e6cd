"""One notice to people by apprise, in a process of its own: what it may reach is checked here.

Apprise and its ways speak for themselves, with libraries of their own. So each connection is looked
at when it is made, by the address itself: a name that stands for another a moment later changes
nothing. Read from the standard input, and answered on the standard output, as JSON.
"""

import contextlib
import ipaddress
import json
import resource
import socket
import sys
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from providers.http.addresses import Address, Network, addresses_of, is_public, never_asked

MOST_MEMORY = 1024**3
"""Of addresses, in bytes: a server that never stops answering ends this process, and no worker."""

_NEVER = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.posix_spawn",
        "os.system",
        "pty.spawn",
        "subprocess.Popen",
        "syslog.openlog",
        "syslog.syslog",
    }
)


class KeptFromGoing(Exception):
    """The way leads where nothing may be sent."""


class Guard:
    """What is asked before each connection; ``refused`` says what was kept from happening."""

    def __init__(self, networks: list[Network]) -> None:
        self.networks = networks
        self.proxies = _proxies()
        self.refused = ""
        self.looked_at = 0

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event in _NEVER:
            self._refuse("It would start a program, which is never done.")
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            self._look_at(args[-1])

    def _look_at(self, where: Any) -> None:
        if not isinstance(where, tuple):
            self._refuse("It leads to a socket of this machine.")
            return
        try:
            address = ipaddress.ip_address(str(where[0]).split("%")[0])
        except ValueError:
            return  # a name: it is looked up, and its address comes here
        self.looked_at += 1
        if address in self.proxies:
            return
        is_ours = any(address in network for network in self.networks)
        if never_asked(address) or not (is_ours or is_public(address)):
            self._refuse(
                f"It leads to {address}, which is not of the internet. Name its network in "
                "HOTSWAP_WEBHOOK_NETWORKS if it is yours."
            )

    def _refuse(self, why: str) -> None:
        self.refused = why
        raise KeptFromGoing(why)


def _proxies() -> set[Address]:
    """Return the addresses of the proxies that the environment names: the operator's own."""
    found: set[Address] = set()
    for url in urllib.request.getproxies().values():
        host = urlsplit(url).hostname or ""
        with contextlib.suppress(OSError, ValueError):
            found |= set(addresses_of(host, 0))
    return found


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    asked = json.load(sys.stdin)
    print(json.dumps(_send(asked)))  # noqa: T201  (its answer)


def _send(asked: dict[str, Any]) -> dict[str, Any]:
    import logging

    import apprise
    import requests.adapters

    logging.disable()  # its log may hold what a stranger's server said, and parts of the address
    statuses: list[int] = []
    plain_send = requests.adapters.HTTPAdapter.send

    def send(*args: Any, **kwargs: Any) -> Any:
        answer = plain_send(*args, **kwargs)
        statuses.append(answer.status_code)
        return answer

    requests.adapters.HTTPAdapter.send = send  # type: ignore[method-assign]
    asset = apprise.AppriseAsset(app_id="Hotswap", app_desc="Hotswap", http_redirects=False)
    way = apprise.Apprise.instantiate(asked["url"], asset=asset)
    if not isinstance(way, apprise.NotifyBase):
        return {"ok": False, "why": "Apprise can't use this address.", "permanent": True}
    way.redirects = False  # whatever the address says
    guard = Guard([ipaddress.ip_network(text) for text in asked["networks"]])
    socket.setdefaulttimeout(10)
    sys.addaudithook(guard)
    try:
        ok = bool(way.notify(body=asked["body"], title=asked["title"], body_format="text"))
    except Exception as error:
        return {"ok": False, "why": guard.refused or f"It broke off ({type(error).__name__})."}
    status = statuses[-1] if statuses else None
    if ok and not guard.looked_at:
        return {"ok": False, "why": "It reaches nobody over the network.", "permanent": True}
    if ok:
        return {"ok": True, "why": "", "status": status}
    said = f"It answered with {status}." if status else "It could not be reached, or took nothing."
    return {"ok": False, "why": guard.refused or said, "status": status}


if __name__ == "__main__":
    main()
