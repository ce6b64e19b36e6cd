"""Until when each move can start, over the API and on the model's page."""

import base64
import datetime as dt
import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import tracked
from versioning.models import ModelVersion

pytestmark = pytest.mark.django_db


def retiring(name: str, *, days: int) -> int:
    model = tracked(name=name)
    day = timezone.now().date() + dt.timedelta(days=days)
    ModelVersion.objects.filter(tracked_model=model).update(retires_on=day)
    return model.pk


def test_those_to_start_first_come_first(api: Any) -> None:
    retiring("later", days=300)
    retiring("soon", days=12)
    tracked(name="lasting")
    found = api.get("/api/retirements").json()["results"]
    assert [clock["model"] for clock in found] == ["soon", "later"]
    assert found[0]["latest_start"] < found[0]["retires_on"]
    week = api.get("/api/retirements/?this_week=true").json()["results"]
    assert [clock["model"] for clock in week] == ["soon"]


def test_pages_go_on_where_the_last_one_ended(api: Any) -> None:
    for name, days in (("b", 30), ("a", 12), ("c", 30), ("e", 300), ("d", 30)):
        retiring(name, days=days)
    address, found = "/api/retirements?limit=2", []
    while address:
        answer = api.get(address).json()
        found += [clock["model"] for clock in answer["results"]]
        address = answer["next"]
    assert found == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("key", [[], ["2026-01-01"], [1, "2026-01-01"], {}, ["2026-01-01", None]])
def test_a_cursor_of_something_else_is_refused(api: Any, key: Any) -> None:
    retiring("soon", days=12)
    cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode()
    answer = api.get(f"/api/retirements?cursor={cursor}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "bad-cursor"


def test_the_model_s_page_says_by_when_to_start(client: Client) -> None:
    pk = retiring("soon", days=12)
    client.force_login(get_user_model().objects.create_superuser("ada"))
    page = client.get(reverse("admin:versioning_trackedmodel_change", args=[pk]))
    assert b"Start a move by" in page.content
