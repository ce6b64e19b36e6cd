"""Hosts on one bridge, each in a network namespace, with cables that can be cut or be slow.

Needs root and iproute2. What a cut swallows is dropped without a word, as a broken switch does it.
"""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar

from tests.config.conftest import ROOT

T = TypeVar("T")
NET = "198.18.0"
"""Of the block that RFC 2544 keeps for tests of networks: no route leads there from elsewhere."""

CLONE_NEWNET = 0x40000000
END_WITH_PARENT = ROOT / "config/end_with_parent.py"


def missing() -> str:
    """Say why there can be no hosts here; empty where there can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "needs root on Linux, for network namespaces"
    if not all(map(shutil.which, ("ip", "tc", "nsenter"))):
        return "needs ip, tc and nsenter (iproute2, util-linux)"
    name = f"hs{os.getpid()}-try"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        return "needs network namespaces, which this kernel or container doesn't give"
    _do("ip", "netns", "del", name)
    return ""


def wait_until(
    is_so: Callable[[], object],
    what: str,
    *,
    within_s: float = 60,
    or_say: Callable[[], str] = str,
) -> float:
    """Wait for something that hosts do, and return how long it took, in seconds.

    The test fails where it takes longer, with what ``or_say`` finds out then.
    """
    began = time.monotonic()
    while not is_so():
        took = time.monotonic() - began
        assert took < within_s, f"{what}: not after {within_s:g} s. {or_say()}"
        time.sleep(0.05)
    return time.monotonic() - began


class Host:
    """A machine: what runs in it sees its own network alone."""

    def __init__(self, network: "Network", name: str, number: int, *, slow: bool) -> None:
        self.name = name
        self.address = f"{NET}.{number}"
        self._bridge = network.bridge
        self._namespace = f"{network.mark}-{name}"
        self._cable = f"{network.mark}c{number}"
        self._filters = 0
        self._started: list[subprocess.Popen[bytes]] = []
        _do("ip", "netns", "add", self._namespace)
        if slow:
            self.cable: SlowCable | None = SlowCable(self._cable, self._namespace)
        else:
            self.cable = None
            here = ("ip", "link", "add", self._cable, "type", "veth", "peer", "name", "eth0")
            _do(*here, "netns", self._namespace)
        _do("ip", "link", "set", self._cable, "master", network.bridge, "up")
        self._ip("link", "set", "lo", "up")
        self._ip("addr", "add", f"{self.address}/24", "dev", "eth0")
        self._ip("link", "set", "eth0", "up")
        # Where packets go that a cut swallows: it is never up.
        self._ip("link", "add", "hole", "type", "ifb")
        self._tc("qdisc", "add", "dev", "eth0", "clsact")

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        output: Path,
        *,
        folder: Path = ROOT,
    ) -> subprocess.Popen[bytes]:
        """Start a program in a folder; it ends with the tests, whatever becomes of them."""
        bound = [sys.executable, "-I", "-S", str(END_WITH_PARENT), str(os.getpid())]
        with output.open("ab") as file:
            process = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{self._namespace}", *bound, *command],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def inside(self, do: Callable[[], T]) -> T:
        """Do something in a thread that sees this host's network; its sockets stay there."""
        found: list[T] = []
        thread = self.thread(lambda: found.append(do()))
        thread.join()
        return found[0]

    def thread(self, do: Callable[[], object]) -> threading.Thread:
        """Start a thread that sees this host's network, as all that it opens does."""

        def enter() -> None:
            with open(f"/run/netns/{self._namespace}") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            do()

        thread = threading.Thread(target=enter, daemon=True)
        thread.start()
        return thread

    def processes(self) -> list[int]:
        return [int(pid) for pid in _do("ip", "netns", "pids", self._namespace).split()]

    def kill(self) -> None:
        """Take the power away: all that runs here ends at once. Its connections are reset."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self._started:
            process.wait()
        self._started.clear()

    def unplug(self) -> None:
        """Pull the cable out: nobody hears of this host again, not even that it is gone."""
        _do("ip", "link", "set", self._cable, "down")

    def plug_in(self) -> None:
        _do("ip", "link", "set", self._cable, "up")

    def stop_sending_to(self, other: "Host") -> None:
        """Swallow what this host sends to another; what the other sends still comes."""
        self._filters += 1
        rule = ("filter", "add", "dev", "eth0", "egress", "protocol", "ip")
        match = ("u32", "match", "ip", "dst", f"{other.address}/32")
        hole = ("action", "mirred", "egress", "redirect", "dev", "hole")
        self._tc(*rule, "prio", str(self._filters), *match, *hole)

    def mend(self) -> None:
        """Let all that it sends through again."""
        if self._filters:
            self._tc("filter", "del", "dev", "eth0", "egress")
            self._filters = 0

    def remove(self) -> None:
        self.kill()
        if self.cable is not None:
            self.cable.close()
        _do("ip", "netns", "del", self._namespace)

    def _ip(self, *arguments: str) -> None:
        _do("ip", "-n", self._namespace, *arguments)

    def _tc(self, *arguments: str) -> None:
        _do("tc", "-n", self._namespace, *arguments)


class SlowCable:
    """A cable through a program that may delay each packet, and lose some.

    The kernels of small machines come without netem, which would do the same.
    """

    def __init__(self, outer: str, namespace: str) -> None:
        inner = f"{outer}i"
        command = [sys.executable, "-m", "tests.hosts.slow_cable", inner, outer]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        _do("ip", "link", "set", inner, "netns", namespace)
        _do("ip", "-n", namespace, "link", "set", inner, "name", "eth0")

    def be(self, *, delay_s: float, loss: float) -> None:
        """Delay each packet by so much each way, and lose such a share of them."""
        orders: IO[str] | None = self._process.stdin
        assert orders is not None
        orders.write(f"{delay_s} {loss}\n")
        orders.flush()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Network:
    """All hosts; ``with Network() as network: web = network.host("web1")``."""

    def __init__(self) -> None:
        self.mark = f"hs{os.getpid()}"
        self.bridge = f"{self.mark}b"
        self.hosts: list[Host] = []

    def __enter__(self) -> "Network":
        _sweep()
        _do("ip", "link", "add", self.bridge, "type", "bridge")
        _do("ip", "addr", "add", f"{NET}.1/24", "dev", self.bridge)
        _do("ip", "link", "set", self.bridge, "up")
        return self

    def host(self, name: str, *, slow: bool = False) -> Host:
        """Return a new host; ``slow``: its cable can be made so (SlowCable)."""
        host = Host(self, name, 10 + len(self.hosts), slow=slow)
        self.hosts.append(host)
        return host

    def cut(self, one: Host, other: Host) -> None:
        """Cut what lies between two hosts, both ways."""
        one.stop_sending_to(other)
        other.stop_sending_to(one)

    def mend(self) -> None:
        for host in self.hosts:
            host.mend()

    def __exit__(self, *error: object) -> None:
        for host in self.hosts:
            host.remove()
        _do("ip", "link", "del", self.bridge)


def _sweep() -> None:
    """Remove the hosts that tests left which were killed: they have the same addresses."""
    for found in re.finditer(r"^hs(\d+)-\w+", _do("ip", "netns", "list"), re.MULTILINE):
        if not Path(f"/proc/{found[1]}").exists():
            for pid in _do("ip", "netns", "pids", found[0]).split():
                os.kill(int(pid), signal.SIGKILL)
            _do("ip", "netns", "del", found[0])
    bridges = _do("ip", "-brief", "link", "show", "type", "bridge")
    for found in re.finditer(r"^hs(\d+)b", bridges, re.MULTILINE):
        if not Path(f"/proc/{found[1]}").exists():
            _do("ip", "link", "del", found[0])


def _do(*command: str) -> str:
    """Run a command; return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
