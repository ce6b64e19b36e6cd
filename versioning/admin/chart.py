"""Small line charts as SVG: one a measure, one line a version, with intervals and moves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from versioning.admin import words
from versioning.services.evidence.days import DayPoint, Measure, VersionDays

WIDTH, HEIGHT = 380, 170
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 16, 22
COLOURS = 6


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """One version: ``band`` is the outline of its intervals, empty where no day has one."""

    label: str
    colour: int
    path: str
    band: str
    dots: Sequence[Dot]


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What the template draws of one measure; positions in the units of its view box."""

    name: str
    lines: Sequence[Line]
    rows: Sequence[Tick]
    columns: Sequence[Tick]
    moves: Sequence[Tick]
    table: Sequence[tuple[str, str, str, str]]
    """Day, version, figure with its interval, and how many samples: the same in words."""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class Scale:
    """From days and figures to places."""

    first: date
    days: int
    low: float
    high: float

    def x(self, day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - self.first).days / self.days, 1)

    def y(self, value: float) -> float:
        share = (self.high - value) / (self.high - self.low)
        return round(TOP + (HEIGHT - TOP - BOTTOM) * min(1.0, max(0.0, share)), 1)


def _usd_of_thousand(value: float) -> str:
    return words.usd(value * 1000) or "–"


NAMES: Mapping[Measure, tuple[str, Callable[[float], str]]] = {
    Measure.QUALITY: ("Quality, 0 to 1", lambda value: f"{value:.3f}"),
    Measure.ERRORS: ("Errors, share of requests", lambda value: f"{value:.1%}"),
    Measure.LATENCY: ("Latency p95, ms", lambda value: f"{value:,.0f}"),
    Measure.COST: ("Cost of 1,000 requests, USD", _usd_of_thousand),
}


def draw(versions: Sequence[VersionDays], *, moves: Sequence[tuple[date, str]]) -> list[Panel]:
    """Return a panel for each measure that has a figure; ``moves`` are days and labels."""
    days = sorted(
        {point.day for each in versions for points in each.points.values() for point in points}
    )
    if not days:
        return []
    found = [
        _panel(measure, versions, moves=moves, first=days[0], last=days[-1]) for measure in Measure
    ]
    return [panel for panel in found if panel is not None]


def _panel(
    measure: Measure,
    versions: Sequence[VersionDays],
    *,
    moves: Sequence[tuple[date, str]],
    first: date,
    last: date,
) -> Panel | None:
    name, say = NAMES[measure]
    points = [point for each in versions for point in each.points.get(measure, ())]
    if not points:
        return None
    low, high = _bounds(points)
    scale = Scale(first=first, days=max(1, (last - first).days), low=low, high=high)
    return Panel(
        name=name,
        lines=[
            _line(each.label, each.points[measure], colour=n % COLOURS, scale=scale, say=say)
            for n, each in enumerate(versions)
            if measure in each.points
        ],
        rows=[Tick(at=scale.y(value), words=say(value)) for value in (low, (low + high) / 2, high)],
        columns=[
            Tick(at=scale.x(day), words=f"{day:%-d %b}") for day in dict.fromkeys((first, last))
        ],
        moves=[
            Tick(at=scale.x(day), words=f"moved to {label} on {day:%-d %b}")
            for day, label in moves
            if first <= day <= last
        ],
        table=[
            (words.day(point.day), each.label, _said(point, say), f"{point.n:,}")
            for each in versions
            for point in each.points.get(measure, ())
        ],
    )


def _bounds(points: Sequence[DayPoint]) -> tuple[float, float]:
    """Return the ends of the scale: the figures with some room, and what their intervals need.

    An interval of a day with few samples may be far wider than all figures: it is cut then.
    """
    values = [point.value for point in points]
    low, high = min(values), max(values)
    room = max((high - low) * 0.5, abs(high) * 0.02, 1e-9)
    lows = [point.low for point in points if point.low is not None]
    highs = [point.high for point in points if point.high is not None]
    low = max(min([low, *lows]), low - 2 * room)
    high = min(max([high, *highs]), high + 2 * room)
    return (low, high) if high > low else (low - room, high + room)


def _line(
    label: str,
    points: Sequence[DayPoint],
    *,
    colour: int,
    scale: Scale,
    say: Callable[[float], str],
) -> Line:
    dots = [
        Dot(
            x=scale.x(point.day),
            y=scale.y(point.value),
            words=f"{label} on {point.day:%-d %b}: {_said(point, say)}, {point.n:,} samples",
        )
        for point in points
    ]
    sure = [point for point in points if point.low is not None and point.high is not None]
    upper = [(scale.x(point.day), scale.y(point.high or 0.0)) for point in sure]
    lower = [(scale.x(point.day), scale.y(point.low or 0.0)) for point in reversed(sure)]
    return Line(
        label=label,
        colour=colour,
        path=" ".join(_path(part) for part in _runs(points, dots)),
        band=f"{_path([*upper, *lower])}Z" if len(sure) > 1 else "",
        dots=dots,
    )


def _runs(points: Sequence[DayPoint], dots: Sequence[Dot]) -> list[list[tuple[float, float]]]:
    """Return the places of days that follow each other: what is unknown between stays a gap."""
    runs: list[list[tuple[float, float]]] = []
    last: date | None = None
    for point, dot in zip(points, dots, strict=True):
        if last is None or (point.day - last).days > 1:
            runs.append([])
        runs[-1].append((dot.x, dot.y))
        last = point.day
    return runs


def _path(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if n else 'M'}{x} {y}" for n, (x, y) in enumerate(places))


def _said(point: DayPoint, say: Callable[[float], str]) -> str:
    if point.low is None or point.high is None:
        return say(point.value)
    return f"{say(point.value)} ({say(point.low)} to {say(point.high)})"
