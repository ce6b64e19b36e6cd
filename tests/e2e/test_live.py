"""Parts of pages that follow what happens, in a real browser, without a reload."""

import re
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.e2e.test_access import AXE, take, violations
from tests.factories import NOW
from tests.versioning.admin.conftest import open_run, recommend
from tests.versioning.admin.test_live import STEPS
from versioning.models import Canary, EvaluationRun, UpgradeRecord

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
MARK = "document.documentElement.dataset.stays = 'yes'"
STAYS = "document.documentElement.dataset.stays"
SOON = 15_000


@pytest.fixture
def trial(transactional_db: None) -> UpgradeRecord:
    record, now = recommend(), timezone.now()
    UpgradeRecord.objects.filter(pk=record.pk).update(state="canary")
    Canary.objects.create(
        record=record, salt="x", steps=STEPS, began_at=now, step_began_at=now, looked_at=now
    )
    return record


def test_a_run_goes_on_before_the_reader_s_eyes_and_ends(
    page: Page, transactional_db: None
) -> None:
    run = open_run(recommend())
    page.goto(f"/admin/versioning/evaluationrun/{run.pk}/change/")
    page.evaluate(MARK)
    expect(page.locator("#run-progress")).to_contain_text("0 of 4 requests")

    run.trials.filter(case_key="one").update(done_at=NOW, outcome="ok")
    expect(page.locator("#run-progress")).to_contain_text("2 of 4 requests", timeout=SOON)
    expect(page.locator("#live-says")).to_have_text("2 of 4 requests")

    EvaluationRun.objects.update(state="done", ended_at=NOW, verdict="not_worse")
    expect(page.get_by_role("link", name="It has ended: show the results")).to_be_visible(
        timeout=SOON
    )
    expect(page.locator("#live-says")).to_have_text("The run has ended: done")
    assert page.evaluate(STAYS) == "yes"  # it was no reload

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4_000)
    assert asked == []  # what has ended is asked for no more


def test_what_is_as_it_was_costs_no_page_and_stays_where_it_is(
    page: Page, transactional_db: None
) -> None:
    run = open_run(recommend())
    page.goto(f"/admin/versioning/evaluationrun/{run.pk}/change/")
    with page.expect_response(lambda answer: answer.url.endswith("/live/")) as first:
        pass
    assert (first.value.status, bool(first.value.headers["etag"])) == (200, True)
    page.evaluate("document.querySelector('#run-progress').dataset.kept = 'yes'")

    with page.expect_response(lambda answer: answer.url.endswith("/live/")) as second:
        pass

    assert second.value.request.headers["if-none-match"] == first.value.headers["etag"]
    assert second.value.status == 304
    assert page.locator("#run-progress").get_attribute("data-kept") == "yes"


def test_a_moment_is_told_in_the_reader_s_zone_too(
    page: Page, browser: Browser, trial: UpgradeRecord, live_server: object
) -> None:
    signed_in = page.context.storage_state()
    for zone, told in (
        (
            "Asia/Tokyo",
            r"^\d{1,2} \w{3,4} \d{4},? \d\d:\d\d GMT\+9 \(\d{1,2} \w{3} \d{4} \d\d:\d\d UTC\)$",
        ),
        ("UTC", r"^\d{1,2} \w{3} \d{4} \d\d:\d\d UTC$"),
    ):
        context = browser.new_context(
            base_url=str(live_server), storage_state=signed_in, timezone_id=zone
        )
        elsewhere = context.new_page()
        elsewhere.goto(f"/admin/versioning/upgraderecord/{trial.pk}/change/")
        moment = elsewhere.locator("#canary time[title]").first
        expect(moment).to_have_attribute("title", re.compile(told))
        context.close()


MOVING = """
[...document.querySelectorAll('body *')].filter(each => {
  const {animationDuration, transitionDuration, scrollBehavior} = getComputedStyle(each);
  return scrollBehavior === 'smooth'
    || `${animationDuration}, ${transitionDuration}`.split(', ').some(time => time !== '0s');
}).length
"""


def test_nothing_moves_before_who_asked_for_that(page: Page, trial: UpgradeRecord) -> None:
    run = open_run(recommend(name="tested"))
    for address in (
        "/admin/",
        f"/admin/versioning/upgraderecord/{trial.pk}/change/",
        f"/admin/versioning/evaluationrun/{run.pk}/change/",
        "/admin/versioning/policy/add/",
    ):
        page.goto(address)
        page.emulate_media(reduced_motion="no-preference")
        assert page.evaluate(MOVING) > 0  # so that there is something to hold still
        page.emulate_media(reduced_motion="reduce")
        assert page.evaluate(MOVING) == 0, address


def test_a_canary_s_page_and_the_inbox_follow_it(page: Page, trial: UpgradeRecord) -> None:
    for address, part in (
        (f"/admin/versioning/upgraderecord/{trial.pk}/change/", "#canary"),
        ("/admin/", "#moves-under-way"),
    ):
        Canary.objects.update(says="It stays.")
        page.goto(address)
        page.evaluate(MARK)
        expect(page.locator(part)).to_contain_text("It stays.")
        Canary.objects.update(says="It goes on.")
        expect(page.locator(part)).to_contain_text("It goes on.", timeout=SOON)
        assert page.evaluate(STAYS) == "yes"


def test_where_nobody_may_ask_any_more_it_says_so(page: Page, transactional_db: None) -> None:
    run = open_run(recommend())
    page.goto(f"/admin/versioning/evaluationrun/{run.pk}/change/")
    page.context.clear_cookies()
    expect(page.locator("#run-progress")).to_contain_text(
        "no longer up to date: reload the page", timeout=SOON
    )


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_in_what_is_under_way(
    page: Page, trial: UpgradeRecord, shots: Path | None, dark: bool
) -> None:
    run = open_run(recommend(name="tested"))
    page.emulate_media(reduced_motion="reduce")
    found: list[str] = []
    for address in (
        "/admin/",
        f"/admin/versioning/upgraderecord/{trial.pk}/change/",
        f"/admin/versioning/evaluationrun/{run.pk}/change/",
    ):
        page.goto(address, wait_until="load")
        page.evaluate(AXE)
        for width in (1440, 390):
            found += violations(page, width=width, dark=dark, rules=[])
            take(page, shots, f"{address}under-way", width=width, dark=dark)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert found == []


def test_the_keys_dialog_is_for_everybody(page: Page, trial: UpgradeRecord) -> None:
    page.goto("/admin/")
    page.get_by_role("button", name="Keys").click()
    page.evaluate(AXE)
    assert violations(page, width=390, dark=True, rules=[]) == []
