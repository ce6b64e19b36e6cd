"""Carry packets between two interfaces, late, and not all: ``python -m ... INNER OUTER``.

Reads orders a line: seconds of delay each way, and the share that is lost.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
MTU = 65536


def tap(name: str) -> int:
    """Make an interface whose packets come here; it goes with this process."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TAP | IFF_NO_PI))
    return end


def main(inner: str, outer: str) -> None:
    """Carry on until there are no more orders to come."""
    ends = tap(inner), tap(outer)
    other = dict(zip(ends, reversed(ends), strict=True))
    dice = random.Random(1)
    delay_s = loss = 0.0
    late: list[tuple[float, int, int, bytes]] = []
    number = 0
    os.set_blocking(sys.stdin.fileno(), False)
    print("ready", flush=True)  # noqa: T201
    while True:
        wait_s = max(0.0, late[0][0] - time.monotonic()) if late else None
        ready, _, _ = select.select([*ends, sys.stdin.fileno()], [], [], wait_s)
        if sys.stdin.fileno() in ready:
            order = os.read(sys.stdin.fileno(), 1000)
            if not order:
                return
            delay_s, loss = map(float, order.decode().splitlines()[-1].split())
        for end in ends:
            if end in ready and (packet := os.read(end, MTU)) and dice.random() >= loss:
                number += 1
                heapq.heappush(late, (time.monotonic() + delay_s, number, other[end], packet))
        while late and late[0][0] <= time.monotonic():
            _, _, end, packet = heapq.heappop(late)
            send(end, packet)


def send(end: int, packet: bytes) -> None:
    """Give a packet to an interface; one that is down, or full, loses it."""
    try:
        os.write(end, packet)
    except OSError:
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
