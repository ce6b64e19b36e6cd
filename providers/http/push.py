"""News for an address that somebody typed: sent once, followed nowhere, only where it may go."""

import contextlib
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import requests

from providers.base import Nonsense
from providers.http.addresses import (
    Address,
    Network,
    addresses_of,
    is_public,
    never_asked,
    origin,
)
from providers.http.transport import NAME_UNANSWERED, NoReply, Reply, exchange, new_session, only_to

CONNECT_S = 5.0
TOTAL_S = 15.0
"""Whoever takes longer to say "thank you" does its work before it answers: it shall do it after."""

LONGEST_S = CONNECT_S + TOTAL_S
"""With the name's look-up before it."""

MAX_BYTES = 64 * 1024


def push(
    url: str, body: bytes, *, headers: Mapping[str, str], networks: Sequence[Network]
) -> Reply | NoReply:
    """POST a body of JSON once, and return what came; a redirect is an answer like any other.

    The address that the name stands for is looked at, and connected to: one that is not of the
    internet is asked only in one of ``networks``, one that hands out credentials never, and what
    goes over the internet goes by https. Raises Nonsense where it must not be asked, or answers
    with more than 64 KiB. A proxy that the environment names connects by itself: then the
    address is looked at here before, and what the proxy makes of the name is up to it.
    """
    host = urlsplit(url).hostname or ""
    is_secure = urlsplit(url).scheme == "https"

    def check(address: Address) -> None:
        is_ours = any(address in network for network in networks)
        if never_asked(address) or not (is_ours or is_public(address)):
            raise Nonsense(
                f"{host} leads to {address}, which is not of the internet. Name its network in "
                "HOTSWAP_WEBHOOK_NETWORKS if it is yours."
            )
        if not (is_secure or is_ours):
            raise Nonsense(f"{host} is reached over the internet: use https.")

    try:
        for address in _looked_up(url):
            check(address)
    except TimeoutError:
        return NAME_UNANSWERED
    sent = {"Content-Type": "application/json", "User-Agent": "hotswap", **headers}
    request = requests.Request("POST", url, headers=sent, data=body).prepare()
    with only_to(check), contextlib.closing(new_session()) as session:
        return exchange(
            session,
            request,
            connect_s=CONNECT_S,
            read_s=TOTAL_S,
            total_s=TOTAL_S,
            max_bytes=MAX_BYTES,
        )


def _looked_up(url: str) -> list[Address]:
    """Return the addresses of a URL's host. Raises TimeoutError where nobody says them in time."""
    _, host, port = origin(url)
    try:
        return addresses_of(host or "", port or 0, within_s=CONNECT_S)
    except TimeoutError:
        raise
    except OSError:
        return []  # connecting says what is wrong with the name
