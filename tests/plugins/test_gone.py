"""A package was removed, and its providers are still there: nothing else minds."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from providers.models import Provider
from tests.factories import ModelVersionFactory, ProviderFactory, UpgradeRecordFactory, tracked
from tests.versioning.api.conftest import Api, api, with_scopes  # noqa: F401
from tests.versioning.api.walk import Described, operations
from versioning.models import Check
from versioning.services.checks import detection

pytestmark = pytest.mark.django_db


@pytest.fixture
def gone() -> Provider:
    """A provider with a model and a recommendation, whose kind nothing brings any more."""
    provider = ProviderFactory(slug="acme", kind="acme", base_url="https://api.acme.example")
    model = tracked(name="anvil", provider=provider)
    UpgradeRecordFactory(
        tracked_model=model,
        to_version=ModelVersionFactory(tracked_model=model, label="2"),
        recommended_at=timezone.now(),
    )
    return provider


def test_its_check_says_so(gone: Provider) -> None:
    (check,) = detection.run_checks(trigger=Check.Trigger.STAFF, now=timezone.now())
    assert check.state == "failed"
    assert "There is no kind of provider 'acme'" in check.error


@pytest.mark.parametrize(
    "page", ["changelist", "change"], ids=["the list of providers", "its own page"]
)
def test_the_admin_shows_it(page: str, gone: Provider, admin_client: Client) -> None:
    of_it = [gone.pk] if page == "change" else []
    answer = admin_client.get(reverse(f"admin:providers_provider_{page}", args=of_it))
    assert answer.status_code == 200
    assert "acme" in answer.content.decode()


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_no_operation_fails_over_it(operation: Described, gone: Provider, api: Api) -> None:  # noqa: F811
    address = operation.address(slug="acme", provider="acme", name="anvil", model="anvil")
    answer = api._send(operation.method, address, {}, {})
    assert answer.status_code != 500, answer.content
