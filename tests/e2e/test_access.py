"""Every page of the admin can be used by everybody: axe-core finds nothing, titles differ."""

from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page

from tests.factories import NOW
from tests.versioning.admin.test_pages import make_rows
from versioning.models import EvaluationSuite, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn
from versioning.services.upgrades import decisions

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BY_LOOKS = ["color-contrast", "target-size", "link-in-text-block"]
"""What a theme can change; all else is the same in both, and is looked at once a width."""

PLOTS = {".hs-chart", ".hs-interval", ".hs-front-plot"}
"""What is drawn must be among what is looked at."""

EVIDENCE = {
    "sentence": "Better: quality 0.82 -> 0.86",
    "decision": "NOT ENOUGH EVIDENCE",
    "reasons": ["error rate 0.5% -> 0.4%: within the limit, not surely"],
    "judgement": {"verdict": "better", "estimate": 0.04, "low": 0.004, "high": 0.076},
    "gates": [
        {
            "name": "errors", "status": "unsure", "reason": "error rate: not surely within it",
            "limit": "0.01", "value": "-0.001", "low": -0.018, "high": 0.016,
        },
        {
            "name": "latency_p95", "status": "failed", "reason": "latency: surely more",
            "limit": "0.2", "value": "0.5", "low": 0.4, "high": None,
        },
    ],
    "missing": ["tests"],
}  # fmt: skip

LOOK = """
async ([levels, rules, dark]) => {
  document.documentElement.classList.toggle('dark', dark);
  const only = rules.length ? {type: 'rule', values: rules} : {type: 'tag', values: levels};
  const found = await axe.run(document, {runOnly: only, resultTypes: ['violations']});
  return found.violations.flatMap(rule => rule.nodes.map(
    node => `${rule.id}: ${node.target.join(' ')} ${node.html.slice(0, 120)}`));
}
"""


def of_registry(staff: object) -> list[str]:
    """Return the list of each registered model, its empty form, and one row with its history."""
    request = RequestFactory().get("/")
    request.user = staff
    found = []
    for model, pages in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{name}_changelist"))
        if pages.has_add_permission(request):
            found.append(reverse(f"{name}_add"))
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            found += [reverse(f"{name}_{each}", args=[row.pk]) for each in ("change", "history")]
    return found


def of_decisions() -> list[str]:
    """Return the pages that decide, and those beside the registry."""
    record = UpgradeRecord.objects.filter(state="recommended").latest("pk")
    moved = UpgradeRecord.objects.filter(state="completed").latest("pk")
    suite = EvaluationSuite.objects.latest("pk")
    more = ("cases", "run")
    names = ("approve", "reject", "snooze", "why", "change")
    compare = reverse("admin:versioning_modelversion_compare")
    return [
        compare,
        f"{compare}?from={record.from_version_id}&to={record.to_version_id}",
        reverse("admin:index"),
        reverse("admin:password_change"),
        reverse("admin:versioning_modelversion_best") + "?task=sums",
        reverse("admin:versioning_upgraderecord_held"),
        reverse("admin:versioning_trackedmodel_retirements"),
        reverse("admin:versioning_trackedmodel_pin", args=[record.tracked_model_id]),
        reverse(
            "admin:versioning_trackedmodel_move",
            args=[record.tracked_model_id, record.to_version_id],
        ),
        reverse("admin:versioning_trackedmodel_now", args=[record.tracked_model_id]),
        reverse("admin:versioning_trackedmodel_change", args=[record.tracked_model_id]),
        reverse("admin:versioning_upgraderecord_change", args=[moved.pk]),
        *(reverse(f"admin:versioning_upgraderecord_{name}", args=[record.pk]) for name in names),
        *(reverse(f"admin:versioning_evaluationsuite_{name}", args=[suite.pk]) for name in more),
    ]


@pytest.fixture
def world(transactional_db: None) -> None:
    make_rows(2)
    EvaluationSuite.objects.create(name="sums", scorers=["number"], max_tokens=20, budget_usd=1)
    waiting = UpgradeRecord.objects.filter(state="recommended")
    waiting.update(evidence=EVIDENCE)
    samples = [
        SampleIn(
            provider=each.tracked_model.provider.slug, model=each.tracked_model.name,
            time=timezone.now(), quality=n % 2, latency_ms=90 + n, task="sums",
            resolved_id=version.upstream_id, cost_usd=Decimal("0.001") * (1 + m),
        )
        for m, each in enumerate(waiting)
        for version in (each.from_version, each.to_version)
        for n in range(32)
    ]  # fmt: skip
    ingestion.accept(samples, api_key_id=None, now=timezone.now())
    first = waiting.earliest("pk")
    decisions.approve(
        record_id=first.pk, actor=Actor.command(), now=NOW, evidence_hash=first.evidence_hash
    )


def violations(page: Page, *, width: int, dark: bool, rules: list[str]) -> list[str]:
    page.set_viewport_size({"width": width, "height": 900})
    found: list[str] = page.evaluate(LOOK, [LEVELS, rules, dark])
    return [f"{page.url} at {width}, {'dark' if dark else 'light'}: {each}" for each in found]


def take(page: Page, shots: Path | None, address: str, *, width: int, dark: bool) -> None:
    """Keep a picture of the page, as it stands: `make screenshots` asks for them."""
    if shots is not None:
        name = address.removeprefix("/admin/").strip("/").replace("/", "-") or "inbox"
        file = f"{name}-{width}-{'dark' if dark else 'light'}.png"
        page.screenshot(path=str(shots / file), full_page=True)


def test_axe_finds_nothing_and_each_page_has_a_title_of_its_own(
    page: Page, world: None, shots: Path | None
) -> None:
    titles: dict[str, str] = {}
    found: list[str] = []
    drawn: set[str] = set()
    page.emulate_media(reduced_motion="reduce")
    staff = get_user_model().objects.get(username="ada")
    for address in dict.fromkeys([*of_decisions(), *of_registry(staff)]):
        page.goto(address, wait_until="load")
        page.evaluate(AXE)
        drawn |= {plot for plot in PLOTS if page.locator(plot).count()}
        for width in (1440, 390):
            found += violations(page, width=width, dark=False, rules=[])
            take(page, shots, address, width=width, dark=False)
            found += violations(page, width=width, dark=True, rules=BY_LOOKS)
            take(page, shots, address, width=width, dark=True)
        same = titles.setdefault(page.title(), address)
        assert same == address, f"{page.title()!r} is the title of {same} and of {address}"
    assert "\n".join(found) == ""
    assert drawn == PLOTS


def test_a_stranger_s_page(browser: Browser, live_server: object, transactional_db: None) -> None:
    page = browser.new_context(base_url=str(live_server)).new_page()
    page.goto("/admin/login/")
    page.evaluate(AXE)
    assert violations(page, width=390, dark=True, rules=[]) == []
    page.context.close()
