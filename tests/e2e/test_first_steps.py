"""First steps on an empty server, in a real browser: each is ticked by what happens."""

from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from sample_world.simulator import Simulator
from tests.e2e.test_access import AXE, take, violations
from tests.factories import ApiKeyFactory, ModelVersionFactory, UpgradeRecordFactory
from versioning import tasks
from versioning.models import TrackedModel

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def look(page: Page, shots: Path | None, name: str) -> None:
    """Take the inbox and the page of the steps, wide and narrow, in both themes."""
    page.evaluate(AXE)
    for width in (1440, 390):
        for dark in (False, True):
            assert violations(page, width=width, dark=dark, rules=[]) == []
            take(page, shots, name, width=width, dark=dark)
    page.set_viewport_size({"width": 1440, "height": 900})


def test_first_steps_on_an_empty_server(
    page: Page, live_server: object, simulator: Simulator, shots: Path | None
) -> None:
    simulator.catalogue.add("ollama", "zeta:7b", revision="a", released=-60)
    steps = page.get_by_role("region", name="First steps")
    page.goto("/admin/")
    expect(steps).to_contain_text("0 of 5 done")
    look(page, shots, "first-steps-0")

    steps.get_by_role("link", name="Add a provider").click()
    page.fill("[name=slug]", "local")
    page.fill("[name=name]", "Local")
    page.select_option("[name=kind]", "ollama")
    page.fill("[name=base_url]", simulator.base_url("ollama"))
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto("/admin/")
    expect(steps).to_contain_text("1 of 5 done")

    tasks.check_providers(trigger="manual")
    page.reload()
    expect(steps).to_contain_text("2 of 5 done")

    steps.get_by_role("link", name="Track a model").click()
    page.select_option("[name=provider]", index=1)
    page.fill("[name=upstream_id]", "zeta:7b")
    page.fill("[name=name]", "zeta")
    page.get_by_role("button", name="Track this model").click()
    page.wait_for_load_state()
    page.goto("/admin/")
    expect(steps).to_contain_text("3 of 5 done")
    expect(steps).to_contain_text('"provider": "local", "model": "zeta"')
    look(page, shots, "first-steps-3")

    tell(str(live_server))
    page.reload()
    expect(steps).to_contain_text("4 of 5 done")

    model = TrackedModel.objects.get()
    newer = ModelVersionFactory(tracked_model=model, label="1.1.0", upstream_id="zeta:8b")
    UpgradeRecordFactory(tracked_model=model, to_version=newer, reasons=["Newer."])
    page.reload()
    page.get_by_role("link", name="Reject").click()
    page.get_by_label("Reason").fill("Too dear.")
    page.get_by_role("button", name="Reject").click()
    page.wait_for_load_state()
    page.goto("/admin/")
    expect(steps).to_have_count(0)
    page.goto("/admin/versioning/trackedmodel/first-steps/")
    expect(page.get_by_role("heading", name="First steps: all done")).to_be_visible()


def tell(server: str) -> None:
    """Send what the page shows to be pasted, with a real key."""
    answer = requests.post(
        f"{server}/api/performance-samples",
        json={"provider": "local", "model": "zeta", "task": "chat", "latency_ms": 640},
        headers={"Authorization": f"Bearer {ApiKeyFactory().secret}"},
        timeout=10,
    )
    assert answer.json()["accepted"] == 1
