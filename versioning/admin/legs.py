"""What an upgrade's evidence rests on, side by side: live requests, and tests with their flips."""

from collections.abc import Sequence
from dataclasses import dataclass

from versioning.admin.decision_sheet import Sheet, TaskRow, TestRow
from versioning.models import EvaluationRun
from versioning.services.evaluation import results
from versioning.services.evaluation.results import Pair

SHOWN_TASKS = 6
SHOWN_CASES = 5
MOST_READ = 4_000
"""So many requests are read for a sheet; what a larger run moved is on its own page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """The cases of a run that the new version answers better, or worse, those furthest first.

    Of those unknown an answer has no score.
    """

    better: Sequence[Pair]
    worse: Sequence[Pair]
    better_count: int
    worse_count: int
    same_count: int
    unknown_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TestLeg:
    """What a run says, and case by case why; ``flips`` is None where they are too many to read."""

    __test__ = False  # no test, whatever its name

    test: TestRow
    flips: Flips | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    tasks: Sequence[TaskRow]
    more_tasks: int
    tests: Sequence[TestLeg]


def of_sheet(sheet: Sheet) -> Legs | None:
    """Return both legs of what a sheet shows; None without tests: then the sheet says all."""
    runs = EvaluationRun.objects.in_bulk([test.run_id for test in sheet.tests])
    if not runs:
        return None
    tests = []
    left = MOST_READ
    for test in sheet.tests:
        if (run := runs.get(test.run_id)) is None:
            continue
        flips = None
        if run.total <= left:
            left -= run.total
            flips = _flips(run)
        tests.append(TestLeg(test=test, flips=flips))
    return Legs(
        tasks=sheet.tasks[:SHOWN_TASKS],
        more_tasks=max(0, len(sheet.tasks) - SHOWN_TASKS),
        tests=tests,
    )


def _flips(run: EvaluationRun) -> Flips:
    # What a pair is made of: all else of it is shown on the run's own page.
    told = run.trials.done().only("run", "case_key", "repeat", "arm", "outcome", "score", "reason")
    found = results.furthest_first(results.pairs(told))
    known = [(pair, pair.shift) for pair in found if pair.shift is not None]
    better = [pair for pair, shift in known if shift > 0]
    worse = [pair for pair, shift in known if shift < 0]
    return Flips(
        better=better[:SHOWN_CASES],
        worse=worse[:SHOWN_CASES],
        better_count=len(better),
        worse_count=len(worse),
        same_count=len(known) - len(better) - len(worse),
        unknown_count=len(found) - len(known),
    )
