"""Staff decide in a real browser, and an application sees what `current` answers."""

from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.factories import ApiKeyFactory, ModelVersionFactory, UpgradeRecordFactory, tracked
from versioning.models import TrackedModel, UpgradeRecord

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def model(transactional_db: None) -> TrackedModel:
    model = tracked(name="writer", upstream_id="zeta-writer-1")
    newer = ModelVersionFactory(tracked_model=model, label="1.1.0", upstream_id="zeta-writer-2")
    UpgradeRecordFactory(
        tracked_model=model, to_version=newer, reasons=["Same line, newer generation: 2 after 1."]
    )
    return model


def current(live_server: object, model: TrackedModel, secret: str) -> str:
    answer = requests.get(
        f"{live_server}/api/model-versions/{model.provider.slug}/{model.name}/current",
        headers={"Authorization": f"Bearer {secret}"},
        timeout=10,
    )
    return str(answer.json()["version"]["upstream_id"])


def test_approve_then_roll_back(page: Page, live_server: object, model: TrackedModel) -> None:
    secret = ApiKeyFactory().secret
    assert current(live_server, model, secret) == "zeta-writer-1"

    page.goto("/admin/")
    expect(page.get_by_text("1 decision waits")).to_be_visible()
    page.get_by_role("link", name="Approve").click()
    expect(page.get_by_text("zeta-writer-2").first).to_be_visible()
    page.get_by_label("Reason").fill("The old one ends on Monday.")
    page.get_by_role("button", name="Approve").click()
    assert current(live_server, model, secret) == "zeta-writer-2"

    page.goto(f"/admin/versioning/trackedmodel/{model.pk}/change/")
    page.get_by_role("link", name="Roll back").first.click()
    page.get_by_label("Reason").fill("Answers got worse.")
    page.get_by_role("button", name="Roll back").click()
    assert current(live_server, model, secret) == "zeta-writer-1"
    assert UpgradeRecord.objects.filter(state="rolled_back").count() == 1


def test_a_rejection_needs_its_reason(page: Page, model: TrackedModel) -> None:
    page.goto("/admin/")
    page.get_by_role("link", name="Reject").click()
    reason = page.get_by_label("Reason")
    page.get_by_role("button", name="Reject").click()
    assert UpgradeRecord.objects.filter(state="recommended").count() == 1
    reason.fill("Twice as dear.")
    page.get_by_role("button", name="Reject").click()
    page.wait_for_load_state()
    assert UpgradeRecord.objects.get(state="rejected").steps.get().reason == "Twice as dear."


PAGES = (
    "",
    "versioning/upgraderecord/",
    "versioning/modelversion/",
    "versioning/trackedmodel/",
    "versioning/performancesample/",
    "versioning/check/",
    "providers/provider/",
    "django_celery_beat/periodictask/",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_is_wider_than_the_screen(
    page: Page, model: TrackedModel, shots: Path | None, width: int, scheme: str
) -> None:
    record = UpgradeRecord.objects.get(state="recommended")
    details = (
        f"versioning/upgraderecord/{record.pk}/change/",
        f"versioning/modelversion/{record.to_version_id}/change/",
        f"versioning/trackedmodel/{model.pk}/change/",
    )
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for address in (*PAGES, *details):
        answer = page.goto(f"/admin/{address}")
        assert answer is not None
        assert answer.status == 200
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0, address
        if shots is not None:
            name = address.strip("/").replace("/", "-") or "inbox"
            page.screenshot(path=str(shots / f"{name}-{width}-{scheme}.png"), full_page=True)
