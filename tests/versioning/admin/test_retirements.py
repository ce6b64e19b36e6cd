"""The page of retirements, and what served on a day."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import address, decide, text
from versioning.admin import timeline, words
from versioning.models import ModelVersion, Policy, TrackedModel, UpgradeRecord, UpgradeStep

PAGE = reverse("admin:versioning_trackedmodel_retirements")
BUILT_IN = 10
"""Days that a move takes by the built-in policy: approval 3, buffer 7."""


def retiring(name: str, *, days: int) -> UpgradeRecord:
    record = recommend(name=name)
    day = timezone.localdate() + dt.timedelta(days)
    ModelVersion.objects.filter(pk=record.from_version_id).update(
        retires_on=day, retires_precision="exact", retires_source="its changelog"
    )
    return record


def test_what_must_start_first_stands_first_with_its_days_and_its_move(viewer: Client) -> None:
    late, soon = retiring("late", days=4), retiring("soon", days=40)
    UpgradeRecord.objects.filter(pk=late.pk).update(state="rejected")
    recommend(name="calm")

    page = text(viewer.get(PAGE))

    assert page.index("/ late") < page.index("/ soon")
    assert "/ calm" not in page
    assert "2 retire, 1 is past its last safe start." in page
    start = timezone.localdate() + dt.timedelta(40 - BUILT_IN)
    assert f"{words.day(start)}, in 30 days" in page
    assert "(in 40 days), says its changelog." in page
    assert address(soon, "change") in page
    assert "none is known" in page[: page.index("/ soon")]
    assert page.count("hs-interval ") == 2


def test_the_address_names_a_provider_or_an_owner(viewer: Client) -> None:
    retiring("one", days=30)
    other = retiring("other", days=30).tracked_model
    TrackedModel.objects.filter(pk=other.pk).update(owner="team@x.example")

    for query in (f"?provider={other.provider.slug}", "?owner=Team@x.example"):
        page = text(viewer.get(f"{PAGE}{query}"))
        assert "/ other" in page
        assert "/ one" not in page
    assert "Nothing in use has a retirement date here." in text(viewer.get(f"{PAGE}?owner=no"))


def test_a_far_day_stands_at_the_edge_of_the_axis(viewer: Client) -> None:
    retiring("far", days=5_000)

    page = text(viewer.get(PAGE))

    assert f'd="M{timeline.WIDTH - 6} 3V25"' in page


def test_thousands_come_in_pages_with_the_same_queries(viewer: Client) -> None:
    viewer.get(PAGE)

    def queries(number: int) -> int:
        for n in range(number):
            record = retiring(f"m{number}-{n}", days=20 + n)
            Policy.objects.create(tracked_model=record.tracked_model, approval_days=1)
        with CaptureQueriesContext(connection) as asked:
            assert viewer.get(PAGE).status_code == 200
        return len(asked)

    assert queries(2) == queries(timeline.PER_PAGE)
    assert "Page 2 of 2" in text(viewer.get(f"{PAGE}?p=2"))


def test_without_the_permission_there_is_no_page(log_in: object) -> None:
    assert log_in("").get(PAGE).status_code == 403  # type: ignore[operator]


class TestServedOn:
    @pytest.fixture
    def model(self, reviewer: Client) -> TrackedModel:
        """It began ten days ago, and moved to 1.1.0 three days ago."""
        record = recommend()
        decide(reviewer, record, "approve")
        now = timezone.now()
        for label, days in (("1.0.0", 10), ("1.1.0", 3)):
            moved = UpgradeRecord.objects.filter(state="completed", to_version__label=label)
            at = now - dt.timedelta(days)
            moved.update(completed_at=at)
            UpgradeStep.objects.filter(record__in=moved).update(at=at)
        return TrackedModel.objects.get()

    def said(self, client: Client, model: TrackedModel, day: str) -> str:
        page = reverse("admin:versioning_trackedmodel_change", args=[model.pk])
        return text(client.get(f"{page}?on={day}"))

    def test_one_version(self, reviewer: Client, model: TrackedModel) -> None:
        day = timezone.localdate() - dt.timedelta(6)
        page = self.said(reviewer, model, day.isoformat())
        assert f"On {words.day(day)} 1.0.0 (zeta-writer-1) served: from " in page
        assert "1.1.0 (zeta-writer-2) served" not in page

    def test_the_day_of_a_move_had_two(self, reviewer: Client, model: TrackedModel) -> None:
        day = timezone.localdate() - dt.timedelta(3)
        page = self.said(reviewer, model, day.isoformat())
        assert "1.0.0 (zeta-writer-1) served" in page
        assert "1.1.0 (zeta-writer-2) served: since " in page
        assert ", by reviewer, till now." in page

    def test_what_nobody_can_answer(self, reviewer: Client, model: TrackedModel) -> None:
        today = timezone.localdate()
        before, after = today - dt.timedelta(99), today + dt.timedelta(1)
        assert "nothing was tracked: that began on" in self.said(
            reviewer, model, before.isoformat()
        )
        assert f"{words.day(after)} has not come yet." in self.said(
            reviewer, model, after.isoformat()
        )
        assert f"Write a day, such as {today.isoformat()}." in self.said(reviewer, model, "soon")
        assert "served:" not in self.said(reviewer, model, "")
