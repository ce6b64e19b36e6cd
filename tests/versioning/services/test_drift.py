"""A version that changes behind its name raises a finding; one that doesn't, none."""

import datetime as dt
import random

import pytest

from tests.factories import NOW, tracked
from versioning.domain.signals import DEFAULT_WEIGHTS, Signals, pack, scored
from versioning.models import DriftFinding, RollupPart, TrackedModel, Word
from versioning.models.fields import to_ms
from versioning.services.errors import NotFound
from versioning.services.evidence import drift
from versioning.services.samples import store
from versioning.services.samples.rollup_sums import Cell, SampleRow, SampleSums, Terms
from versioning.services.samples.vocabulary import ids_of

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
TERMS = Terms(slice_of_tags={1: 1}, error_texts={1: "timeout"}, foreign=frozenset())


@pytest.fixture
def writer(db: None) -> TrackedModel:
    return tracked(name="writer", upstream_id="one", provider__slug="acme")


def days(
    writer: TrackedModel,
    *,
    count: int = 60,
    task: str = "extract",
    quality: float = 0.8,
    drop: float = 0.0,
    since: int = 8,
    seed: int = 1,
    most: int = 40,
    invalid: float | None = None,
) -> None:
    """Add so many days of samples; quality falls by ``drop`` in the last ``since`` days.

    Of requests that tell it, 2 % call tools wrongly, and in the last days as many as ``invalid``.
    """
    dice = random.Random(seed)
    parts = {}
    for ago in range(count, 0, -1):
        at = to_ms(NOW.replace(hour=3) - ago * DAY)
        mean = quality - (drop if ago <= since else 0)
        rows = [_row(at, dice, mean) for _ in range(dice.randint(30, most))]
        if invalid is not None:
            rate = invalid if ago <= since else 0.02
            rows = [row._replace(tool_call_error=dice.random() < rate) for row in rows]
        cell = Cell(
            writer.current_version_id,
            ids_of(Word.Kind.TASK, [task])[task],
            ids_of(Word.Kind.SLICE, [""])[""],
            1,
            at - at % 3_600_000,
        )
        parts[cell] = SampleSums.of_rows(rows, terms=TERMS)
    store.append_parts(parts)


def _row(at: int, dice: random.Random, mean: float) -> SampleRow:
    fields = dict.fromkeys(SampleRow._fields) | {
        "at": at,
        "version_id": 1,
        "quality": min(1, max(0, dice.gauss(mean, 0.1))),
        "latency_ms": dice.lognormvariate(6, 0.4),
        "output_tokens": dice.randrange(50, 400),
        "error_id": 1 if dice.random() < 0.02 else None,
        "route_id": 1,
        "tags_id": 1,
    }
    return SampleRow(**fields)


def test_a_silent_change_raises_a_finding_with_the_day_it_began(writer):
    days(writer, drop=0.15)

    assert drift.find_drift(now=NOW) == 1

    finding = DriftFinding.objects.get()
    assert (finding.version, finding.measure) == (writer.current_version, "quality")
    assert abs(finding.began_on - (NOW - 8 * DAY).date()) <= DAY
    assert finding.sentence.startswith("On extract: quality fell from 0.798 to 0.65")


def test_each_figure_that_is_declared_as_watched_is(writer):
    days(writer, invalid=0.3)
    assert drift.find_drift(now=NOW) == 1
    finding = DriftFinding.objects.get()
    assert finding.measure == "tool_call_error"
    assert finding.sentence.startswith("On extract: tool call errors rose from 0.0")


def test_the_same_change_is_told_once(writer):
    days(writer, drop=0.15)
    drift.find_drift(now=NOW)
    assert drift.find_drift(now=NOW + DAY) == 0
    assert DriftFinding.objects.count() == 1


def test_a_flat_series_raises_none(writer):
    for seed in range(3):
        days(writer, task=f"task {seed}", seed=seed, count=120)
    assert drift.find_drift(now=NOW) == 0


def test_another_mix_of_tasks_is_no_change_of_the_version(writer):
    """Each task stays as it was, while the worse one gets ten times the traffic."""
    days(writer, task="easy", quality=0.9)
    days(writer, task="hard", quality=0.5, seed=2)
    days(writer, task="hard", quality=0.5, seed=3, count=8, most=400)

    assert drift.find_drift(now=NOW) == 0


def test_old_changes_are_no_news(writer):
    days(writer, drop=0.15, since=40, count=100)
    assert drift.find_drift(now=NOW) == 0


