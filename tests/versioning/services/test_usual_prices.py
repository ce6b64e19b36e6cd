"""What a provider's options say that its models cost, where it lists no prices."""

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from providers.models import Provider
from tests.factories import NOW, ProviderFactory
from versioning.models import CatalogueEntry, ModelVersion
from versioning.services import tracking
from versioning.services.actors import Actor

pytestmark = pytest.mark.django_db


def track(provider: Provider, **facts: str) -> ModelVersion:
    CatalogueEntry.objects.create(
        provider=provider,
        upstream_id="zeta-1",
        facts=facts,
        first_seen_at=NOW,
        last_seen_at=NOW,
    )
    model = tracking.start_tracking(
        provider_id=provider.pk, name="zeta-1", actor=Actor.command(), now=NOW
    )
    assert model.current_version is not None
    return model.current_version


def test_a_server_of_ones_own_is_free_in_one_line() -> None:
    call_command("add_provider", "gpu", "--kind", "openai", "--prices", "0", "0")
    version = track(Provider.objects.get(slug="gpu"))
    assert (version.input_price, version.output_price) == (0, 0)


def test_a_listed_price_beats_the_usual_one() -> None:
    prices = {"input_price": "1", "output_price": "2"}
    version = track(ProviderFactory(options=prices), input_price="0")
    assert (version.input_price, version.output_price) == (0, Decimal(2))


def test_without_them_a_price_stays_unknown() -> None:
    version = track(ProviderFactory())
    assert (version.input_price, version.output_price) == (None, None)


@pytest.mark.parametrize("text", ["-1", "free", "NaN", "1e9"])
def test_what_is_no_price_is_told(text: str) -> None:
    with pytest.raises(CommandError, match="USD per million tokens"):
        call_command("add_provider", "gpu", "--kind", "openai", f"--option=input_price={text}")
    assert not Provider.objects.exists()
