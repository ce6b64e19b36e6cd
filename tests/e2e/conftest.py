"""A real browser at a real server. Chromium comes from the system (apt install chromium)."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Browser, Page, sync_playwright

# Playwright's synchronous API runs a loop in this thread, in which Django would refuse queries.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Browser tests need Chromium: apt install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def operator(transactional_db: None) -> object:
    return get_user_model().objects.create_superuser("ada", password="pass")


@pytest.fixture
def page(browser: Browser, live_server: object, operator: object) -> Iterator[Page]:
    """A page of somebody who is logged in; a message in the console fails the test."""
    context = browser.new_context(
        base_url=str(live_server), viewport={"width": 1440, "height": 900}
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    page.goto("/admin/")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", "pass")
    page.click("button[type=submit]")
    yield page
    context.close()
    assert without_broken_off(problems) == []


def without_broken_off(problems: Sequence[str]) -> list[str]:
    """Return them without what htmx says of requests that the page itself broke off.

    It asks anew, or the reader has left. Of a request that failed the second word is another.
    """
    said = "\n".join(problems).replace("htmx:afterRequest\nhtmx:sendAbort", "")
    return [line for line in said.split("\n") if line]


@pytest.fixture
def shots() -> Path | None:
    """Where screenshots go: the folder named by SCREENSHOTS; none without it."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder) if folder else None
