"""Documents kept in this process, so that a large one is only fetched when it changed."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer as it came, with the headers that identify it."""

    body: bytes
    headers: Mapping[str, str]

    def conditions(self) -> dict[str, str]:
        """Return the request headers that mean: only if it is not this one."""
        pairs = (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified"))
        return {asked: self.headers[told] for asked, told in pairs if told in self.headers}


class Shelf:
    """The few documents that were read last, by address; safe to use from threads."""

    def __init__(self, *, places: int = 4) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._items: OrderedDict[str, Remembered] = OrderedDict()

    def get(self, url: str) -> Remembered | None:
        with self._lock:
            return self._items.get(url)

    def keep(self, url: str, item: Remembered) -> None:
        """Keep the item if the server gave a way to ask for its changes."""
        with self._lock:
            self._items.pop(url, None)
            if item.conditions():
                self._items[url] = item
            while len(self._items) > self._places:
                self._items.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._items.clear()


remembered = Shelf()
