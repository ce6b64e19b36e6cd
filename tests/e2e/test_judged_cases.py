"""Twenty upgrades of known truth: what the card advises is right, in few words.

`SCREENSHOTS=folder` also takes each sheet as somebody sees it first, in an order that tells
nothing, and the key beside them: look at them one after another, write down approve, reject or
wait for each, then open the key.
"""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import ApiKeyFactory
from tests.judged import world
from tests.judged.cases import CASES

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

LEAST_RIGHT = 18
MOST_WORDS = 120
"""Above the fold of 1440 x 900, in the sheet's card."""

WORDS = """() => {
    const words = []
    const bar = document.querySelector('#submit-row, .submit-row')
    const bottom = bar ? Math.min(innerHeight, bar.getBoundingClientRect().top) : innerHeight
    const page = document.querySelector('section[aria-labelledby=sheet]')
    const walker = document.createTreeWalker(page, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
        const node = walker.currentNode
        if (node.parentElement.closest('.material-symbols-outlined, .hs-unseen, title')) continue
        if (!node.parentElement.checkVisibility({visibilityProperty: true})) continue
        if (node.parentElement.closest('details:not([open]) > :not(summary)')) continue
        const range = document.createRange()
        range.selectNodeContents(node)
        const box = range.getBoundingClientRect()
        if (!box.height || box.top >= bottom) continue
        const said = node.textContent.split(/\\s+/)
        words.push(...said.filter(word => /\\p{L}/u.test(word)))
    }
    return words
}"""


@pytest.fixture
def records(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> dict[str, int]:
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    api = Client(headers={"authorization": f"Bearer {ApiKeyFactory().secret}"})
    words = [case.word for case in CASES]
    names = dict(zip(words, random.sample(words, len(words)), strict=True))
    return world.build(api=api, simulator=simulator, key_env="SIMULATED_KEY", names=names)


def test_the_sheet_leads_to_the_right_decision(
    page: Page, records: dict[str, int], shots: Path | None
) -> None:
    assert set(records) == {case.word for case in CASES}
    advised, words = {}, {}
    key: dict[str, Any] = {}
    for number, case in enumerate(random.sample(CASES, len(CASES)), start=1):
        where = reverse("admin:versioning_upgraderecord_change", args=[records[case.word]])
        page.goto(where)
        button = page.locator(".hs-button.hs-primary").first
        advised[case.word] = (button.get_attribute("href") or "").rstrip("/").rsplit("/", 1)[-1]
        words[case.word] = page.evaluate(WORDS)
        if shots is not None:
            page.screenshot(path=shots / f"sheet-{number:02}.png")
            key[f"sheet-{number:02}"] = [case.right.value, case.truth]
    if shots is not None:
        (shots / "key.json").write_text(json.dumps(key, indent=2))

    wrong = {
        case.word: (case.truth, advised[case.word])
        for case in CASES
        if advised[case.word] != case.right.value
    }
    assert len(CASES) - len(wrong) >= LEAST_RIGHT, wrong
    wordy = {len(said): " ".join(said) for said in words.values() if len(said) > MOST_WORDS}
    assert wordy == {}
