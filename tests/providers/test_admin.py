"""The provider's page: its key is named, never shown, and its connection can be tested."""

from contextlib import ExitStack

import pytest
from django.test import Client
from django.urls import reverse

from providers import calls
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


def typed(provider: Provider, **changed: str) -> dict[str, str]:
    """Return what the page's form sends, with some of it typed anew."""
    names = ("name", "slug", "kind", "base_url", "api_key_env")
    sent = {name: str(getattr(provider, name)) for name in names}
    return sent | {"timeout_seconds": "5", "enabled": "on", "options": "{}"} | changed


HTMX = {"HX-Request": "true"}


def test_what_is_tested_is_what_is_typed(admin_client: Client) -> None:
    provider = ProviderFactory(kind="ollama", base_url="http://127.0.0.1:9")
    with Simulator() as server:
        sent = typed(provider, base_url=server.base_url("ollama"))
        answer = admin_client.post(page(provider, "test_connection"), sent, headers=HTMX)
    assert "The connection works (as written, not saved yet)." in answer.content.decode()
    provider.refresh_from_db()
    assert provider.base_url == "http://127.0.0.1:9"


def test_a_typed_address_gets_no_key(admin_client: Client, keyed: Provider) -> None:
    with Simulator() as server:
        sent = typed(keyed, base_url=server.base_url("openai"), kind="openai")
        answer = admin_client.post(page(keyed, "test_connection"), sent, headers=HTMX)
    said = answer.content.decode()
    assert "not released" in said
    assert KEY not in said


def test_what_can_not_be_read_is_not_tested(admin_client: Client, keyed: Provider) -> None:
    sent = typed(keyed, base_url="ftp://x")
    said = admin_client.post(page(keyed, "test_connection"), sent, headers=HTMX).content.decode()
    assert "As it is written, it can" in said


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["saved", "as typed"])
def test_while_others_wait_for_theirs_it_says_so(
    admin_client: Client, keyed: Provider, headers: dict[str, str]
) -> None:
    with ExitStack() as others:
        for _ in range(calls.AT_ONCE):
            others.enter_context(calls.slot())
        address = page(keyed, "test_connection")
        answer = admin_client.post(address, typed(keyed), headers=headers, follow=True)
    assert "Other calls to providers wait for their answers: try again." in answer.content.decode()


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
