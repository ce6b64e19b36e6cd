"""A version's own figures, where quality is made of several things."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import NOW, tracked
from tests.versioning.admin.pages import text
from versioning.domain.figures import CHARTS
from versioning.services.evidence import baselines, days, performance
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn, SignalsIn

pytestmark = pytest.mark.django_db


def send(*, days_ago: int, valid: int, thumbs_up: int = 0, thumbs_down: int = 0) -> None:
    """Have so many valid answers of a day, some of them with feedback."""
    thumbs = [1.0] * thumbs_up + [-1.0] * thumbs_down
    feedback = [*thumbs, *[None] * (valid - len(thumbs))]
    samples = [
        SampleIn(
            provider="acme",
            model="writer",
            time=NOW - dt.timedelta(days=days_ago),
            signals=SignalsIn(valid_output=True, user_feedback=thumb),
        )
        for thumb in feedback
    ]
    assert ingestion.accept(samples, api_key_id=1, now=NOW).accepted == valid


@pytest.fixture
def writer(db: None):
    return tracked(name="writer", upstream_id="w-1", provider__slug="acme")


def test_quality_is_weighed_part_by_part(writer):
    """A mean over whatever is known would be 0.89, and rise as feedback goes missing."""
    send(days_ago=1, valid=500, thumbs_down=100)

    total = performance.figures(version_ids=[writer.current_version_id])[
        writer.current_version_id
    ].total

    assert total.quality == pytest.approx(3 / 7)  # weights of 0.3 and 0.4
    parts = {name: (part.mean, part.n) for name, part in total.quality_parts.items()}
    assert parts == {"valid_output": (1.0, 500), "user_feedback": (0.0, 100)}


def test_one_late_thumb_hardly_moves_the_figure(writer):
    """It used to take its whole weight, four sevenths, from whatever else is known."""
    send(days_ago=1, valid=1_000)
    send(days_ago=1, valid=1, thumbs_down=1)

    total = performance.figures(version_ids=[writer.current_version_id])[
        writer.current_version_id
    ].total

    assert total.quality == pytest.approx(1.0, abs=0.015)
    (version,) = days.by_day(tracked_model_id=writer.pk, now=NOW).versions
    (point,) = version.points["quality"]
    assert point.value == pytest.approx(1.0, abs=0.015)
    assert point.low is not None


def test_a_day_on_which_nobody_said_anything_is_no_better_day(writer):
    send(days_ago=2, valid=10, thumbs_up=1, thumbs_down=1)
    send(days_ago=1, valid=10)

    (version,) = days.by_day(tracked_model_id=writer.pk, now=NOW).versions

    assert [day.value for day in version.points["quality"]] == [1.0, 1.0]


def test_a_day_has_each_figure_with_its_interval(writer):
    samples = [
        SampleIn(
            provider="acme", model="writer", time=NOW, quality=0.5 + n % 2 / 4,
            latency_ms=100 + n, cost_usd=Decimal("0.002"), error="timeout" if n < 20 else "",
            tool_call_error=n % 5 == 0,
        )
        for n in range(200)
    ]  # fmt: skip
    assert ingestion.accept(samples, api_key_id=1, now=NOW).accepted == 200

    (version,) = days.by_day(tracked_model_id=writer.pk, now=NOW).versions
    found = {measure: points[0] for measure, points in version.points.items()}

    assert set(found) == {each.name for each in CHARTS}
    assert found["quality"].value == pytest.approx(0.625)
    assert found["errors"].value == pytest.approx(0.1)
    assert found["cost"].value == pytest.approx(0.002)
    for point in found.values():
        assert point.low is not None
        assert point.high is not None
        assert point.low <= point.value <= point.high


def test_a_day_with_one_sample_has_no_interval(writer):
    sample = SampleIn(provider="acme", model="writer", time=NOW, quality=0.5, latency_ms=100)
    ingestion.accept([sample], api_key_id=1, now=NOW)

    (version,) = days.by_day(tracked_model_id=writer.pk, now=NOW).versions

    assert version.points["quality"][0].low is None
    assert version.points["latency"][0].low is None
    assert "cost" not in version.points


def test_pages_name_the_parts(writer, admin_client: Client):
    send(days_ago=1, valid=100, thumbs_up=50, thumbs_down=50)
    baselines.take_baseline(version=writer.current_version, now=NOW)

    page = admin_client.get(
        reverse("admin:versioning_modelversion_change", args=[writer.current_version_id])
    )

    assert text(page).count("0.71 (user feedback 0.50, valid output 1.00)") == 2
