"""A row as it was: to be read by whoever sees the row, and never put back as a whole."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import ProviderFactory
from tests.versioning.admin.pages import text
from tests.versioning.admin.walk import make_world, routes

HISTORIES = [route for route in routes() if route.name.endswith("_simple_history")]


def test_each_kind_s_past_is_read_and_not_put_back(boss: Client) -> None:
    make_world()
    for route in HISTORIES:
        address = next(route.addresses())
        page = text(boss.get(address))
        assert "As it was on" in page, address
        assert 'name="_save"' not in page, address
        assert boss.post(address, {}).status_code == 405, address
    assert len(HISTORIES) > 10


def test_what_a_key_was_released_to_does_not_come_back(boss: Client) -> None:
    provider = ProviderFactory(api_key_env="A_KEY", base_url="https://old.example.com/v1")
    was = provider.history.latest()
    provider.base_url = "https://new.example.com/v1"
    provider.release_key()
    provider.save()
    page = reverse("admin:providers_provider_simple_history", args=[provider.pk, was.pk])
    boss.post(page, {"slug": provider.slug, "name": provider.name, "kind": "openai"})
    provider.refresh_from_db()
    assert provider.base_url == "https://new.example.com/v1"


@pytest.mark.parametrize("row", ["1/history/1", "x/history", "x/history/1", "1/history/x"])
def test_there_is_no_past_of_what_never_was(boss: Client, row: str) -> None:
    assert boss.get(f"/admin/providers/provider/{row}/").status_code == 404
