"""A name of 120 letters without a break breaks no page, and pushes no button out of reach."""

import pytest
from playwright.sync_api import Page

from tests.factories import ModelVersionFactory, ProviderFactory, UpgradeRecordFactory, tracked
from versioning.models import UpgradeRecord

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
LETTERS = "Donaudampfschifffahrtsgesellschaft"
LONG = (LETTERS * 4)[:120]
RIGHT_TO_LEFT = "\u0646\u0645\u0648\u0630\u062c-1"

OUT_OF_REACH = """
[...document.querySelectorAll('main a, main button, main input, main textarea')]
  .filter(e => e.offsetParent !== null && !e.closest('.hs-scroll, [data-simplebar]'))
  .map(e => [e.getBoundingClientRect(), e])
  .filter(([box]) => box.width && (box.right > innerWidth + 1 || box.left < -1))
  .map(([box, e]) => e.outerHTML.slice(0, 100))
"""


@pytest.fixture(params=[LONG, RIGHT_TO_LEFT], ids=["long", "right to left"])
def record(request: pytest.FixtureRequest, transactional_db: None) -> UpgradeRecord:
    name = request.param
    provider = ProviderFactory(name=name[:100], slug="long")
    model = tracked(name=name, upstream_id=f"{name}-1", provider=provider)
    newer = ModelVersionFactory(tracked_model=model, label="1.1.0", upstream_id=f"{name}-2")
    sentence = f"Quality of {name} rose."
    return UpgradeRecordFactory(
        tracked_model=model, to_version=newer, reasons=[sentence], evidence={"sentence": sentence}
    )


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_is_out_of_reach(page: Page, record: UpgradeRecord, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    upgrade = f"versioning/upgraderecord/{record.pk}"
    for address in (
        "",
        "versioning/upgraderecord/",
        f"{upgrade}/change/",
        f"{upgrade}/approve/",
        f"{upgrade}/reject/",
        f"versioning/trackedmodel/{record.tracked_model_id}/change/",
        f"versioning/modelversion/{record.to_version_id}/change/",
        "versioning/trackedmodel/",
    ):
        page.goto(f"/admin/{address}")
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0, address
        assert page.evaluate(OUT_OF_REACH) == [], address
