"""What workers that died had under way, and whether a run's books agree with the provider's."""

from collections import Counter
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from tests.kills.conftest import Till
from versioning.models import EvaluationRun, Trial
from versioning.services.evaluation import suites


class Lost:
    """What was under way when workers died, as the tables said it right then."""

    def __init__(self) -> None:
        self.held: dict[tuple[int, int], Decimal] = {}
        """What each lost request held, by its trial and how often that was begun."""
        self.done: dict[int, Any] = {}

    def look(self, run: EvaluationRun) -> None:
        """Look at a run after each worker's life."""
        assert run.budget_usd is not None
        assert run.spent_usd + run.held_usd <= run.budget_usd
        done = {row["id"]: row for row in run.trials.done().values()}
        # An answer that isn't kept is wiped when the run is done.
        kept = {pk: {**row, "output": done[pk]["output"]} for pk, row in self.done.items()}
        assert kept.items() <= done.items(), "What was done was done anew."
        self.done = done
        for trial in run.trials.left().exclude(asked_at=None):
            self.held[trial.pk, trial.asks] = trial.held_usd

    def times(self, trial: Trial) -> int:
        return sum(1 for pk, _ in self.held if pk == trial.pk)


def the_books_are_right(run: EvaluationRun, *, lost: Lost, till: Till) -> None:
    """Every request was paid once, or may have been once more for each time it was lost."""
    model_of = {
        Trial.Arm.CURRENT: run.from_version.upstream_id,
        Trial.Arm.CANDIDATE: run.to_version.upstream_id,
    }
    cases = suites.frozen_cases(run.frozen)
    least: Counter[tuple[str, str]] = Counter()
    most: Counter[tuple[str, str]] = Counter()
    for trial in run.trials.all():
        assert trial.outcome == "complete"
        assert trial.asks == 1 + lost.times(trial)
        question = cases[trial.case_key].filled()[-1]["content"]
        asked = model_of[Trial.Arm(trial.arm)], question
        least[asked] += 1
        most[asked] += trial.asks
    for asked, at_most in most.items():
        assert least[asked] <= till.charged[asked] <= at_most, f"{asked}: {till.charged[asked]}"
    took = run.trials.aggregate(total=Sum("cost_usd"))["total"]
    assert run.spent_usd == took + sum(lost.held.values())
    assert run.spent_usd >= sum(till.usd[asked] for asked in most)
    assert (run.held_usd, run.held_tokens) == (0, 0)
    assert run.verdict
