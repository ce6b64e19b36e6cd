"""How soon a connection to database or queue is given up whose other end says nothing any more.

TCP alone waits for a quarter of an hour where something was sent, and for ever where nothing was.
A busy server is not silent: its kernel answers for it, so no query is cut off for being slow.
"""

import socket
from typing import Any

PROBES = 3
"""Unanswered ones in a row that make a silent connection a lost one."""


def reach_within(*, seconds: int) -> int:
    """Return how long, in seconds, a new connection may take where the whole patience is this."""
    return max(2, seconds // 4)


def of_postgres(*, seconds: int) -> dict[str, int]:
    """Return libpq's options for a connection that is lost after so many silent seconds."""
    idle, interval = _keepalives(seconds)
    return {
        "connect_timeout": reach_within(seconds=seconds),
        "keepalives_idle": idle,
        "keepalives_interval": interval,
        "keepalives_count": PROBES,
        "tcp_user_timeout": seconds * 1000,
    }


def on_the_server(*, seconds: int) -> str:
    """Return the SQL by which PostgreSQL gives up a client as soon as the client would it.

    Else what a vanished machine had locked stays locked for hours.
    """
    idle, interval = _keepalives(seconds)
    return (
        f"SET tcp_keepalives_idle = {idle}; SET tcp_keepalives_interval = {interval}; "
        f"SET tcp_keepalives_count = {PROBES}; SET tcp_user_timeout = {seconds * 1000}"
    )


def of_broker(url: str, *, seconds: int) -> dict[str, Any]:
    """Return the options of Celery's transport for the queue's URL."""
    names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    values = (*_keepalives(seconds), PROBES, seconds * 1000)
    # macOS and Windows have some of them.
    options = {
        getattr(socket, name): value
        for name, value in zip(names, values, strict=True)
        if hasattr(socket, name)
    }
    if url.startswith("amqp"):
        return {"socket_settings": options}
    return {
        "socket_connect_timeout": reach_within(seconds=seconds),
        "socket_timeout": seconds,
        "socket_keepalive": True,
        "socket_keepalive_options": options,
        "health_check_interval": max(1, seconds // 2),
    }


def _keepalives(seconds: int) -> tuple[int, int]:
    """Return after how many silent seconds a first probe is sent, and how far apart the others."""
    interval = max(1, seconds // (2 * PROBES))
    return max(1, seconds - PROBES * interval), interval
