"""The best model for a task, over all providers."""

import datetime as dt
import random
from decimal import Decimal

import pytest

from tests.factories import NOW, tracked
from versioning.services.errors import NotFound
from versioning.services.evidence import best_models
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

pytestmark = pytest.mark.django_db


def serve(name: str, *, provider: str, quality: float, times: int, cost: str = "0.001") -> None:
    tracked(name=name, upstream_id=f"{name}-1", provider__slug=provider)
    dice = random.Random(name)
    samples = [
        SampleIn(
            provider=provider,
            model=name,
            task="extract",
            quality=quality + dice.uniform(-0.1, 0.1),
            latency_ms=100,
            cost_usd=Decimal(cost),
            time=NOW - dt.timedelta(hours=8 * (number % 30)),
        )
        for number in range(times)
    ]
    ingestion.accept(samples, api_key_id=1, now=NOW)


def test_it_ranks_over_providers_by_what_is_surely_good():
    serve("good", provider="acme", quality=0.85, times=500, cost="0.01")
    serve("cheap", provider="zeta", quality=0.6, times=500)
    serve("lucky", provider="zeta2", quality=0.89, times=5)

    found = best_models.best_for(task="extract")

    names = [place.name for place in found.ranking.places]
    assert names == ["acme/good 1.0.0", "zeta/cheap 1.0.0", "zeta2/lucky 1.0.0"]
    good, cheap, lucky = found.ranking.places
    assert (good.rank, cheap.rank, lucky.rank) == (1, 2, None)
    assert lucky.needed
    assert good.on_front
    assert cheap.on_front
    assert found.versions["zeta/cheap 1.0.0"].upstream_id == "cheap-1"


def test_those_that_can_not_be_told_apart_are_tied():
    serve("one", provider="acme", quality=0.8, times=200)
    serve("other", provider="zeta", quality=0.8, times=200)

    assert best_models.best_for(task="extract").ranking.tied


def test_a_task_that_no_sample_names():
    with pytest.raises(NotFound):
        best_models.best_for(task="juggle")


def test_it_names_all_tasks():
    serve("one", provider="acme", quality=0.8, times=1)
    assert best_models.tasks() == ["extract"]


def test_it_costs_four_queries(django_assert_max_num_queries):
    for n in range(5):
        serve(f"m{n}", provider=f"p{n}", quality=0.8, times=40)
    with django_assert_max_num_queries(4):
        best_models.best_for(task="extract")
