"""What other installed packages add, found by entry point; one that fails costs only itself."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

logger = logging.getLogger(__name__)

ADAPTERS = "hotswap.adapters"
SCORERS = "hotswap.scorers"


class Unfit(ValueError):
    """What an entry point leads to can't be used; the end of a sentence about it."""


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """An entry point that can't be used, and why."""

    package: str
    entry_point: str
    why: str

    def __str__(self) -> str:
        return (
            f"The plug-in {self.package} can't be used: {self.entry_point} {self.why}. "
            "All else works. Install a release of it that fits, or remove it."
        )


_broken: dict[EntryPoint, BrokenPlugin] = {}


def take_all(group: str, take: Callable[[Any], None]) -> None:
    """Give ``take`` what each entry point of the group leads to, in the order of their names.

    What can't be imported, or what ``take`` raises for (Unfit says why), is noted, not raised.
    """
    for point in sorted(entry_points(group=group), key=lambda point: (_package(point), point.name)):
        _broken.pop(point, None)
        try:
            take(point.load())
        except (Exception, SystemExit) as error:
            why = str(error) if isinstance(error, Unfit) else _of(error)
            broken = _broken[point] = BrokenPlugin(_package(point), f"{group}: {point.name}", why)
            logger.warning("%s", broken)


def broken() -> tuple[BrokenPlugin, ...]:
    """Return what could not be used of all that was taken so far."""
    return tuple(_broken.values())


def _of(error: BaseException) -> str:
    said = " ".join(str(error).split())[:200]
    return f"raised {type(error).__name__}" + (f" ({said})" if said else "")


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value
