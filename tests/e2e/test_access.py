"""Every page can be used by everybody: axe-core finds nothing in either theme, wide and on a phone.

The pages are those of all routes (``tests/versioning/admin/walk.py``), so a new one comes along by
itself, and a route that the world has no page of stops it. Each is loaded once: theme and width are
changed in place, and what a theme can't change is looked at once a width.
"""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from providers.models import Provider
from sample_world import lapse
from sample_world import settings as demo
from tests.versioning.admin.walk import Shown, make_world, pages, routes
from versioning.models import CatalogueEntry, EvaluationSuite, UpgradeRecord
from versioning.services.actors import Actor

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PARTS = 2
"""So two processes share the walk, where the tests have two (``-n auto``)."""

BY_LOOKS = ["color-contrast", "link-in-text-block"]
"""What a theme can change; all else is the same in both, and is looked at once a width."""

PLOTS = {"hs-chart", "hs-interval", "hs-front-plot"}
"""What is drawn must be among what is looked at."""

LOOK = """
async ([levels, rules, dark, without]) => {
  document.documentElement.classList.toggle('dark', dark);
  const only = rules.length ? {type: 'rule', values: rules} : {type: 'tag', values: levels};
  const found = await axe.run(
    {include: [['html']], exclude: without},
    {runOnly: only, resultTypes: ['violations'], preload: false});
  return found.violations.flatMap(rule => rule.nodes.map(
    node => `${rule.id}: ${node.target.join(' ')} ${node.html.slice(0, 120)}`));
}
"""
MENU = "#nav-sidebar"
"""It is the same on every page, and looked at on the first."""


@pytest.fixture
def boss(operator: object) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def violations(
    page: Page, *, width: int, dark: bool, rules: list[str], without: tuple[str, ...] = ()
) -> list[str]:
    page.set_viewport_size({"width": width, "height": 900})
    found: list[str] = page.evaluate(LOOK, [LEVELS, rules, dark, [[each] for each in without]])
    return [f"{page.url} at {width}, {'dark' if dark else 'light'}: {each}" for each in found]


def open_as_answered(page: Page, shown: Shown) -> None:
    """Load what was answered already, as from its address: only what it draws on is asked for."""
    headers = {"Content-Security-Policy": shown.answer["Content-Security-Policy"]}
    page.route(
        lambda url: url.endswith(shown.address),
        lambda route: route.fulfill(
            body=shown.html, content_type="text/html; charset=utf-8", headers=headers
        ),
        times=1,
    )
    page.goto(shown.address, wait_until="load")


def look(
    page: Page, shown: Shown, shots: Path | None = None, *, without: tuple[str, ...] = (MENU,)
) -> list[str]:
    """Return what axe finds on a page in both themes, wide and on a phone."""
    open_as_answered(page, shown)
    page.evaluate(AXE)
    found: list[str] = []
    for width in (1440, 390):
        found += violations(page, width=width, dark=False, rules=[], without=without)
        take(page, shots, shown.address, width=width, dark=False)
        found += violations(page, width=width, dark=True, rules=BY_LOOKS, without=without)
        take(page, shots, shown.address, width=width, dark=True)
    return found


def take(page: Page, shots: Path | None, address: str, *, width: int, dark: bool) -> None:
    """Keep a picture of the page, as it stands: `make screenshots` asks for them."""
    if shots is not None:
        name = re.sub(r"\W+", "-", address.removeprefix("/admin/")).strip("-") or "inbox"
        file = f"{name}-{width}-{'dark' if dark else 'light'}.png"
        page.screenshot(path=str(shots / file), full_page=True)


@pytest.mark.parametrize("part", range(PARTS))
def test_axe_finds_nothing_on_the_page_of_any_route(
    page: Page, boss: Client, shots: Path | None, part: int
) -> None:
    make_world()
    page.emulate_media(reduced_motion="reduce")
    mine = [each for each in pages(boss) if not each.address.startswith("/api/")][part::PARTS]
    found = look(page, mine[0], without=())
    found += [each for shown in mine for each in look(page, shown, shots)]
    assert "\n".join(found) == ""


def test_what_is_drawn_is_among_what_is_looked_at(boss: Client) -> None:
    make_world()
    html = "".join(shown.html for shown in pages(boss))
    assert [plot for plot in PLOTS if f'class="{plot}' not in html] == []


