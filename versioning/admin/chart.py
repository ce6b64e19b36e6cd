"""A small line chart as SVG: quality day by day, one line for each version."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor

from versioning.services.evidence.performance import QualityLine

WIDTH, HEIGHT = 720, 200
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 12, 24
COLOURS = 6


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    colour: int
    path: str
    dots: Sequence[Dot]


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws; all positions in the units of its view box."""

    lines: Sequence[Line]
    rows: Sequence[Tick]
    columns: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def draw(lines: Sequence[QualityLine]) -> Chart | None:
    """Return the chart, None where there is nothing to draw."""
    days = sorted({point.day for line in lines for point in line.days})
    if not days:
        return None
    values = [point.mean for line in lines for point in line.days]
    low, high = _bounds(min(values), max(values))
    first, span = days[0], max(1, (days[-1] - days[0]).days)

    def x(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / span, 1)

    def y(mean: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - mean) / (high - low), 1)

    return Chart(
        lines=[
            _line(line, colour=index % COLOURS, x=x, y=y)
            for index, line in enumerate(line for line in lines if line.days)
        ],
        rows=[Tick(at=y(value), words=f"{value:.2f}") for value in (low, (low + high) / 2, high)],
        columns=[
            Tick(at=x(day), words=f"{day:%-d %b}") for day in dict.fromkeys((first, days[-1]))
        ],
    )


def _bounds(low: float, high: float) -> tuple[float, float]:
    """Return tenths around the values, so that small ripples don't look like storms."""
    bottom, top = floor(low * 10) / 10, ceil(high * 10) / 10
    return (bottom, top) if top > bottom else (max(0.0, bottom - 0.1), bottom + 0.1)


def _line(
    line: QualityLine, *, colour: int, x: Callable[[date], float], y: Callable[[float], float]
) -> Line:
    dots = [
        Dot(
            x=x(point.day),
            y=y(point.mean),
            words=f"{line.label} on {point.day:%-d %b}: {point.mean:.3f} ({point.n:,} scores)",
        )
        for point in line.days
    ]
    path = " ".join(f"{'L' if index else 'M'}{dot.x} {dot.y}" for index, dot in enumerate(dots))
    return Line(label=line.label, colour=colour, path=path, dots=dots)
