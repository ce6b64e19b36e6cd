"""Calendars of retirements: read without a key, by an address that is shown once."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from tests.factories import NOW
from tests.versioning.api.conftest import Api
from tests.versioning.services.test_retirement import retiring
from versioning.models import CalendarFeed

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def add(api: Api, **fields: str) -> str:
    answer = api.post("/api/calendars", {"name": "ada", **fields})
    assert answer.status_code == 201, answer.content
    assert answer["Cache-Control"] == "no-store"
    path: str = answer.json()["path"]
    return path


def days_of(answer: Any) -> dict[str, date]:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(answer.content)
    return {str(each["summary"]): each.decoded("dtstart") for each in calendar.walk("VEVENT")}


def test_it_has_retirements_and_the_last_days_to_start(
    api: Api, client: Client, settings: Any
) -> None:
    settings.HOTSWAP = {**settings.HOTSWAP, "PUBLIC_URL": "https://hotswap.example.com"}
    ours = retiring(days=60, owner="ada@example.com", name="größer, klüger")
    retiring(days=61, owner="grace@example.com")
    clock = api.get("/api/retirements").json()["results"][0]
    answer = client.get(add(api, owner="ada@example.com"))
    assert days_of(answer) == {
        f"{ours} retires": (NOW + 60 * DAY).date(),
        f"Start the move of {ours} today at the latest": date.fromisoformat(clock["latest_start"]),
    }
    assert b"https://hotswap.example.com/admin/" in answer.content.replace(b"\r\n ", b"")


def test_it_says_by_its_etag_whether_it_is_another_one(api: Api, client: Client) -> None:
    model = retiring(days=60)
    path = add(api)
    first = client.get(path)
    with time_machine.travel(NOW + timedelta(hours=3), tick=False):
        again = client.get(path, headers={"if-none-match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        model.current_version.retires_on += DAY
        model.current_version.save()
        assert client.get(path, headers={"if-none-match": first["ETag"]}).status_code == 200


def test_its_token_is_kept_as_a_hash_and_can_be_taken_back(api: Api, client: Client) -> None:
    path = add(api)
    token = path.split("/")[-1].removesuffix(".ics")
    kept = str([*CalendarFeed.objects.values(), *CalendarFeed.history.values()])
    assert token not in kept
    assert token not in api.get("/api/calendars").content.decode()
    assert client.get(path).status_code == 200
    assert client.get(path.replace(token, "x" * len(token))).status_code == 404
    assert client.post(path).status_code == 405
    assert api.delete("/api/calendars/ada").status_code == 204
    assert client.get(path).status_code == 404


def test_staff_make_one_and_see_its_address_once(admin_client: Client) -> None:
    made = admin_client.post(reverse("admin:versioning_calendarfeed_add"), {"name": "ada"})
    assert "no-store" in made["Cache-Control"]
    page = made.content.decode()
    assert "/calendar/" in page
    assert CalendarFeed.objects.get().made_by == "admin"
    listed = admin_client.get(reverse("admin:versioning_calendarfeed_changelist"))
    assert "/calendar/" not in listed.content.decode()
