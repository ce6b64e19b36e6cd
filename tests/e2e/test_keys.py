"""The keys of the inbox, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.versioning.admin.conftest import recommend
from versioning.models import UpgradeRecord

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def inbox(page: Page, transactional_db: None) -> Page:
    for name in ("one", "two"):
        recommend(name=name)
    page.goto("/admin/")
    return page


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim()"))


def test_j_and_k_move_and_a_leads_to_the_page_of_approval(inbox: Page) -> None:
    inbox.keyboard.press("j")
    assert focused(inbox) == "Move two 1.0.0 → 1.1.0?"
    inbox.keyboard.press("j")
    assert focused(inbox) == "Move one 1.0.0 → 1.1.0?"
    inbox.keyboard.press("j")  # the last one stays
    assert focused(inbox) == "Move one 1.0.0 → 1.1.0?"
    inbox.keyboard.press("k")
    assert focused(inbox) == "Move two 1.0.0 → 1.1.0?"

    record = UpgradeRecord.objects.get(tracked_model__name="two", state="recommended")
    for key, page in (("a", "approve"), ("r", "reject"), ("s", "snooze")):
        inbox.goto("/admin/")
        inbox.keyboard.press("j")
        inbox.keyboard.press(key)
        inbox.wait_for_url(f"**/upgraderecord/{record.pk}/{page}/**")
    assert UpgradeRecord.objects.filter(state="recommended").count() == 2


def test_enter_opens_the_one_that_has_focus(inbox: Page) -> None:
    inbox.keyboard.press("j")
    inbox.keyboard.press("Enter")
    inbox.wait_for_url("**/upgraderecord/*/change/")


def test_without_a_choice_it_says_what_to_do(inbox: Page) -> None:
    inbox.keyboard.press("a")
    expect(inbox.locator("#keys-says")).to_have_text("Choose one first: j and k move.")


def test_no_key_does_anything_while_somebody_types(inbox: Page) -> None:
    inbox.get_by_text("Narrow it down").click()
    owner = inbox.get_by_label("Owner")
    owner.focus()
    inbox.keyboard.type("jars?")
    expect(owner).to_have_value("jars?")
    expect(inbox.get_by_role("dialog")).to_have_count(0)


def test_the_keys_are_told_and_can_be_switched_off(inbox: Page) -> None:
    inbox.keyboard.press("?")
    expect(inbox.get_by_role("dialog")).to_be_visible()
    inbox.keyboard.press("Escape")
    expect(inbox.get_by_role("dialog")).to_have_count(0)

    inbox.get_by_role("button", name="Keys").click()
    inbox.get_by_label("Use these keys in this browser").uncheck()
    inbox.get_by_role("button", name="Close").click()
    inbox.reload()
    inbox.keyboard.press("j")
    assert not focused(inbox).startswith("Move")
    inbox.get_by_role("button", name="Keys").click()
    expect(inbox.get_by_label("Use these keys in this browser")).not_to_be_checked()


def test_where_focus_is_can_be_seen(inbox: Page) -> None:
    inbox.keyboard.press("j")
    style = "getComputedStyle(document.activeElement).outlineStyle"
    assert inbox.evaluate(style) == "solid"
