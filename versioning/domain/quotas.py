"""How often somebody may do something within a time: counted by each process for itself.

No clock and no table: the moment comes in, in seconds that only go up, and what is counted is lost
with the process. Who is counted is bounded; of too many the oldest are forgotten.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from math import ceil
from threading import Lock

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left of somebody's quota after they asked."""

    allowed: bool
    remaining: int
    reset_s: int
    """Whole seconds, 1 and up, until the quota is whole again."""


@dataclass(slots=True)
class _Window:
    ends: float
    count: int = 0
    distinct: set[Hashable] = field(default_factory=set)


class Quota:
    """At most ``most`` within each window of ``seconds``, for everybody by themselves.

    A window begins with the first that is counted in it.
    """

    def __init__(self, *, most: int, seconds: int) -> None:
        self.most = most
        self.seconds = seconds
        self._lock = Lock()
        self._windows: OrderedDict[Hashable, _Window] = OrderedDict()

    def take(self, who: Hashable, *, at: float) -> Taken:
        """Count one; one that is not allowed counts for nothing."""
        with self._lock:
            window = self._window(who, at=at)
            allowed = window.count < self.most
            window.count += allowed
            return self._taken(window, allowed=allowed, at=at)

    def take_distinct(self, who: Hashable, what: Hashable, *, at: float) -> Taken:
        """Count one unless the same was counted in this window."""
        with self._lock:
            window = self._window(who, at=at)
            if what not in window.distinct and window.count < self.most:
                window.distinct.add(what)
                window.count += 1
            return self._taken(window, allowed=window.count < self.most, at=at)

    def left(self, who: Hashable, *, at: float) -> Taken:
        """Return what is left, without counting."""
        with self._lock:
            window = self._windows.get(who)
            if window is None or window.ends <= at:
                return Taken(True, self.most, self.seconds)
            return self._taken(window, allowed=window.count < self.most, at=at)

    def forget(self) -> None:
        """Begin anew for everybody."""
        with self._lock:
            self._windows.clear()

    def _window(self, who: Hashable, *, at: float) -> _Window:
        window = self._windows.get(who)
        if window is None or window.ends <= at:
            self._windows.pop(who, None)  # to the end: the oldest stand first
            window = self._windows[who] = _Window(ends=at + self.seconds)
            if len(self._windows) > MOST_COUNTED:
                self._windows.popitem(last=False)
        return window

    def _taken(self, window: _Window, *, allowed: bool, at: float) -> Taken:
        return Taken(allowed, self.most - window.count, max(1, ceil(window.ends - at)))
