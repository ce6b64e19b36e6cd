"""Workers killed on the whole course of an upgrade: ``pytest -m slow``; HOTSWAP_KILLS as there."""

import datetime as dt
from decimal import Decimal

import pytest

from providers.models import Provider
from sample_world.simulator import Simulator
from tests.factories import ModelVersionFactory, UpgradeRecordFactory, tracked
from tests.kills.books import Lost, the_books_are_right
from tests.kills.conftest import Till, Workers
from tests.kills.test_evaluation_runs import KILLS, PRICES
from tests.outbox import each_step_is_told_once
from versioning.models import (
    Canary,
    EvaluationCase,
    EvaluationSuite,
    ModelVersion,
    Notice,
    Policy,
    UpgradeRecord,
    Watch,
)
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

HOUR = dt.timedelta(hours=1)
CASES = 16
DAYS = 10
"""Fewer than seven days side by side claim nothing, so a canary would never end."""
GOOD, BAD = 0.9, 0.2
MOST_KILLS = 3
"""So often one and the same act is cut off; then it may come to its end."""
COURSES = {
    "fails its tests": ["approved", "testing", "failed"],
    "goes back from its canary": ["approved", "testing", "canary", "aborted"],
    "completes": ["approved", "testing", "canary", "completed"],
    "is rolled back": ["approved", "testing", "completed", "rolled_back"],
}

TELLS = {
    "fails its tests": ["tests_failed"],
    "goes back from its canary": ["canary_aborted"],
    "completes": [],
    "is rolled back": ["rolled_back"],
}


@pytest.fixture
def suite(transactional_db: None) -> EvaluationSuite:
    suite = EvaluationSuite.objects.create(
        name="sums",
        task="arithmetic",
        scorers=["number"],
        max_tokens=20,
        budget_usd=Decimal(1),
        concurrency=8,
    )
    for n in range(CASES):
        content = {"prompt": f"What is {n} + 4?", "expected": str(n + 4)}
        EvaluationCase.objects.create(suite=suite, key=str(n), content=content)
    Policy.objects.create(
        required_suites=[suite.name],
        canary_steps=[{"weight": 50, "hours": 1}, {"weight": 51, "hours": 1}],
        rollback_by_itself=True,
    )
    return suite


def begin(provider: Provider, simulator: Simulator, *, name: str, good: bool) -> UpgradeRecord:
    """Recommend a version of a model that nobody has asked before."""
    for version, quality in (("1", 0.1 if good else 0.9), ("2", 1.0 if good else 0.0)):
        simulator.world.add("openai", f"{name}-{version}", quality={"*": quality})
    model = tracked(name=name, upstream_id=f"{name}-1", provider=provider)
    second = ModelVersionFactory(tracked_model=model, upstream_id=f"{name}-2")
    record: UpgradeRecord = UpgradeRecordFactory(tracked_model=model, to_version=second)
    ModelVersion.objects.filter(tracked_model=model).update(**PRICES)
    return record


class Travel:
    """One record on its course, with workers that die."""

    def __init__(self, record: UpgradeRecord, workers: Workers) -> None:
        self.record = record
        self.workers = workers
        self.lost = Lost()

    def act(self, do: str) -> str:
        """Have workers do something until one lives to its end; return the record's state."""
        for deaths in range(MOST_KILLS + 1):
            killed = self.workers.live(
                do, kill=deaths < MOST_KILLS, stage=self.state, record=self.record.pk
            )
            for run in self.record.evaluation_runs.all():
                self.lost.look(run)
            if not killed:
                break
        return self.state

    @property
    def state(self) -> str:
        self.record.refresh_from_db()
        return str(self.record.state)

    def sweep_while(self, *states: str, hours: int) -> None:
        for _ in range(8):
            if self.act("sweep") not in states:
                return
            self.workers.now += hours * HOUR

    def measured(self, quality: float, *, samples: int) -> None:
        """Report ten days of both versions, the earlier one at a quality of 0.7."""
        model = self.record.tracked_model
        shown = ((self.record.from_version, 0.7), (self.record.to_version, quality))
        items = [
            SampleIn(
                provider=model.provider.slug,
                model=model.name,
                resolved_id=version.upstream_id,
                quality=mean + (n // 24 % 3 - 1) / 50,
                latency_ms=100.0 + n % 7,
                cost_usd=Decimal("0.001"),
                time=self.workers.now + n * DAYS * 24 // samples * HOUR,
            )
            for version, mean in shown
            if version is not None
            for n in range(samples)
        ]
        self.workers.now += DAYS * 24 * HOUR
        ingestion.accept(items, api_key_id=None, now=self.workers.now)


def travel(course: str, there: Travel) -> None:
    """Take a record through its course."""
    there.act("approve")
    there.sweep_while("approved", "testing", hours=0)
    if course == "fails its tests":
        return
    there.measured(GOOD if course == "completes" else BAD, samples=480)
    there.sweep_while("completed" if course == "is rolled back" else "canary", hours=2)


@pytest.mark.slow
def test_killed_on_any_course_a_record_comes_to_its_end_by_one_move_each(
    suite: EvaluationSuite,
    provider: Provider,
    simulator: Simulator,
    till: Till,
    workers: Workers,
) -> None:
    begun = 0
    while workers.kills < KILLS or begun < len(COURSES):
        course = list(COURSES)[begun % len(COURSES)]
        begun += 1
        record = begin(provider, simulator, name=f"zeta{begun}", good=course != "fails its tests")
        if course == "is rolled back":
            Policy.objects.create(tracked_model=record.tracked_model, canary_steps=[])
        there = Travel(record, workers)
        travel(course, there)
        came_to_its_end(record, course)
        the_books_are_right(record.evaluation_runs.get(), lost=there.lost, till=till)


def came_to_its_end(record: UpgradeRecord, course: str) -> None:
    """Each step was made once, and nothing that goes with it is there twice."""
    steps = COURSES[course]
    assert list(record.steps.order_by("pk").values_list("after", flat=True)) == steps
    each_step_is_told_once(record=record)
    model = record.tracked_model
    model.refresh_from_db()
    stands = steps[-1] == "completed"
    assert model.current_version == (record.to_version if stands else record.from_version)
    moved = "completed" in steps
    back = "rolled_back" in steps
    numbers = model.upgrades.completions().order_by("completion_number")
    assert list(numbers.values_list("completion_number", flat=True)) == list(
        range(1, 2 + moved + back)
    )
    assert UpgradeRecord.objects.filter(reverses=record).count() == back
    assert Watch.objects.filter(record=record).count() == moved
    assert Canary.objects.filter(record=record).count() == ("canary" in steps)
    told = Notice.objects.filter(record=record).values_list("kind", flat=True)
    assert list(told) == TELLS[course]
