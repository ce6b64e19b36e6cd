"""What an upgrade's evidence rests on, side by side: live requests, and tests with their flips."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from versioning.admin import words
from versioning.admin.decision_sheet import Sheet, TaskRow
from versioning.models import EvaluationRun
from versioning.services.evaluation import results
from versioning.services.evaluation.results import Pair

SHOWN_TASKS = 6
SHOWN_CASES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """The cases of a run that the new version answers better, or worse, those furthest first."""

    better: Sequence[Pair]
    worse: Sequence[Pair]
    better_count: int
    worse_count: int
    same_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TestLeg:
    """A run of a suite over both versions: what it says, and case by case why."""

    __test__ = False  # no test, whatever its name

    run: EvaluationRun
    verdict: SafeString
    flips: Flips


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    tasks: Sequence[TaskRow]
    more_tasks: int
    tests: Sequence[TestLeg]


def of_runs(run_ids: Sequence[int], *, sheet: Sheet) -> Legs | None:
    """Return both legs; None without tests: then the sheet itself says all there is.

    ``run_ids`` are the tests of its two versions, the newest first: a suite's newest counts.
    """
    found = EvaluationRun.objects.with_names().in_bulk(run_ids)
    newest: dict[int, EvaluationRun] = {}
    for pk in run_ids:
        newest.setdefault(found[pk].frozen.suite_id, found[pk])
    if not newest:
        return None
    return Legs(
        tasks=sheet.tasks[:SHOWN_TASKS],
        more_tasks=max(0, len(sheet.tasks) - SHOWN_TASKS),
        tests=[
            TestLeg(run=run, verdict=words.verdict(run.verdict), flips=_flips(run))
            for run in newest.values()
        ],
    )


def _flips(run: EvaluationRun) -> Flips:
    # What was answered may be long, and is shown on the run's own page.
    pairs = results.pairs(run.trials.done().defer("output"))
    moved = sorted(pairs, key=lambda pair: (-abs(pair.shift or 0), pair.case_key, pair.repeat))
    better = [pair for pair in moved if (pair.shift or 0) > 0]
    worse = [pair for pair in moved if (pair.shift or 0) < 0]
    return Flips(
        better=better[:SHOWN_CASES],
        worse=worse[:SHOWN_CASES],
        better_count=len(better),
        worse_count=len(worse),
        same_count=len(pairs) - len(better) - len(worse),
    )
