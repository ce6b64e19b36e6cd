"""Workers killed in evaluation runs: ``pytest -m slow``; HOTSWAP_KILLS says at how many places."""

import os
from decimal import Decimal

import pytest

from providers.models import Provider
from sample_world.simulator import Simulator
from tests.factories import NOW, ModelVersionFactory, tracked
from tests.kills.books import Lost, the_books_are_right
from tests.kills.conftest import Till, Workers
from versioning.models import (
    EvaluationCase,
    EvaluationRun,
    EvaluationSuite,
    ModelVersion,
    PerformanceSample,
)
from versioning.services.actors import Actor
from versioning.services.evaluation import control, planning

KILLS = int(os.environ.get("HOTSWAP_KILLS", "50"))
CASES = 4
PRICES = {"input_price": Decimal(1), "output_price": Decimal(3)}


class Runs:
    """Runs one after the other, and what is known of each trial besides its row."""

    def __init__(self, provider: Provider, simulator: Simulator) -> None:
        for model_id, quality in (("zeta-1", 0.3), ("zeta-2", 1.0)):
            simulator.world.add("openai", model_id, quality={"*": quality})
        model = tracked(name="zeta", upstream_id="zeta-1", provider=provider)
        ModelVersion.objects.filter(pk=model.current_version_id).update(**PRICES)
        model.refresh_from_db()
        self.first = model.current_version
        self.second = ModelVersionFactory(tracked_model=model, upstream_id="zeta-2", **PRICES)
        self.begun = 0

    def begin(self) -> EvaluationRun:
        """Begin a run of questions that nobody has asked before."""
        self.begun += 1
        suite = EvaluationSuite.objects.create(
            name=f"sums {self.begun}",
            task="arithmetic",
            scorers=["number"],
            max_tokens=20,
            budget_usd=Decimal(1),
            concurrency=3,
            repeats=2,
        )
        for n in range(CASES):
            prompt = f"What is {self.begun}000 + {n}?"
            EvaluationCase.objects.create(
                suite=suite,
                key=prompt,
                content={"prompt": prompt, "expected": str(self.begun * 1000 + n)},
            )
        plan = planning.plan(suite=suite, from_version=self.first, to_version=self.second, now=NOW)
        run = planning.begin(plan=plan, actor=Actor.command(), now=NOW)
        # Enough for each request once, not for many more: as if it had been estimated too low.
        run.budget_usd = Decimal("0.0005")
        run.save()
        return run


@pytest.mark.slow
def test_a_killed_run_ends_and_nothing_is_charged_twice(
    provider: Provider, simulator: Simulator, till: Till, workers: Workers
) -> None:
    runs = Runs(provider, simulator)
    stopped = 0
    while workers.kills < KILLS:
        run = runs.begin()
        lost = Lost()
        while run.is_open:
            # The first run of all shows how many places there are.
            workers.live("evaluate", kill=runs.begun > 1 and workers.kills < KILLS)
            run.refresh_from_db()
            lost.look(run)
            if run.state == EvaluationRun.State.OVER_BUDGET:
                stopped += 1
                control.go_on(run_id=run.pk, now=NOW, budget_usd=run.spent_usd + 1)
                run.refresh_from_db()
        assert run.state == EvaluationRun.State.DONE
        the_books_are_right(run, lost=lost, till=till)
    assert stopped, "No run came to its budget: the lost requests have to be counted."
    samples = PerformanceSample.objects.filter(source=PerformanceSample.Source.EVALUATION)
    assert samples.count() == runs.begun * CASES * 2 * 2
