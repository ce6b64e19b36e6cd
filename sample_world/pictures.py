"""Take the README's pictures from a running demo: ``python -m sample_world.pictures ADDRESS``.

Chromium comes from the system, playwright with ``make setup-dev``.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from sample_world.story import PASSWORD, USER

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
SIZE = {"width": 1060, "height": 620}
MOST_BYTES = 150_000
TOUR = {
    "sheet": ("What would change", ""),
    "canary": ("A canary under way", ""),
    "model": ("A model over time", "Day by day"),
}
"""Each picture but the inbox: the stop of the tour that leads to it, and the heading on its top."""


def main(address: str) -> None:
    """Write a picture of the inbox and of each stop; exit where one is too large."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(base_url=address, viewport=SIZE, reduced_motion="reduce")  # type: ignore[arg-type]
        page.goto("/admin/")
        page.fill("[name=username]", USER)
        page.fill("[name=password]", PASSWORD)
        page.click("button[type=submit]")
        _take(page, "inbox", heading="Waits for a decision")
        for name, (stop, heading) in TOUR.items():
            page.goto("/admin/tour/")
            page.get_by_role("link", name=stop, exact=True).click()
            _take(page, name, heading=heading)
        browser.close()
    too_large = [file.name for file in FOLDER.glob("*.png") if file.stat().st_size > MOST_BYTES]
    if too_large:
        sys.exit(f"Larger than {MOST_BYTES:,} bytes: {', '.join(too_large)}")


def _take(page: Page, name: str, *, heading: str) -> None:
    page.wait_for_load_state("networkidle")
    if heading:
        found = page.get_by_role("heading", name=heading).first
        found.evaluate("heading => heading.scrollIntoView()")
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(FOLDER / f"{name}.png"))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000")
