"""Every page of the admin can be used by everybody: axe-core finds nothing, titles differ."""

from importlib.resources import files
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Browser, Page

from tests.versioning.admin.walk import make_world, of_decisions, of_registry

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BY_LOOKS = ["color-contrast", "target-size", "link-in-text-block"]
"""What a theme can change; all else is the same in both, and is looked at once a width."""

PLOTS = {".hs-chart", ".hs-interval", ".hs-front-plot"}
"""What is drawn must be among what is looked at."""

LOOK = """
async ([levels, rules, dark]) => {
  document.documentElement.classList.toggle('dark', dark);
  const only = rules.length ? {type: 'rule', values: rules} : {type: 'tag', values: levels};
  const found = await axe.run(document, {runOnly: only, resultTypes: ['violations']});
  return found.violations.flatMap(rule => rule.nodes.map(
    node => `${rule.id}: ${node.target.join(' ')} ${node.html.slice(0, 120)}`));
}
"""


@pytest.fixture
def world(transactional_db: None) -> None:
    make_world()


def violations(page: Page, *, width: int, dark: bool, rules: list[str]) -> list[str]:
    page.set_viewport_size({"width": width, "height": 900})
    found: list[str] = page.evaluate(LOOK, [LEVELS, rules, dark])
    return [f"{page.url} at {width}, {'dark' if dark else 'light'}: {each}" for each in found]


def take(page: Page, shots: Path | None, address: str, *, width: int, dark: bool) -> None:
    """Keep a picture of the page, as it stands: `make screenshots` asks for them."""
    if shots is not None:
        name = address.removeprefix("/admin/").strip("/").replace("/", "-") or "inbox"
        file = f"{name}-{width}-{'dark' if dark else 'light'}.png"
        page.screenshot(path=str(shots / file), full_page=True)


def test_axe_finds_nothing_and_each_page_has_a_title_of_its_own(
    page: Page, world: None, shots: Path | None
) -> None:
    titles: dict[str, str] = {}
    found: list[str] = []
    drawn: set[str] = set()
    page.emulate_media(reduced_motion="reduce")
    staff = get_user_model().objects.get(username="ada")
    for address in dict.fromkeys([*of_decisions(), *of_registry(staff)]):
        page.goto(address, wait_until="load")
        page.evaluate(AXE)
        drawn |= {plot for plot in PLOTS if page.locator(plot).count()}
        for width in (1440, 390):
            found += violations(page, width=width, dark=False, rules=[])
            take(page, shots, address, width=width, dark=False)
            found += violations(page, width=width, dark=True, rules=BY_LOOKS)
            take(page, shots, address, width=width, dark=True)
        same = titles.setdefault(page.title(), address)
        assert same == address, f"{page.title()!r} is the title of {same} and of {address}"
    assert "\n".join(found) == ""
    assert drawn == PLOTS


def test_a_stranger_s_page(browser: Browser, live_server: object, transactional_db: None) -> None:
    page = browser.new_context(base_url=str(live_server)).new_page()
    page.goto("/admin/login/")
    page.evaluate(AXE)
    assert violations(page, width=390, dark=True, rules=[]) == []
    page.context.close()
