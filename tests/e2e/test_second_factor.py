"""The second factor in a real browser: set up, asked for, on a phone and in both themes."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.test_access import AXE, take, violations
from tests.totp import code_of

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def look(page: Page, name: str, shots: Path | None) -> list[str]:
    """Return what axe finds on the page as it stands, wide and on a phone, in both themes."""
    page.evaluate(AXE)
    found = list[str]()
    for width in (1440, 390):
        for dark in (False, True):
            found += violations(page, width=width, dark=dark, rules=[], without=())
            take(page, shots, name, width=width, dark=dark)
        wider = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found += [f"{name} is wider than {width}"] if wider else []
    return found


def test_it_is_set_up_and_asked_for(
    page: Page, browser: Browser, live_server: object, shots: Path | None
) -> None:
    page.click(".hs-person")
    page.click("text=Second factor")
    expect(page.locator(".hs-qr svg")).to_be_visible()
    found = look(page, "second-factor-set-up", shots)
    page.set_viewport_size({"width": 1440, "height": 900})
    secret = page.locator("[data-secret]").inner_text()
    page.fill("[name=code]", code_of(secret, at=time.time()))
    page.click("text=Switch it on")
    expect(page.locator("h1.hs-big")).to_have_text("Recovery codes")
    codes = re.findall(
        r"[A-Z0-9]{4}(?:-[A-Z0-9]{4}){3}", page.locator("[data-secret]").inner_text()
    )
    found += look(page, "second-factor-codes", shots)
    page.click("text=I have kept them")
    page.goto("/admin/auth/user/second-factor/")
    found += look(page, "second-factor-on", shots)

    elsewhere = browser.new_context(base_url=str(live_server)).new_page()
    elsewhere.goto("/admin/versioning/trackedmodel/")
    elsewhere.fill("[name=username]", "ada")
    elsewhere.fill("[name=password]", "pass")
    elsewhere.click("button[type=submit]")
    expect(elsewhere.locator("h1.hs-big")).to_have_text("Your second factor")
    found += look(elsewhere, "second-factor-asked", shots)
    elsewhere.fill("[name=code]", "000000")
    elsewhere.click("text=Go on")
    expect(elsewhere.locator("[role=alert]")).to_be_visible()
    # Of the next half minute, which counts already: that of this one was used to switch it on.
    elsewhere.fill("[name=code]", code_of(secret, at=time.time() + 30))
    elsewhere.click("text=Go on")
    elsewhere.wait_for_url("**/admin/versioning/trackedmodel/")
    elsewhere.context.close()
    assert len(codes) == 10
    assert "\n".join(found) == ""
