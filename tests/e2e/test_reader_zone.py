"""Times are told in the zone that the reader's browser lives in, without a setting."""

import datetime as dt

import pytest
from playwright.sync_api import Browser, expect

from tests.factories import NOW
from versioning.models import Freeze

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def test_times_are_the_reader_s_from_the_sign_in_on(
    browser: Browser, live_server: object, operator: object
) -> None:
    Freeze.objects.create(name="Trade", starts_at=NOW, ends_at=NOW + dt.timedelta(hours=4))
    context = browser.new_context(base_url=str(live_server), timezone_id="America/New_York")
    page = context.new_page()
    page.goto("/admin/versioning/freeze/")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", "pass")
    page.click("button[type=submit]")
    expect(page.get_by_role("table")).to_contain_text("1 Mar 2026 07:00 EST")
    page.get_by_role("link", name="Trade").click()
    expect(page.locator("#id_starts_at_1")).to_have_value("07:00:00")
    context.close()
