"""Fixtures that several doors are tried with."""

import pytest

from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import ModelVersionFactory, ProviderFactory, tracked
from versioning.models import ModelVersion


@pytest.fixture
def candidate(db: None, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    """A version that a suite can be run on, beside the current one; both always right."""
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    for model_id in ("zeta-1", "zeta-2"):
        simulator.world.add("openai", model_id, quality={"*": 1.0})
    provider = ProviderFactory(
        base_url=simulator.base_url("openai"), api_key_env="SIMULATED_KEY", kind="openai"
    )
    model = tracked(name="zeta", upstream_id="zeta-1", provider=provider)
    version = ModelVersionFactory(tracked_model=model, upstream_id="zeta-2")
    ModelVersion.objects.update(input_price=1, output_price=3)
    return version
