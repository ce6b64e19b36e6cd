"""What is better in a new version is told from wherever the same model is listed, and by whom."""

import pytest
from django.core.management import call_command

from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import NOW, ProviderFactory, tracked
from versioning.models import CatalogueEntry, UpgradeRecord

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def local_server(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that tells ids and no more, of a model in use and its successor."""
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    provider = ProviderFactory(
        slug="local", base_url=simulator.base_url("openai"), api_key_env="SIMULATED_KEY"
    )
    for generation in (2, 3):
        simulator.world.add("openai", f"acme/zeta-{generation}-8b-instruct")
    tracked(name="zeta", upstream_id="acme/zeta-2-8b-instruct", provider=provider)


def hub(*, context: dict[int, int], **facts: object) -> None:
    """Another provider lists the same weights."""
    elsewhere = ProviderFactory(slug="gateway", kind="openrouter", enabled=False)
    for generation, tokens in context.items():
        CatalogueEntry.objects.create(
            provider=elsewhere,
            upstream_id=f"zeta{generation}",
            first_seen_at=NOW,
            last_seen_at=NOW,
            facts={
                "hugging_face_id": f"acme/zeta-{generation}-8b-instruct",
                "context_tokens": tokens,
                **facts,
            },
        )


def found() -> list[str]:
    call_command("check_providers")
    return UpgradeRecord.objects.recommended().get().to_version.improvements


def test_another_provider_of_the_same_weights_tells_what_is_better() -> None:
    hub(context={2: 8_000, 3: 32_000})
    assert found() == ["context 8,000 → 32,000 tokens (says gateway)"]


def test_prices_and_dates_of_another_provider_are_its_own() -> None:
    hub(context={2: 8_000, 3: 8_000}, input_price="3", retires_on="2027-01-01")
    assert found() == []
    version = UpgradeRecord.objects.recommended().get().to_version
    assert (version.input_price, version.retires_on) == (None, None)


def test_what_nobody_tells_is_not_guessed() -> None:
    hub(context={3: 32_000})
    assert found() == []
