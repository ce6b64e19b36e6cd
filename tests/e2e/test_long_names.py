"""What is long or much breaks no page, and pushes no button out of reach, at any width.

Names are 120 letters without a break, some are written from right to left, there are 60 tasks and
40 providers; each page of the walk is loaded once and looked at in each width.
"""

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import CharField, Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from tests.e2e.test_access import PARTS, open_as_answered
from tests.factories import ProviderFactory
from tests.versioning.admin.walk import Shown, make_world, pages
from versioning.models import CatalogueEntry, PerformanceSample, TrackedModel, UpgradeRecord
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
WIDTHS = (1920, 1440, 1280, 768, 390)
LONG = ("Donaudampfschifffahrtsgesellschaft" * 4)[:120]
RIGHT_TO_LEFT = "\u0646\u0645\u0648\u0630\u062c"
OF_ANOTHER_FORM = {
    *("slug", "base_url", "api_key_env", "url", "url_env", "email", "time_zone", "password"),
    *("task", "verdict", "evidence_hash", "channel", "provider_slug", "queue", "exchange"),
    *("minute", "hour", "day_of_month", "month_of_year", "day_of_week"),
}
"""Columns of text that people don't write as they like."""

WRONG = """
() => {
  const root = document.documentElement;
  const found = root.scrollWidth > root.clientWidth
    ? [`scrolls sideways by ${root.scrollWidth - root.clientWidth}`] : [];
  const within = '.hs-scroll, [data-simplebar], .overflow-x-auto';
  for (const each of document.querySelectorAll(
    'main a, main button, main input, main select, main textarea')) {
    if (each.offsetParent === null || each.closest(within)) continue;
    const box = each.getBoundingClientRect();
    if (box.width && (box.right > innerWidth + 1 || box.left < -1))
      found.push('out of reach: ' + each.outerHTML.slice(0, 100));
  }
  const word = document.createRange();
  for (const badge of document.querySelectorAll('.hs-badge')) {
    const texts = document.createTreeWalker(badge, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      for (const {index, 0: letters} of text.data.matchAll(/\\S+/g)) {
        word.setStart(text, index);
        word.setEnd(text, index + letters.length);
        const lines = new Set([...word.getClientRects()].map((line) => Math.round(line.top)));
        if (letters.length <= 24 && lines.size > 1) found.push('broken in two: ' + letters);
      }
    }
  }
  return found.slice(0, 3);
}
"""
"""Also a state, such as "unchanged", that a narrow column breaks within a word."""


@pytest.fixture
def boss(operator: object) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def lengthen(row: Model) -> None:
    """Make each text that people wrote as long as it may be, up to 120 letters."""
    written: dict[str, Any] = {
        column.name: f"{row.pk}{LONG}"[: min(120, column.max_length or 120)]
        for column in row._meta.fields
        if isinstance(column, CharField)
        and column.editable
        and not column.choices
        and column.name not in OF_ANOTHER_FORM
        and getattr(row, column.attname)
    }
    if written:
        type(row)._base_manager.filter(pk=row.pk).update(**written)


def make_large_world() -> None:
    make_world()
    model = TrackedModel.objects.latest("pk")
    for n in range(60):
        ProviderFactory(name=f"provider {n}") if n < 38 else None
        sample = SampleIn(
            provider=model.provider.slug, model=model.name, time=timezone.now(),
            task=f"{n}{LONG}"[:100], quality=0.5, latency_ms=9,
        )  # fmt: skip
        ingestion.accept([sample], api_key_id=None, now=timezone.now())
    for table in admin.site._registry:
        if table._meta.app_label in ("versioning", "providers"):
            for row in table._default_manager.all()[:60]:
                lengthen(row)
    for n, row in enumerate(TrackedModel.objects.order_by("pk")):
        if n % 3 == 2:
            row.name = f"{RIGHT_TO_LEFT}-{n} {RIGHT_TO_LEFT * 20}"[:120]
            row.save()
    CatalogueEntry.objects.update(gone_at=None)


def others(boss: Client) -> list[Shown]:
    """Return the pages of what is written from right to left, and of the model with 60 tasks."""
    record = UpgradeRecord.objects.filter(tracked_model__name__startswith=RIGHT_TO_LEFT).latest(
        "pk"
    )
    most = PerformanceSample.objects.latest("pk").version.tracked_model
    addresses = [
        reverse("admin:versioning_upgraderecord_change", args=[record.pk]),
        reverse("admin:versioning_trackedmodel_change", args=[record.tracked_model_id]),
        reverse("admin:versioning_trackedmodel_change", args=[most.pk]),
    ]
    return [Shown(address, boss.get(address)) for address in addresses]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_page_scrolls_sideways_and_no_button_is_out_of_reach(
    page: Page, boss: Client, part: int
) -> None:
    make_large_world()
    found: list[str] = []
    every = [each for each in pages(boss) if not each.address.startswith("/api/")]
    for shown in [*every, *others(boss)][part::PARTS]:
        open_as_answered(page, shown)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found += [f"{shown.address} at {width}: {each}" for each in page.evaluate(WRONG)]
    assert "\n".join(found) == ""