def test_axe_finds_nothing_on_what_answers_a_form(
    page: Page, boss: Client, shots: Path | None
) -> None:
    """Refused forms, what asks again before it is done, and secrets that are shown once."""
    make_world()
    upgrades = UpgradeRecord.objects.filter(state="recommended")
    chosen = {"action": "approve_selected", "_selected_action": [each.pk for each in upgrades]}
    suite = EvaluationSuite.objects.latest("pk")
    provider = Provider.objects.latest("pk")
    sent: list[tuple[str, dict[str, Any]]] = [
        (reverse("admin:versioning_upgraderecord_changelist"), chosen),
        (reverse("admin:versioning_upgraderecord_approve", args=[upgrades[0].pk]), {"reason": ""}),
        (reverse("admin:versioning_trackedmodel_add"), {"provider": provider.pk, "owner": "who"}),
        (reverse("admin:versioning_policy_add"), {"minimum_improvement": "much"}),
        (reverse("admin:versioning_evaluationsuite_add"), {"name": ""}),
        (
            reverse("admin:versioning_evaluationsuite_cases", args=[suite.pk]),
            {"form": "jsonl", "content": '{"prompt": "1 + 1?", "expected": "2"}\nnot json'},
        ),
        (reverse("admin:versioning_apikey_add"), {"name": "shop", "scopes": ["read"]}),
        (reverse("admin:versioning_apikey_add"), {"name": ""}),
        (
            reverse("admin:versioning_webhook_add"),
            {"name": "chat", "url": "https://example.com/hook", "kinds": ["upgrade.completed"]},
        ),
        (reverse("admin:versioning_calendarfeed_add"), {"name": "retirements"}),
        ("/admin/login/", {"username": "ada", "password": "wrong"}),
    ]
    answers = [Shown(address, boss.post(address, data)) for address, data in sent]
    assert {shown.address: shown.answer.status_code for shown in answers} == {
        address: 200 for address, _ in sent
    }
    found = [each for shown in answers for each in look(page, shown)]
    assert "\n".join(found) == ""


EMPTY = re.compile(
    r"^admin:(index|.*_(retirements|held|best|compare|first_steps)|"
    r"(providers_provider|versioning_event)_changelist)$"
)
"""Pages that say of nothing what will come there. Of lists, which share one template, one to which
people add and one that tells what was."""


def test_axe_finds_nothing_where_there_is_nothing(page: Page, boss: Client) -> None:
    names = [route.name for route in routes() if EMPTY.search(route.name)]
    found: list[str] = []
    for name in names:
        shown = Shown(reverse(name), boss.get(reverse(name)))
        open_as_answered(page, shown)
        page.evaluate(AXE)
        rules: list[str] = []
        for width, dark in ((1440, False), (390, True)):
            found += violations(page, width=width, dark=dark, rules=rules, without=(MENU,))
            rules = BY_LOOKS
    assert "\n".join(found) == ""
    assert len(names) == 8


def test_axe_finds_nothing_on_the_demo_s_own_pages(
    page: Page, boss: Client, settings: Any, shots: Path | None
) -> None:
    settings.ROOT_URLCONF, settings.TEMPLATES = demo.ROOT_URLCONF, demo.TEMPLATES
    openai = Provider.objects.create(slug=lapse.PROVIDER, name="OpenAI", kind="openai")
    now = timezone.now()
    CatalogueEntry.objects.create(
        provider=openai, upstream_id=lapse.NEWER, first_seen_at=now, last_seen_at=now
    )
    record = lapse.begin(actor=Actor.command(), now=now)
    addresses = [reverse("tour"), reverse("lapse", args=[record.pk])]
    found = [each for at in addresses for each in look(page, Shown(at, boss.get(at)), shots)]
    assert "\n".join(found) == ""


@pytest.mark.parametrize("name", ["403", "403_csrf", "404", "429", "500"])
def test_axe_finds_nothing_on_a_refusal(page: Page, name: str) -> None:
    html = render_to_string(f"{name}.html", {"user": AnonymousUser(), "minutes": 5})
    answer = HttpResponse(html, headers={"Content-Security-Policy": ""})
    assert look(page, Shown(f"/{name}", answer)) == []


OF_THE_BUNDLE = {"nested-interactive", "heading-order", "region"}
"""What Swagger UI writes itself, by axe's rules: it has links within buttons, headings of the third
level after the first, and its introduction outside of its main part. The rest is mended by our page
and style sheet. Redoc draws the same description in 50,000 elements, which axe takes minutes for:
only its frame, which is ours, is looked at."""


def test_on_the_api_s_page_axe_finds_but_what_its_bundle_writes(page: Page) -> None:
    page.goto("/api/docs")
    page.wait_for_selector(".opblock", timeout=120_000)
    page.evaluate(AXE)
    found = violations(page, width=1440, dark=False, rules=[])
    assert "\n".join(each for each in found if each.split(": ")[1] not in OF_THE_BUNDLE) == ""


def test_the_frame_of_the_description_to_read_is_in_order(page: Page, boss: Client) -> None:
    html = boss.get("/api/redoc").content.decode()
    html = re.sub("<redoc.*</redoc>", "<h1>The API</h1>", html)
    html = re.sub("<script src.*</script>", "", html)
    answer = HttpResponse(html, headers={"Content-Security-Policy": ""})
    assert look(page, Shown("/api/redoc", answer)) == []
