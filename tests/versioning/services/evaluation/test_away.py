"""A provider that is down costs nothing, and stops a run instead of using up its budget."""

from decimal import Decimal

import pytest

from providers.models import Provider
from tests.factories import NOW, ModelVersionFactory, ProviderFactory, tracked
from tests.ports import free_port
from tests.versioning.services.evaluation.test_runs import PRICES, begin, make_suite, work
from versioning.models import EvaluationRun, ModelVersion, Trial
from versioning.services.evaluation import control

pytestmark = pytest.mark.django_db
Pair = tuple[ModelVersion, ModelVersion]


@pytest.fixture
def nobody() -> Provider:
    """A provider at whose address nothing listens."""
    return ProviderFactory(
        slug="away", kind="openai", base_url=f"http://127.0.0.1:{free_port()}/v1"
    )


@pytest.fixture
def pair(nobody: Provider) -> Pair:
    model = tracked(name="zeta", upstream_id="zeta-1", provider=nobody)
    current = model.current_version
    assert current is not None
    ModelVersion.objects.filter(pk=current.pk).update(**PRICES)
    current.refresh_from_db()
    candidate = ModelVersionFactory(tracked_model=model, upstream_id="zeta-2", **PRICES)
    return current, candidate


def test_nothing_is_charged_for_what_never_left(pair: Pair) -> None:
    run = begin(make_suite(concurrency=10), pair)
    work()
    run.refresh_from_db()
    assert run.state == EvaluationRun.State.FAILED
    assert (run.spent_usd, run.spent_tokens, run.held_tokens) == (Decimal(0), 0, 0)
    assert "can't be reached" in run.problem
    assert "let it go on" in run.problem


def test_no_case_is_given_up_because_the_provider_was_down(pair: Pair) -> None:
    run = begin(make_suite(concurrency=10), pair)
    work()
    assert not Trial.objects.done().exists()
    assert control.go_on(run_id=run.pk, now=NOW).state == EvaluationRun.State.WAITING
