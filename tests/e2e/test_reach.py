"""Pages load nothing from elsewhere, and the keyboard and a screen reader get everywhere."""

import pytest
from playwright.sync_api import Page, Request

from tests.factories import UpgradeRecordFactory
from versioning.models import UpgradeRecord

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

UNNAMED = """
[...document.querySelectorAll('main input, main select, main textarea, .hs-page input, .hs-page textarea')]
  .filter(e => e.type !== 'hidden' && e.offsetParent !== null)
  .filter(e => !e.labels?.length && !e.getAttribute('aria-label') && !e.title && !e.placeholder)
  .map(e => e.outerHTML.slice(0, 120))
"""  # noqa: E501  (one selector)


@pytest.fixture
def record(transactional_db: None) -> UpgradeRecord:
    return UpgradeRecordFactory()


def addresses(record: UpgradeRecord) -> list[str]:
    own = [f"versioning/upgraderecord/{record.pk}/{page}/" for page in ("approve", "snooze", "why")]
    return ["", *own, "versioning/trackedmodel/add/", "versioning/apikey/add/"]


def test_nothing_comes_from_elsewhere(
    page: Page, live_server: object, record: UpgradeRecord
) -> None:
    strange: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((str(live_server), "data:", "blob:")):
            strange.append(request.url)

    page.on("request", note)
    described = ("/api/docs", "/api/redoc")
    for address in (*(f"/admin/{each}" for each in addresses(record)), *described):
        page.goto(address)
        page.wait_for_load_state("networkidle")
    assert strange == []


def test_every_field_has_a_name(page: Page, record: UpgradeRecord) -> None:
    for address in addresses(record):
        page.goto(f"/admin/{address}")
        assert page.evaluate(UNNAMED) == [], address


def test_the_keyboard_reaches_the_decision(page: Page, record: UpgradeRecord) -> None:
    page.goto(f"/admin/versioning/upgraderecord/{record.pk}/approve/")
    page.get_by_label("Reason").focus()
    page.keyboard.type("The old one ends on Monday.")
    page.keyboard.press("Tab")
    assert "Approve" in str(page.evaluate("document.activeElement.textContent"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    record.refresh_from_db()
    assert record.state == "completed"
