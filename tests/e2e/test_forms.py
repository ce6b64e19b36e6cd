"""A policy with a canary from the form alone: no JSON, and the words follow what is typed."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_access import AXE, BY_LOOKS, take, violations
from tests.factories import ModelVersionFactory
from versioning.models import EvaluationCase, EvaluationSuite, Policy

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
ADD = "/admin/versioning/policy/add/"


def test_a_policy_with_a_canary_from_the_form_alone(page: Page) -> None:
    page.goto(ADD)
    words = page.locator("#words")
    page.get_by_label("By itself", exact=True).select_option("after_gates")
    page.get_by_role("combobox", name="Canary steps").select_option("these")
    page.get_by_label("Share of the keys").first.fill("5")
    page.locator("#id_canary_steps-0-hours").fill("1")
    page.locator("#id_canary_steps-0-hours_unit").select_option("days")
    page.get_by_role("button", name="Add step").click()
    expect(page.locator("#id_canary_steps-1-weight")).to_be_focused()
    page.keyboard.type("50")
    page.locator("#id_canary_steps-1-samples").fill("500")
    expect(words).to_contain_text("Goes by itself, after 5 % for a day and 50 % for 500 samples.")

    page.get_by_role("combobox", name="Windows").select_option("these")
    page.get_by_label("Mon").check()
    page.get_by_label("Tue").check()
    page.locator("#id_windows-0-start").fill("22:00")
    page.locator("#id_windows-0-end").fill("06:00")
    expect(words).to_contain_text("at night on Mon and Tue (22:00 to 06:00)")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/policy/")
    policy = Policy.objects.get()
    assert policy.canary_steps == [{"weight": 5, "hours": 24}, {"weight": 50, "samples": 500}]
    assert policy.windows == [{"days": ["mon", "tue"], "from": "22:00", "to": "06:00"}]


def test_rows_are_sorted_and_removed_by_keyboard(page: Page) -> None:
    policy = Policy.objects.create(canary_steps=[{"weight": 5}, {"weight": 50}])
    page.goto(f"/admin/versioning/policy/{policy.pk}/change/")
    page.get_by_role("button", name="Move up: step 2").focus()
    page.keyboard.press("Enter")
    first = page.locator("#id_canary_steps_box .hs-rows-row").first.get_by_label(
        "Share of the keys"
    )
    expect(first).to_have_value("50")
    expect(page.locator("#id_canary_steps-1-up")).to_be_focused()
    page.get_by_role("button", name="Remove: step 1").click()
    expect(first).to_have_value("5")
    page.get_by_role("button", name="as JSON: Canary steps").click()
    text = page.locator("textarea[name=canary_steps]")
    expect(text).to_have_value('[\n  {\n    "weight": 5\n  }\n]')
    text.fill('[{"weight": 20}]')
    page.get_by_role("button", name="as fields: Canary steps").click()
    expect(first).to_have_value("20")


def test_a_policy_looks_right_filled_in_and_refused(page: Page, shots: Path | None) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{ADD}?preset=normal")
    page.get_by_label("Share of the keys").first.fill("lots")
    found = []
    for state in ("filled", "refused"):
        page.evaluate(AXE)
        for width in (1440, 390):
            for dark in (False, True):
                found += violations(page, width=width, dark=dark, rules=BY_LOOKS if dark else [])
                take(page, shots, f"/admin/policy-{state}", width=width, dark=dark)
                root = "document.documentElement"
                assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0
        if state == "filled":
            page.evaluate("document.documentElement.classList.remove('dark')")
            page.set_viewport_size({"width": 1440, "height": 900})
            page.get_by_role("button", name="Save", exact=True).click()
            expect(page.get_by_text("Write a number, such as 5.")).to_be_visible()
    assert "\n".join(found) == ""


def test_forms_of_rows_look_right(page: Page, shots: Path | None) -> None:
    suite = EvaluationSuite.objects.create(
        name="sums",
        scorers=["exact", {"scorer": "number", "options": {"tolerance": 1}, "weight": 2}],
        parameters={"temperature": 0, "stop": "END"},
    )
    case = EvaluationCase.objects.create(
        suite=suite, key="one", content={"messages": [{"role": "user", "content": "2 + 2?"}]}
    )
    version = ModelVersionFactory(
        parameter_map={"rename": {"max_tokens": "max_completion_tokens"}, "default": {"top_k": 4}},
        other_prices=[{"part": "request", "usd": "0.01"}],
    )
    addresses = [
        f"/admin/versioning/evaluationsuite/{suite.pk}/change/",
        f"/admin/versioning/evaluationcase/{case.pk}/change/",
        f"/admin/versioning/modelversion/{version.pk}/change/?settings=1",
        f"/admin/providers/provider/{version.tracked_model.provider_id}/change/",
        "/admin/django_celery_beat/periodictask/add/",
    ]
    page.emulate_media(reduced_motion="reduce")
    found = []
    for address in addresses:
        page.goto(address)
        page.evaluate(AXE)
        for width in (1440, 390):
            for dark in (False, True):
                found += violations(page, width=width, dark=dark, rules=BY_LOOKS if dark else [])
                take(page, shots, address, width=width, dark=dark)
            root = "document.documentElement"
            assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0, address
    assert "\n".join(found) == ""

    page.goto(addresses[0])
    page.get_by_role("button", name="Add scorer").click()
    expect(page.get_by_label("Scorer", exact=True)).to_have_count(3)
    page.get_by_label("Scorer", exact=True).last.select_option("latency")
    page.get_by_label("Limit ms").fill("900")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/evaluationsuite/")
    suite.refresh_from_db()
    assert suite.scorers[2] == {"scorer": "latency", "options": {"limit_ms": 900}}


CUT = """
[...document.querySelectorAll('main label, main label *')]
  .filter(each => getComputedStyle(each).overflowX !== 'visible')
  .filter(each => each.scrollWidth > each.clientWidth + 1)
  .map(each => each.textContent.trim())
"""


def test_what_a_choice_is_called_is_read_whole_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    for name in ("apikey", "recipient", "webhook", "policy"):
        page.goto(f"/admin/versioning/{name}/add/")
        assert page.locator("main label").count() > 3
        assert page.evaluate(CUT) == [], name
