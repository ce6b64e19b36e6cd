"""Charts day by day: all within the picture, the moves marked, the same said as a table."""

import datetime as dt
import re
from itertools import pairwise

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import tracked
from tests.versioning.admin.pages import text
from versioning.admin import chart
from versioning.admin.chart import HEIGHT, WIDTH
from versioning.admin.drawing import Scale
from versioning.services.evidence.days import DayPoint, VersionDays
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

DAY = dt.date(2026, 11, 1)
points = st.builds(
    lambda day, value, less, more, known: DayPoint(
        day=DAY + dt.timedelta(day),
        value=value,
        low=value - less if known else None,
        high=value + more if known else None,
        n=9,
    ),
    st.integers(0, 59), st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.booleans(),
)  # fmt: skip


@given(st.lists(points, min_size=1, max_size=20))
def test_nothing_is_drawn_outside(found: list[DayPoint]) -> None:
    found.sort(key=lambda point: point.day)
    version = VersionDays("1.0.0", {"latency": found})
    (panel,) = chart.draw([version], moves=[(DAY - dt.timedelta(1), "0.9.0")])
    (line,) = panel.lines
    assert len(line.dots) == len(panel.table) == len(found)
    assert all(0 <= dot.x <= WIDTH and 0 <= dot.y <= HEIGHT for dot in line.dots)
    assert all(0 <= row.at <= HEIGHT for row in panel.rows)
    assert list(panel.moves) == []


def test_a_move_is_marked_on_its_day() -> None:
    found = [DayPoint(DAY + dt.timedelta(n), 0.5, None, None, 3) for n in range(3)]
    version = VersionDays("1.0.0", {"quality": found})
    (panel,) = chart.draw([version], moves=[(DAY + dt.timedelta(1), "1.1.0")])
    assert [move.words for move in panel.moves] == ["moved to 1.1.0 on 2 Nov"]
    assert panel.lines[0].band == ""


def test_nothing_measured_draws_nothing() -> None:
    assert chart.draw([], moves=[]) == []


def test_the_model_s_page_has_a_chart_and_its_table(viewer: Client) -> None:
    model = tracked(name="writer", upstream_id="w-1", provider__slug="acme")
    now = timezone.now()
    samples = [
        SampleIn(provider="acme", model="writer", time=now, quality=0.25 * (n % 3), latency_ms=80)
        for n in range(30)
    ]
    ingestion.accept(samples, api_key_id=1, now=now)
    address = reverse("admin:versioning_trackedmodel_change", args=[model.pk])
    page = text(viewer.get(address))
    for name in ("Quality, 0 to 1", "Errors, share of requests", "Latency p95, ms"):
        assert f'aria-label="{name}' in page
        assert f'<caption class="hs-strong">{name}</caption>' in page
    assert "Cost of 1,000 requests" not in page
    assert "0.250 (" in page


def test_days_without_samples_are_gaps() -> None:
    found = [DayPoint(DAY + dt.timedelta(n), 0.5, None, None, 3) for n in (0, 1, 4)]
    (panel,) = chart.draw([VersionDays("1.0.0", {"quality": found})], moves=[])
    assert panel.lines[0].path.count("M") == 2
    assert panel.lines[0].path.count("L") == 1


def test_days_without_intervals_are_gaps_in_the_band() -> None:
    known = {0: True, 1: True, 2: False, 3: True, 4: True, 8: True, 9: True, 12: True}
    found = [
        DayPoint(DAY + dt.timedelta(n), 0.5, *((0.4, 0.6) if each else (None, None)), 3)
        for n, each in known.items()
    ]
    (panel,) = chart.draw([VersionDays("1.0.0", {"quality": found})], moves=[])
    outlines = panel.lines[0].band.split("Z")[:-1]
    places = {dot.x: day for dot, day in zip(panel.lines[0].dots, known, strict=True)}
    covered = [
        {places[float(x)] for x in re.findall(r"[ML](\S+) ", outline)} for outline in outlines
    ]
    assert covered == [{0, 1}, {3, 4}, {8, 9}]


def test_range_and_task_stand_in_the_address(viewer: Client) -> None:
    model = tracked(name="writer", upstream_id="w-1", provider__slug="acme")
    now = timezone.now()
    for task, ago in (("old & rare", 20), ("extract", 2)):
        sample = SampleIn(
            provider="acme", model="writer", task=task, quality=0.5,
            time=now - dt.timedelta(days=ago),
        )  # fmt: skip
        ingestion.accept([sample] * 5, api_key_id=1, now=now)
    address = reverse("admin:versioning_trackedmodel_change", args=[model.pk])

    def page(**query: str) -> str:
        return text(viewer.get(address, query))

    assert 'aria-label="Quality' in page(task="old & rare", days="30")
    assert "No samples of “old &amp; rare” in the last 7 days." in page(task="old & rare", days="7")
    assert '<option value="extract" selected>' in page(task="extract", days="x")
    assert '<option value="30" selected>' in page(days="1000000")


@given(st.sampled_from(["quality", "errors", "latency", "cost"]), st.floats(0, 1e4))
def test_ticks_can_be_told_apart(measure: str, value: float) -> None:
    found = [DayPoint(DAY + dt.timedelta(n), value, None, None, 3) for n in range(3)]
    (panel,) = chart.draw([VersionDays("1.0.0", {measure: found})], moves=[])
    said = [row.words for row in panel.rows]
    assert 2 <= len(set(said)) == len(said) <= 6, said


@given(st.floats(-1e3, 1e3), st.floats(1e-4, 1e6))
def test_ticks_are_round_figures_within(low: float, span: float) -> None:
    scale = Scale(low=low, high=low + span, start=0.0, end=100.0)
    figures = [float(tick.words) for tick in scale.ticks(repr)]
    assert 2 <= len(figures) <= 6
    assert all(low - 1e-9 <= figure <= low + span + 1e-9 for figure in figures)
    steps = {f"{after - before:.0e}"[0] for before, after in pairwise(figures)}
    assert steps <= {"1", "2", "5"}, figures


@given(st.floats(1e-9, 1e3), st.floats(10.1, 1e12))
def test_ticks_of_ratios_are_round_figures_within(low: float, ratio: float) -> None:
    scale = Scale(low=low, high=low * ratio, start=0.0, end=100.0, is_log=True)
    figures = [float(tick.words) for tick in scale.ticks(repr)]
    assert 2 <= len(figures) <= 6
    assert all(low <= figure <= low * ratio * (1 + 1e-9) for figure in figures)
    assert {f"{figure:.0e}"[0] for figure in figures} <= {"1", "2", "5"}
