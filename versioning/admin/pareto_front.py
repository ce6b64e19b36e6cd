"""Quality against cost, and the front that nothing beats in both.

Places across are per cent and places up are pixels, so marks and letters keep their size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.translation import gettext as _

from versioning.admin import words
from versioning.admin.drawing import Scale, Tick

HEIGHT, TOP, BOTTOM = 260, 14, 34
LEFT, RIGHT = 4.0, 86.0
"""Per cent of the width where the scale of costs begins and ends."""

MANY_TIMES = 10
"""From here on equal steps are equal ratios: cheap ones would lie on one heap otherwise."""


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """A version: USD of a success, quality from 0 to 1 with its interval; None is unknown."""

    name: str
    label: str
    cost: float | None
    quality: float | None
    low: float | None
    high: float | None
    href: str


@dataclass(frozen=True, slots=True)
class PlacedPoint:
    """A dot in its place: per cent across, pixels from the top."""

    x: float
    y: float
    top: float
    bottom: float
    label: str
    words: str
    href: str
    is_best: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """What the template draws; ``left_out`` is what has no place, for lack of a figure."""

    marks: Sequence[PlacedPoint]
    front: Sequence[tuple[PlacedPoint, PlacedPoint]]
    rows: Sequence[Tick]
    columns: Sequence[Tick]
    left_out: Sequence[str]
    is_log: bool
    height: int = HEIGHT
    bottom: int = HEIGHT - BOTTOM


def draw(dots: Sequence[FrontPoint]) -> Plot | None:
    """Return the plot; None where nothing has both a cost and a quality."""
    known = [
        (dot, dot.cost, dot.quality)
        for dot in dots
        if dot.cost is not None and dot.quality is not None
    ]
    if not known:
        return None
    costs = _of_costs([cost for _, cost, _ in known])
    ends = [end for dot, _, quality in known for end in (dot.low, quality, dot.high)]
    qualities = _of_qualities([end for end in ends if end is not None])
    best = unbeaten([(cost, quality) for _, cost, quality in known])
    marks = [
        PlacedPoint(
            x=costs.place(cost),
            y=qualities.place(quality),
            top=qualities.place(quality if dot.high is None else dot.high),
            bottom=qualities.place(quality if dot.low is None else dot.low),
            label=dot.label,
            words=_("%(dot_name)s: quality %(quality)s, %(cost)s a success")
            % {"dot_name": dot.name, "quality": f"{quality:.2f}", "cost": words.usd(cost)},
            href=dot.href,
            is_best=(cost, quality) in best,
        )
        for dot, cost, quality in known
    ]
    line = sorted((mark for mark in marks if mark.is_best), key=lambda mark: mark.x)
    return Plot(
        marks=marks,
        front=list(pairwise(line)),
        rows=qualities.ticks(lambda quality: f"{quality:.2f}"),
        columns=costs.ticks(lambda cost: words.usd(cost) or ""),
        is_log=costs.is_log,
        left_out=[dot.name for dot in dots if dot.cost is None or dot.quality is None],
    )


def unbeaten(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the (cost, quality) that no other beats in one without losing in the other."""
    found: list[tuple[float, float]] = []
    for cost, quality in sorted(places, key=lambda place: (place[0], -place[1])):
        if not found or quality > found[-1][1]:
            found.append((cost, quality))
    return found


def _of_costs(costs: Sequence[float]) -> Scale:
    """Return the scale of costs: from nothing, or by ratios where these are large."""
    least, most = min(costs), max(costs)
    is_log = least > 0 and most / least > MANY_TIMES
    return Scale(
        low=least if is_log else 0.0, high=most or 1.0, start=LEFT, end=RIGHT, is_log=is_log
    )


def _of_qualities(values: Sequence[float]) -> Scale:
    """Return the scale of quality, whose ends are at least a tenth apart."""
    low, high = min(values), max(values)
    room = max(0.0, 0.1 - (high - low)) / 2
    return Scale(low=low - room, high=high + room, start=HEIGHT - BOTTOM, end=TOP)