def test_a_version_no_longer_in_use_is_done_with(writer):
    days(writer, drop=0.15)
    drift.find_drift(now=NOW)
    TrackedModel.objects.update(current_version=None)

    drift.find_drift(now=NOW)

    assert DriftFinding.objects.get().resolved_at == NOW


def test_staff_resolve_a_finding_once(writer):
    days(writer, drop=0.15)
    drift.find_drift(now=NOW)
    finding = DriftFinding.objects.get()

    assert drift.resolve(finding_id=finding.pk, now=NOW).resolved_at == NOW
    assert drift.resolve(finding_id=finding.pk, now=NOW + DAY).resolved_at == NOW
    with pytest.raises(NotFound):
        drift.resolve(finding_id=finding.pk + 1, now=NOW)


def test_today_is_not_read_before_it_is_over(writer):
    days(writer)
    before = RollupPart.objects.count()
    at = to_ms(NOW)
    task, whole = ids_of(Word.Kind.TASK, ["extract"]), ids_of(Word.Kind.SLICE, [""])
    cell = Cell(writer.current_version_id, task["extract"], whole[""], 1, at)
    bad = [_row(at, random.Random(5), 0.1) for _ in range(500)]
    store.append_parts({cell: SampleSums.of_rows(bad, terms=TERMS)})
    assert RollupPart.objects.count() == before + 1

    assert drift.find_drift(now=NOW) == 0


@pytest.mark.parametrize(
    ("measure", "changed"),
    [
        ("cost", {"cost_nano_usd": 4_000_000}),
        ("cost", {"error_id": 1}),
        ("reasoning", {"reasoning_tokens": 900}),
    ],
)
def test_cost_per_success_and_reasoning_are_watched(writer, measure, changed):
    dice, parts = random.Random(3), {}
    task, whole = ids_of(Word.Kind.TASK, ["extract"]), ids_of(Word.Kind.SLICE, [""])
    for ago in range(60, 0, -1):
        at = to_ms(NOW.replace(hour=3) - ago * DAY)
        rows = [
            _row(at, dice, 0.8)._replace(
                cost_nano_usd=dice.randrange(1_500_000, 2_500_000),
                reasoning_tokens=dice.randrange(0, 2),
                error_id=None,
            )
            for _ in range(60)
        ]
        if ago <= 10:
            rows[:30] = [row._replace(**changed) for row in rows[:30]]
        cell = Cell(writer.current_version_id, task["extract"], whole[""], 1, at - at % 3_600_000)
        parts[cell] = SampleSums.of_rows(rows, terms=TERMS)
    store.append_parts(parts)

    drift.find_drift(now=NOW)

    assert measure in set(DriftFinding.objects.values_list("measure", flat=True))


def test_less_feedback_is_no_drift_of_quality_and_worse_feedback_is(writer):
    """The score of all that is known would rise as feedback goes missing."""
    task, whole = ids_of(Word.Kind.TASK, ["extract"]), ids_of(Word.Kind.SLICE, [""])

    def send(*, thumbs: tuple[float, float], ups: tuple[float, float]) -> None:
        dice, parts = random.Random(4), {}
        RollupPart.objects.all().delete()
        for ago in range(60, 0, -1):
            at = to_ms(NOW.replace(hour=3) - ago * DAY)
            late = ago <= 10
            rows = []
            for _ in range(100):
                thumb = None
                if dice.random() < thumbs[late]:
                    thumb = 1.0 if dice.random() < ups[late] else -1.0
                known = Signals(valid_output=True, user_feedback=thumb)
                made = scored(
                    quality=None, signals=pack(known), failed=False, weights=DEFAULT_WEIGHTS
                )
                rows.append(_row(at, dice, 0.8)._replace(**made._asdict()))
            cell = Cell(
                writer.current_version_id, task["extract"], whole[""], 1, at - at % 3_600_000
            )
            parts[cell] = SampleSums.of_rows(rows, terms=TERMS)
        store.append_parts(parts)

    send(thumbs=(0.6, 0.2), ups=(0.5, 0.5))
    drift.find_drift(now=NOW)
    assert not DriftFinding.objects.filter(measure="quality").exists()
    send(thumbs=(0.6, 0.6), ups=(0.8, 0.4))
    drift.find_drift(now=NOW)
    assert "quality (user feedback) fell" in DriftFinding.objects.get(measure="quality").sentence
