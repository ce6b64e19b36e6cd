"""What staff do besides approving, in a real browser: each flow from its first page to its end."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from providers.models import Provider
from sample_world.simulator import Simulator
from tests.versioning.admin.conftest import recommend, schedule_looks
from tests.versioning.admin.test_live import STEPS
from versioning import tasks
from versioning.models import (
    ApiKey,
    Canary,
    EvaluationCase,
    EvaluationSuite,
    Policy,
    UpgradeRecord,
    WakeRule,
)
from versioning.services import nudges

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def record(transactional_db: None) -> UpgradeRecord:
    return recommend()


def sheet_of(record: UpgradeRecord) -> str:
    return f"/admin/versioning/upgraderecord/{record.pk}/change/"


def test_two_people_approve(
    page: Page, browser: Browser, live_server: object, record: UpgradeRecord
) -> None:
    Policy.objects.create(tracked_model=record.tracked_model, approvals_needed=2)
    get_user_model().objects.create_superuser("grace", password="pass")
    approve(page, record)
    expect(page.get_by_text("it waits for somebody else's")).to_be_visible()
    record.refresh_from_db()
    assert record.is_waiting

    other = browser.new_context(base_url=str(live_server))
    try:
        second = other.new_page()
        second.goto("/admin/")
        second.fill("[name=username]", "grace")
        second.fill("[name=password]", "pass")
        second.click("button[type=submit]")
        approve(second, record)
        expect(second.get_by_text("Approved: writer is at")).to_be_visible()
    finally:
        other.close()
    record.refresh_from_db()
    assert not record.is_waiting


def approve(page: Page, record: UpgradeRecord) -> None:
    page.goto(sheet_of(record))
    page.get_by_role("link", name=re.compile("^Approve")).click()
    page.get_by_label("Reason").fill("The old one ends on Monday.")
    page.get_by_role("button", name=re.compile("^Approve")).click()


def test_snooze_until_a_day(page: Page, record: UpgradeRecord) -> None:
    day = timezone.localdate() + dt.timedelta(days=10)
    page.goto(sheet_of(record))
    page.get_by_role("link", name=re.compile("Snooze|Wait for evidence")).click()
    page.get_by_label("Until").fill(day.isoformat())
    page.get_by_role("button", name="Snooze").click()
    page.wait_for_url(f"**{sheet_of(record)}")
    record.refresh_from_db()
    assert record.state == "snoozed"
    assert record.snoozed_until is not None
    assert timezone.localdate(record.snoozed_until) == day


def test_reject_until_it_is_cheaper(page: Page, record: UpgradeRecord) -> None:
    page.goto(sheet_of(record))
    page.get_by_role("link", name="Reject").click()
    expect(page.get_by_label("Cheaper by, per cent")).to_be_hidden()
    page.get_by_label("Offer it again").select_option(label="when it gets cheaper")
    page.get_by_label("Cheaper by, per cent").fill("20")
    page.get_by_label("Reason").fill("Twice as dear.")
    page.get_by_role("button", name="Reject").click()
    page.wait_for_url(f"**{sheet_of(record)}")
    record.refresh_from_db()
    assert record.state == "rejected"
    assert WakeRule.objects.get(record=record).price_falls_by == Decimal("0.2")


def test_a_canary_is_approved_begins_and_is_seen_on_its_way(
    page: Page,
    record: UpgradeRecord,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schedule_looks()
    # Here the worker does what it is told within the request: it is to come later, as elsewhere.
    monkeypatch.setitem(nudges._senders, nudges.Nudge.CARRY_ON, lambda: None)
    for version in (record.from_version, record.to_version):
        assert version is not None
        simulator.catalogue.add("ollama", version.upstream_id, revision="a", released=-60)
    Provider.objects.update(kind="ollama", base_url=simulator.base_url("ollama"))
    Policy.objects.create(tracked_model=record.tracked_model, canary_steps=STEPS)

    page.goto(sheet_of(record))
    expect(page.get_by_text("canary, at first with 5% of the keys")).to_be_visible()
    approve(page, record)
    course = page.locator("#canary")
    expect(course).to_contain_text("the provider is asked for a way back")
    tasks.carry_on()  # from here on without a reload
    expect(course).to_contain_text("5% of the keys get it, step 1 of 2", timeout=15_000)

    first, second = course.get_by_role("listitem").all()
    expect(first).to_have_attribute("aria-current", "step")
    expect(first).to_contain_text(re.compile("5%.*on.*1 day", re.S))
    expect(second).to_contain_text(re.compile("50%.*to come.*500 samples", re.S))
    next_look = course.locator("[data-countdown]")
    expect(next_look).to_have_text(re.compile("^in about (4 min )?[0-9]+ s$"))
    expect(next_look).not_to_have_text(next_look.inner_text(), timeout=4_000)
    course.get_by_role("link", name="Show the whole page").click()
    expect(page.get_by_role("link", name=re.compile("^Abort"))).to_be_visible()
    record.refresh_from_db()
    assert record.state == "canary"


def test_a_canary_is_aborted(page: Page, record: UpgradeRecord) -> None:
    now = timezone.now()
    UpgradeRecord.objects.filter(pk=record.pk).update(state="canary")
    Canary.objects.create(
        record=record, salt="x", steps=STEPS, began_at=now, step_began_at=now, looked_at=now
    )
    page.goto(sheet_of(record))
    page.get_by_role("link", name=re.compile("^Abort")).click()
    page.get_by_label("Reason").fill("Complaints.")
    page.get_by_role("button", name=re.compile("^Abort")).click()
    page.wait_for_url(f"**{sheet_of(record)}")
    record.refresh_from_db()
    assert record.state == "aborted"
    assert record.tracked_model.current_version_id == record.from_version_id


def test_compare_two_versions(page: Page, record: UpgradeRecord) -> None:
    page.goto(f"/admin/versioning/modelversion/{record.to_version_id}/change/")
    page.get_by_role("link", name="Compare").first.click()
    assert f"{record.to_version_id}" in page.url
    page.get_by_role("button", name="Compare").click()
    (csv, json) = (page.get_by_role("link", name=form, exact=True) for form in ("CSV", "JSON"))
    expect(csv).to_be_visible()
    told = page.request.get(page.url.partition("?")[0] + str(json.get_attribute("href")))
    assert told.ok, told.text()


def test_of_a_file_with_an_error_in_its_third_row_the_others_are_stored(
    page: Page, transactional_db: None
) -> None:
    suite = EvaluationSuite.objects.create(name="Sums")
    page.goto(f"/admin/versioning/evaluationsuite/{suite.pk}/cases/")
    good = '{"key": "%s", "prompt": "2 + 2", "expected": "4"}'
    rows = [good % "one", good % "two", '{"key": "three", "prompt"', good % "four"]
    content = "\n".join(rows).encode()
    page.locator("input[type=file]").set_input_files(
        {"name": "cases.jsonl", "mimeType": "application/jsonl", "buffer": content}
    )
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("3 cases can be stored, 1 can't")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Row 3 is no JSON")).to_be_visible()
    page.get_by_role("button", name="Store them").click()
    page.wait_for_url("**/change/")
    assert set(EvaluationCase.objects.values_list("key", flat=True)) == {"one", "two", "four"}


def test_a_key_is_shown_once(page: Page, transactional_db: None) -> None:
    page.goto("/admin/versioning/apikey/add/")
    page.get_by_label("Name").fill("checkout")
    page.get_by_label("Read").check()
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("[data-secret]").inner_text()
    page.reload()
    expect(page.get_by_text(secret)).to_have_count(0)
    assert ApiKey.objects.count() == 1
    page.goto("/admin/versioning/apikey/")
    assert secret not in page.content()


def test_the_figures_of_a_sheet_fit_their_card(page: Page, transactional_db: None) -> None:
    judged = {"estimate": 0.1, "low": 0.081, "high": 0.119, "verdict": "better"}
    quality = {"current": "0.75", "candidate": "0.85", "n_current": 13802, "n_candidate": 12344}
    part = {"judgement": judged, "quality": quality}
    told = {"low": -0.025, "high": 0.014, "limit": "0.011", "status": "passed"}
    gates = [
        {"name": "errors", "value": "-0.0061", "current": 0.011, "candidate": 0.005, **told},
        {"name": "latency_p95", "value": "0.0392", "current": 1064, "candidate": 1023, **told},
        {
            "name": "cost_per_success",
            "value": "0.04",
            "current": 6.28e-5,
            "candidate": 6e-5,
            **told,
        },
    ]
    tasks = [{"name": name, **part} for name in ("extract", "summarise")]
    page.goto(sheet_of(recommend(evidence={**part, "tasks": tasks, "gates": gates})))
    for width in (1920, 1440, 1280, 1060, 390):
        page.set_viewport_size({"width": width, "height": 900})
        card = page.locator(".hs-scroll:has(> .hs-intervals)")
        assert card.evaluate("card => card.scrollWidth - card.clientWidth") <= 0, width
