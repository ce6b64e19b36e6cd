"""The plots of days tell each dot to whoever points at it, and to whoever has but a keyboard."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.e2e.test_access import AXE, BY_LOOKS, violations
from tests.factories import tracked
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def quality(page: Page) -> str:
    """Open the page of a model with three days of samples; return its plot of quality."""
    model = tracked(name="writer", upstream_id="w-1", provider__slug="acme")
    now = timezone.now()
    samples = [
        SampleIn(
            provider="acme", model="writer", time=now - dt.timedelta(days=day),
            quality=0.5 + 0.1 * day, latency_ms=80,
        )
        for day in range(3)
    ]  # fmt: skip
    ingestion.accept(samples, api_key_id=1, now=now)
    page.goto(reverse("admin:versioning_trackedmodel_change", args=[model.pk]))
    return "[data-plot]:has(svg[aria-label^=Quality])"


def test_the_arrow_keys_tell_of_each_day(page: Page, quality: str) -> None:
    plot, told = page.locator(quality), page.locator(f"{quality} [data-plot-says]")
    expect(told).to_be_hidden()
    page.get_by_role("button", name="Show", exact=True).first.focus()
    page.keyboard.press("Tab")
    expect(plot).to_be_focused()
    expect(told).to_contain_text("0.500, 1 sample")
    page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text("0.600, 1 sample")
    page.keyboard.press("Home")
    expect(told).to_contain_text("0.700, 1 sample")
    page.keyboard.press("Escape")
    expect(told).to_be_hidden()
    page.keyboard.press("Tab")
    expect(told).to_be_hidden()


def test_the_dot_under_the_pointer_is_told(page: Page, quality: str) -> None:
    told = page.locator(f"{quality} [data-plot-says]")
    page.locator(f"{quality} circle").first.hover(force=True)
    expect(told).to_contain_text("0.700, 1 sample")
    page.get_by_role("heading", name="Day by day").hover()
    expect(told).to_be_hidden()


@pytest.mark.parametrize("width", [1440, 390])
def test_what_is_told_stays_on_the_page_and_can_be_read(
    page: Page, quality: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(AXE)
    page.locator(quality).focus()
    page.keyboard.press("End")
    for dark in (False, True):
        assert violations(page, width=width, dark=dark, rules=BY_LOOKS if dark else []) == []
    said = page.locator(f"{quality} [data-plot-says]").bounding_box()
    dot = page.locator(f"{quality} .hs-told").bounding_box()
    assert said is not None
    assert dot is not None
    assert said["x"] >= 0
    assert said["x"] + said["width"] <= width
    assert 0 < dot["y"] - (said["y"] + said["height"]) < 20  # just over it
