"""Small line charts as SVG: one a measure, one line a version, with intervals and moves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from versioning.admin import words
from versioning.admin.drawing import Scale, Tick
from versioning.domain.figure_kinds import Figure
from versioning.domain.figures import CHARTS
from versioning.services.evidence.days import DayPoint, VersionDays

WIDTH, HEIGHT = 380, 170
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 16, 22
COLOURS = 6
SAMPLES = ngettext_lazy("%(n)s sample", "%(n)s samples", "c")


@dataclass(frozen=True, slots=True)
class ChartDot:
    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Series:
    """One version: ``band`` is the outline of its intervals, empty where no day has one."""

    label: str
    colour: int
    path: str
    band: str
    dots: Sequence[ChartDot]


@dataclass(frozen=True, slots=True)
class Panel:
    """What the template draws of one measure; positions in the units of its view box."""

    name: str
    lines: Sequence[Series]
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
class Axes:
    """Where a day and a figure are drawn."""

    days: Scale
    figures: Scale

    def x(self, day: date) -> float:
        return self.days.place(day.toordinal())

    def at(self, point: DayPoint, figure: float) -> tuple[float, float]:
        return self.x(point.day), self.figures.place(figure)


def _usd_of_thousand(value: float) -> str:
    return words.usd(value * 1000) or "–"


_SAID: Mapping[str, Callable[[float], str]] = {
    "quality": lambda value: f"{value:.3f}",
    "latency": lambda value: f"{value:,.0f}",
    "cost": _usd_of_thousand,
}
"""How figures are said that are no share of requests."""


def _share(value: float) -> str:
    return f"{value:.1%}"


def draw(versions: Sequence[VersionDays], *, moves: Sequence[tuple[date, str]]) -> list[Panel]:
    """Return a panel for each measure that has a figure; ``moves`` are days and labels."""
    days = sorted(
        {point.day for each in versions for points in each.points.values() for point in points}
    )
    if not days:
        return []
    found = [
        _panel(figure, versions, moves=moves, first=days[0], last=days[-1]) for figure in CHARTS
    ]
    return [panel for panel in found if panel is not None]


def _panel(
    figure: Figure,
    versions: Sequence[VersionDays],
    *,
    moves: Sequence[tuple[date, str]],
    first: date,
    last: date,
) -> Panel | None:
    measure, say = figure.name, _SAID.get(figure.name, _share)
    points = [point for each in versions for point in each.points.get(measure, ())]
    if not points:
        return None
    axes = _axes(points, first=first, last=last, say=say)
    return Panel(
        name=figure.chart,
        lines=[
            _line(each.label, each.points[measure], colour=n % COLOURS, axes=axes, say=say)
            for n, each in enumerate(versions)
            if measure in each.points
        ],
        rows=axes.figures.ticks(say),
        columns=[
            Tick(at=axes.x(day), words=words.day_of_year(day))
            for day in dict.fromkeys((first, last))
        ],
        moves=[
            Tick(
                at=axes.x(day),
                words=_("moved to %(label)s on %(day)s")
                % {"label": label, "day": words.day_of_year(day)},
            )
            for day, label in moves
            if first <= day <= last
        ],
        table=[
            (words.day(point.day), each.label, _said(point, say), f"{point.n:,}")
            for each in versions
            for point in each.points.get(measure, ())
        ],
    )


def _axes(
    points: Sequence[DayPoint], *, first: date, last: date, say: Callable[[float], str]
) -> Axes:
    low, high = _told_apart(*_bounds(points), say=say)
    return Axes(
        days=Scale(
            low=first.toordinal(),
            high=max(last.toordinal(), first.toordinal() + 1),
            start=LEFT,
            end=WIDTH - RIGHT,
        ),
        figures=Scale(low=low, high=high, start=HEIGHT - BOTTOM, end=TOP),
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


def _told_apart(low: float, high: float, *, say: Callable[[float], str]) -> tuple[float, float]:
    """Return the ends so far apart that no two ticks say the same: not 0.0% three times."""
    while len(set(said := _said_by_ticks(low, high, say))) < len(said):
        high += high - low
    return low, high


def _said_by_ticks(low: float, high: float, say: Callable[[float], str]) -> list[str]:
    return [tick.words for tick in Scale(low=low, high=high, start=0.0, end=1.0).ticks(say)]


def _line(
    label: str,
    points: Sequence[DayPoint],
    *,
    colour: int,
    axes: Axes,
    say: Callable[[float], str],
) -> Series:
    return Series(
        label=label,
        colour=colour,
        path=" ".join(
            _path([axes.at(point, point.value) for point in run]) for run in _runs(points)
        ),
        band=_band(points, axes=axes),
        dots=[
            ChartDot(
                x=axes.x(point.day),
                y=axes.figures.place(point.value),
                words=_("%(label)s on %(day)s: %(point)s, %(samples)s")
                % {
                    "label": label,
                    "day": words.day_of_year(point.day),
                    "point": _said(point, say),
                    "samples": words.counted(point.n, SAMPLES),
                },
            )
            for point in points
        ],
    )


def _band(points: Sequence[DayPoint], *, axes: Axes) -> str:
    """Return the outline of the intervals; days without one leave a gap, as in the line."""
    sure = [point for point in points if point.low is not None and point.high is not None]
    outlines = []
    for run in _runs(sure):
        upper = [axes.at(point, point.high or 0.0) for point in run]
        lower = [axes.at(point, point.low or 0.0) for point in reversed(run)]
        if len(run) > 1:
            outlines.append(f"{_path([*upper, *lower])}Z")
    return " ".join(outlines)


def _runs(points: Sequence[DayPoint]) -> list[list[DayPoint]]:
    """Return days that follow each other: what is unknown between them stays a gap."""
    runs: list[list[DayPoint]] = []
    for point in points:
        if not runs or (point.day - runs[-1][-1].day).days > 1:
            runs.append([])
        runs[-1].append(point)
    return runs


def _path(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if n else 'M'}{x} {y}" for n, (x, y) in enumerate(places))


def _said(point: DayPoint, say: Callable[[float], str]) -> str:
    if point.low is None or point.high is None:
        return say(point.value)
    return f"{say(point.value)} ({say(point.low)} to {say(point.high)})"
