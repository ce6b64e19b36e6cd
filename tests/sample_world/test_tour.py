"""The tour of the demo: each stop has a living example, and it shows what it says."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from sample_world import replay, story
from sample_world import settings as demo
from sample_world.simulator.server import KEY
from sample_world.tour import PARTS
from tests.factories import UserFactory
from versioning.services.checks import schedules

pytestmark = pytest.mark.django_db
STOP = re.compile(r'href="([^"]*)" data-shows="([^"]*)">')


@pytest.fixture
def visitor(settings: Any) -> Client:
    settings.ROOT_URLCONF = demo.ROOT_URLCONF
    settings.TEMPLATES = demo.TEMPLATES
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def test_what_is_not_there_is_said_and_not_linked(visitor: Client) -> None:
    page = visitor.get("/admin/tour/").content.decode()
    assert "data-missing" in page
    assert 'href=""' not in page
    assert "Start the time-lapse" in page


def test_the_inbox_of_the_demo_leads_to_it(visitor: Client) -> None:
    assert 'href="/admin/tour/"' in visitor.get("/admin/").content.decode()


def test_a_viewer_has_no_button_that_begins_something(visitor: Client) -> None:
    visitor.force_login(UserFactory(is_staff=True))
    assert "Start the time-lapse" not in visitor.get("/admin/tour/").content.decode()
    assert visitor.post("/admin/tour/time-lapse/").status_code == 403


def test_each_of_the_eleven_that_none_has_whole_is_on_it() -> None:
    rows = {row for part in PARTS for stop in part.stops for row in stop.rows.split(", ")}
    assert set("ABCDEFGHIJK") <= rows


@pytest.fixture(params=[time(0, 5), time(8, 20), time(23, 50)], ids=str)
def at_any_time(request: pytest.FixtureRequest) -> Iterator[None]:
    now = datetime.combine(timezone.now(), request.param, tzinfo=UTC)
    with time_machine.travel(now):
        yield


@pytest.mark.slow
def test_each_stop_of_a_new_world_is_there_and_shows_what_it_says(
    at_any_time: None, visitor: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(story.KEY_VARIABLE, KEY)
    keys = [*settings.HOTSWAP["PROVIDER_KEYS"], story.KEY_VARIABLE]
    settings.HOTSWAP = {**settings.HOTSWAP, "PROVIDER_KEYS": keys}
    schedules.install_schedules()
    replay.seed(now=timezone.now(), say=lambda sentence: None)

    tour = visitor.get("/admin/tour/").content.decode()

    stops = [(unescape(link), unescape(shows)) for link, shows in STOP.findall(tour)]
    assert len(stops) == sum(len(part.stops) for part in PARTS)
    for link, shows in stops:
        answer = visitor.get(link)
        assert answer.status_code == 200, link
        said = unescape(answer.content.decode())
        assert shows in said[max(0, said.find("<main")) :], (link, shows)
