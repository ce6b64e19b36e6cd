"""Another id that answers: the pages say since when, and which share."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import tracked
from tests.versioning.admin.pages import text
from versioning.services.samples import ingestion, rollups
from versioning.services.samples.incoming import SampleIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> dt.datetime:
    """Three of four requests of the last minutes were answered by another id."""
    now = dt.datetime.now(dt.UTC)
    tracked(name="writer", upstream_id="writer-1", provider__slug="acme")
    for served_id, times in (("writer-1-turbo", 3), ("writer-1", 1)):
        sample = SampleIn(provider="acme", model="writer", served_id=served_id, time=now)
        ingestion.accept([sample] * times, api_key_id=1, now=now)
    rollups.fold(now=now)
    return now


def test_the_list_says_which_share(viewer: Client, now: dt.datetime) -> None:
    page = text(viewer.get(reverse("admin:versioning_serveddrift_changelist")))
    assert "writer-1-turbo" in page
    assert "75 %" in page


def test_the_inbox_says_which_share_since_when(viewer: Client, now: dt.datetime) -> None:
    page = text(viewer.get(reverse("admin:index")))
    assert f"75 % of its requests since {now:%-d %b %Y}" in " ".join(page.split())


def test_the_list_is_a_click_away(viewer: Client, now: dt.datetime) -> None:
    page = text(viewer.get(reverse("admin:index")))
    assert f'href="{reverse("admin:versioning_serveddrift_changelist")}"' in page
    assert "Another id answered" in page
