"""Pages are in the reader's zone; what is decided, and what programs are told, is not."""

import ast
import datetime as dt
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.reader_zone import COOKIE, zone_named
from tests.factories import NOW
from versioning.models import Freeze
from versioning.services import clock

pytestmark = pytest.mark.django_db
FAR_EAST, FAR_WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""UTC+14 and UTC-11: at any moment it is another day in one of them than in UTC."""


@pytest.fixture
def in_prague(admin_client: Client) -> Client:
    admin_client.cookies[COOKIE] = "Europe/Prague"
    return admin_client


@pytest.fixture
def freeze() -> Freeze:
    return Freeze.objects.create(name="Trade", starts_at=NOW, ends_at=NOW + dt.timedelta(hours=4))


def test_a_page_tells_times_in_the_reader_s_zone(in_prague: Client, freeze: Freeze) -> None:
    page = in_prague.get(reverse("admin:versioning_freeze_changelist")).content.decode()
    assert "1 Mar 2026 13:00 CET" in page
    assert "12:00 UTC" not in page


def test_what_is_typed_is_in_the_reader_s_zone(in_prague: Client, freeze: Freeze) -> None:
    typed = {
        "name": "Trade",
        "starts_at_0": "2026-07-01", "starts_at_1": "09:00",
        "ends_at_0": "2026-07-02", "ends_at_1": "09:00",
    }  # fmt: skip
    in_prague.post(reverse("admin:versioning_freeze_change", args=[freeze.pk]), typed)
    freeze.refresh_from_db()
    assert freeze.starts_at == dt.datetime(2026, 7, 1, 7, tzinfo=dt.UTC)


def test_the_next_reader_is_in_the_zone_of_the_settings(in_prague: Client, freeze: Freeze) -> None:
    in_prague.get(reverse("admin:index"))
    assert timezone.get_current_timezone_name() == settings.TIME_ZONE


def test_programs_are_answered_as_ever(in_prague: Client, freeze: Freeze) -> None:
    answer = in_prague.get("/api/freezes").json()
    assert answer["results"][0]["starts_at"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    "named",
    ["", "Nowhere/Land", "Europe", "../../etc/passwd", "/etc/passwd", "UTC\n", "é", "A" * 65],
)
def test_a_zone_that_is_none_changes_nothing(
    admin_client: Client, freeze: Freeze, named: str
) -> None:
    assert zone_named(named) is None
    admin_client.cookies[COOKIE] = named
    page = admin_client.get(reverse("admin:versioning_freeze_changelist")).content.decode()
    assert "1 Mar 2026 12:00 UTC" in page


@pytest.mark.parametrize("zone", [FAR_EAST, FAR_WEST])
def test_days_stay_days(zone: str) -> None:
    noon = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    with timezone.override(zone):
        assert clock.local_day(noon) == dt.date(2026, 3, 1)
        assert clock.local_day(noon - dt.timedelta(hours=11)) == dt.date(2026, 3, 1)
        assert clock.start_of(dt.date(2026, 3, 1)) == noon - dt.timedelta(hours=12)


BY_THE_READER = {
    "localtime", "localdate", "get_current_timezone", "make_aware", "make_naive",
    "TruncDate", "TruncDay", "TruncHour", "ExtractHour", "ExtractWeekDay",
}  # fmt: skip
"""What goes by the active zone, which is the reader's on a page."""

DECIDING = ("versioning/domain", "versioning/services", "versioning/tasks.py", "providers/kinds")


def _calls_by_the_reader(file: Path) -> list[str]:
    return [
        f"{file.relative_to(settings.BASE_DIR)}:{node.lineno}"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in BY_THE_READER
        and len(node.args) < 2  # with a zone of its own it goes by that
    ]


def test_nothing_is_decided_by_the_reader_s_zone() -> None:
    """Who looks at a page must not shift a window, a day or a reminder."""
    files = [
        file
        for where in DECIDING
        for place in [settings.BASE_DIR / where]
        for file in (sorted(place.rglob("*.py")) if place.is_dir() else [place])
    ]
    assert len(files) > 100
    assert [found for file in files for found in _calls_by_the_reader(file)] == []


def test_a_call_by_the_reader_s_zone_is_found(tmp_path: Path) -> None:
    file = settings.BASE_DIR / "versioning" / "admin" / "words.py"  # pages may
    assert _calls_by_the_reader(file)


HOUR_OF_DAY = re.compile(r"""\|date:["'][^"']*H:i[^"']*["']""")


def test_a_time_of_day_has_the_zone_that_it_is_in() -> None:
    """It is the reader's: no page may call it UTC beside it, or leave it open."""
    found = {
        str(file.relative_to(settings.BASE_DIR))
        for folder in ("templates", "sample_world/templates")
        for file in (settings.BASE_DIR / folder).rglob("*.html")
        for said in HOUR_OF_DAY.findall(file.read_text())
        if not said.endswith((' T"', " T'")) or "(UTC)" in file.read_text()
    }
    assert found == set()
