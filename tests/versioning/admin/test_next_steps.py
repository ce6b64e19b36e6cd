"""Where staff would be stuck, the page says what to do next, and says it once."""

import html
import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.factories import NOW
from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import address, decide, text
from tests.versioning.admin.test_inbox import INBOX, retiring
from versioning.models import CatalogueEntry, EvaluationSuite, ModelVersion, UpgradeRecord

pytestmark = pytest.mark.django_db


def test_the_inbox_says_once_what_was_done(reviewer: Client) -> None:
    record = recommend()
    sent = {"confirmed": "approve", f"evidence-{record.pk}": record.evidence_hash}
    page = reviewer.post(f"{address(record, 'approve')}?next=inbox", sent, follow=True)
    assert page.redirect_chain[-1][0] == INBOX
    assert text(page).count("Approved: writer is at 1.1.0 now.") == 1


def test_nothing_waits_is_a_number_too(reviewer: Client) -> None:
    page = text(reviewer.get(INBOX))
    beside = page[page.index("<span>Inbox</span>") :][:2000]
    assert "None" not in beside


def test_a_retiring_model_without_successor_leads_to_its_rules(operator: Client) -> None:
    for name, days in (("soon", 3), ("calm", 80)):
        record = retiring(name, days=days)
        UpgradeRecord.objects.filter(pk=record.pk).update(state="rejected")
        model = reverse("admin:versioning_trackedmodel_change", args=[record.tracked_model_id])
        assert f"{model}?settings=1#lineage_rules-group" in text(operator.get(INBOX))
        assert 'href="?settings=1#lineage_rules-group"' in text(operator.get(model))
        assert 'id="lineage_rules-group"' in text(operator.get(f"{model}?settings=1"))


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_successor_that_is_not_listed_is_told(operator: Client, is_listed: bool) -> None:
    record = recommend()
    provider = record.tracked_model.provider
    if is_listed:
        CatalogueEntry.objects.create(
            provider=provider, upstream_id="zeta-9", first_seen_at=NOW, last_seen_at=NOW
        )
    sent = {"tracked_model": record.tracked_model_id, "kind": "successor", "pattern": "zeta-9"}
    page = operator.post(reverse("admin:versioning_lineagerule_add"), sent, follow=True)
    told = f"{provider.slug} doesn&#x27;t list zeta-9, so it can&#x27;t be recommended yet."
    assert (told in text(page)) is not is_listed


LISTS = [
    (model._meta.label_lower, page)
    for model, page in admin.site._registry.items()
    if model._meta.app_label in ("versioning", "providers")
    and model._meta.model_name != "automationswitch"  # a page of its own
]


@pytest.mark.parametrize(("label", "page"), LISTS, ids=[label for label, _ in LISTS])
def test_an_empty_list_says_what_comes_here(boss: Client, label: str, page: Any) -> None:
    address = reverse(f"admin:{label.replace('.', '_')}_changelist")
    empty = boss.get(address)
    assert page.when_empty
    assert str(page.when_empty) in html.unescape(text(empty))
    assert "Nothing matches" not in text(empty)


def test_a_search_without_result_is_not_an_empty_list(boss: Client) -> None:
    recommend()
    page = text(boss.get(reverse("admin:versioning_trackedmodel_changelist"), {"q": "nope"}))
    assert "Nothing matches" in page
    assert "Track the models" not in page


@pytest.mark.parametrize("name", ["trackedmodel", "apikey"])
def test_a_page_of_our_own_has_its_title(boss: Client, name: str) -> None:
    page = text(boss.get(reverse(f"admin:versioning_{name}_add")))
    assert re.search(r"<h1[^>]*>(Track a model|New API key)</h1>", page)


def test_a_page_about_one_thing_names_it(boss: Client) -> None:
    suite = EvaluationSuite.objects.create(name="sums", scorers=["number"])
    model = recommend().tracked_model
    for name, pk, title in (
        ("evaluationsuite_run", suite.pk, "Run sums"),
        ("evaluationsuite_cases", suite.pk, "Cases of sums"),
        ("trackedmodel_pin", model.pk, "Pin writer"),
    ):
        page = text(boss.get(reverse(f"admin:versioning_{name}", args=[pk])))
        assert f'<h1 class="hs-big">{title}</h1>' in page


def test_automation_says_once_what_was_done(boss: Client) -> None:
    sent = {"on": "no", "reason": "Outage."}
    page = boss.post("/admin/versioning/automationswitch/", sent, follow=True)
    assert text(page).count("Nothing moves by itself from now on.") == 1


def test_a_new_provider_leads_to_its_test(boss: Client) -> None:
    sent = {"name": "Zeta", "slug": "zeta", "kind": "openai", "options": "{}"}
    page = boss.post(reverse("admin:providers_provider_add"), sent, follow=True)
    assert "Zeta is added. Test its connection" in text(page)
    assert page.redirect_chain[-1][0].endswith("/change/")
    more = boss.post(
        reverse("admin:providers_provider_add"), sent | {"slug": "eta", "_addanother": ""}
    )
    assert more["Location"].endswith("/add/")


def test_a_rollback_says_what_goes_and_a_first_version_that_it_began(boss: Client) -> None:
    record = recommend()
    ModelVersion.objects.filter(pk=record.to_version_id).update(
        found_improvements=["context 1 → 9 tokens"]
    )
    assert "not looked at yet" in text(decide(boss, record, "approve"))
    back = text(decide(boss, record, "roll_back"))
    different = back[back.index("What is different") :]
    assert "What goes with 1.1.0" in different
    assert "context 1 → 9 tokens" in different
    assert "May break" not in different

    first = reverse("admin:versioning_modelversion_change", args=[record.from_version_id])
    page = text(boss.get(first))
    assert "writer began with 1.0.0" in page
    assert "None" not in page[page.index("Upgrades to it") :][:600]
    assert "Input price" in page


def test_who_signs_in_is_at_the_inbox(client: Client, django_user_model: Any) -> None:
    django_user_model.objects.create_superuser("ada", password="pass")
    sent = {"username": "ada", "password": "pass"}
    answer = client.post(reverse("admin:login"), sent)
    assert answer.headers["Location"] == INBOX
