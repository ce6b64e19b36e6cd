"""The provider's page: its key is named, never shown, and its connection can be tested."""

import pytest
from django.test import Client
from django.urls import reverse

from providers.models import Provider
from sample_world.simulator import Simulator
from tests.factories import ProviderFactory, UserFactory

KEY = "sk-very-secret"


def page(provider: Provider, name: str = "change") -> str:
    return reverse(f"admin:providers_provider_{name}", args=[provider.pk])


@pytest.fixture
def keyed(db: None, monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setenv("ZETA_KEY", KEY)
    return ProviderFactory(slug="zeta", api_key_env="ZETA_KEY")


def test_it_says_whether_the_key_is_set_and_not_what_it_is(
    admin_client: Client, keyed: Provider
) -> None:
    text = admin_client.get(page(keyed)).content.decode()
    assert "ZETA_KEY" in text
    assert KEY not in text


def test_a_connection_that_works(admin_client: Client) -> None:
    with Simulator() as server:
        provider = ProviderFactory(kind="ollama", base_url=server.base_url("ollama"))
        response = admin_client.post(page(provider, "test_connection"), follow=True)
    assert "The connection works." in response.content.decode()
    assert response.redirect_chain[-1][0] == page(provider)


def test_a_connection_that_does_not_work(admin_client: Client, keyed: Provider) -> None:
    response = admin_client.post(page(keyed, "test_connection"), follow=True)
    text = response.content.decode()
    assert "The connection does not work." in text
    assert KEY not in text


def test_only_by_post(admin_client: Client, keyed: Provider) -> None:
    assert admin_client.get(page(keyed, "test_connection")).status_code == 405


def test_who_may_not_change_providers_may_not_test_them(client: Client, keyed: Provider) -> None:
    client.force_login(UserFactory(is_staff=True))
    assert client.post(page(keyed, "test_connection")).status_code == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [("slug", "not a slug"), ("base_url", "ftp://x"), ("kind", "nobody")],
)
def test_bad_input_is_told_by_the_field(
    admin_client: Client, db: None, field: str, value: str
) -> None:
    sent = {
        "name": "Zeta",
        "slug": "zeta",
        "kind": "openai",
        "base_url": "http://127.0.0.1:9/v1",
        "timeout_seconds": "10",
        "options": "{}",
    }
    response = admin_client.post(reverse("admin:providers_provider_add"), sent | {field: value})
    assert field in response.context["adminform"].form.errors
    assert not Provider.objects.exists()


def test_nobody_deletes_a_provider(admin_client: Client, keyed: Provider) -> None:
    assert admin_client.post(page(keyed, "delete"), {"post": "yes"}).status_code == 403
