"""Pages that are read first: what can be changed has a tab of its own; and where a page is."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from providers.models import Provider
from tests.factories import TrackedModelFactory
from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import address, text
from versioning.admin import event_words, words
from versioning.domain.events import EventKind
from versioning.models import TrackedModel


def crumbs(client: Client, page: str) -> list[str]:
    """Return the way to a page, as its heading says it."""
    found = re.search(r'<h1 class="hs-crumbs">(.*?)</h1>', text(client.get(page)), re.S)
    assert found is not None
    parts = re.findall(r"<(?:a|span)\b[^>]*>([^<]+)</(?:a|span)>", found[1])
    return [unescape(part.strip()) for part in parts if part.strip() != "chevron_right"]


@pytest.mark.parametrize("name", ["trackedmodel", "modelversion"])
def test_what_can_be_changed_has_a_tab_of_its_own(boss: Client, name: str) -> None:
    record = recommend()
    pk = {"trackedmodel": record.tracked_model_id, "modelversion": record.to_version_id}[name]
    page = reverse(f"admin:versioning_{name}_change", args=[pk])

    overview, settings = text(boss.get(page)), text(boss.get(f"{page}?settings=1"))

    assert 'name="_save"' not in overview
    assert 'name="_save"' in settings
    for shown, tab in ((overview, "Overview"), (settings, "Settings")):
        assert re.findall(r'aria-current="page">([^<]+)</a>\s', shown) == [tab]


def test_a_model_in_which_nothing_served_yet_can_be_read(boss: Client) -> None:
    model = TrackedModelFactory(name="writer")
    page = boss.get(reverse("admin:versioning_trackedmodel_change", args=[model.pk]))
    assert "writer" in text(page)


def test_a_refused_form_stays_on_its_tab_and_a_kept_one_is_read(boss: Client) -> None:
    model = recommend().tracked_model
    page = reverse("admin:versioning_trackedmodel_change", args=[model.pk])
    sent = {
        f"{rows}-{each}": "0"
        for rows in ("lineage_rules", "versions")
        for each in ("TOTAL_FORMS", "INITIAL_FORMS")
    }

    refused = boss.post(page, {**sent, "owner": "x" * 500})
    kept = boss.post(page, {**sent, "active": "on", "owner": "ada@example.com"})
    further = boss.post(page, {**sent, "active": "on", "_continue": "1"})

    assert "x" * 500 in text(refused)
    assert (kept.headers["Location"], further.headers["Location"]) == (page, f"{page}?settings=1")
    assert TrackedModel.objects.get(pk=model.pk).owner == ""


def test_each_page_says_where_it_is_once(boss: Client) -> None:
    record = recommend()
    provider = record.tracked_model.provider
    model = reverse("admin:versioning_trackedmodel_pin", args=[record.tracked_model_id])
    of_provider = [reverse(f"admin:providers_provider_{each}", args=[provider.pk]) for each in (
        "change", "history",
    )]  # fmt: skip

    assert crumbs(boss, reverse("admin:versioning_policy_add")) == ["Policies", "New policy"]
    assert crumbs(boss, of_provider[0]) == ["Providers", str(provider)]
    assert crumbs(boss, of_provider[1]) == ["Providers", str(provider), "History"]
    assert crumbs(boss, model) == ["Tracked models", str(record.tracked_model)]
    assert crumbs(boss, address(record, "approve")) == ["Upgrade records", str(record)]
    assert crumbs(boss, reverse("admin:providers_provider_changelist")) == ["Providers"]


def test_a_history_names_whoever_it_was(boss: Client) -> None:
    made = Provider.objects.create(name="P", slug="p", kind="openai")
    past = made.history.get()
    past.history_change_reason = "command: command line"
    past.save()

    page = text(boss.get(reverse("admin:providers_provider_history", args=[made.pk])))

    assert "command: command line" in page
    assert ">None<" not in re.sub(r"\s", "", page)


def test_to_move_to_what_is_in_use_is_told_and_not_asked(boss: Client) -> None:
    model = recommend().tracked_model
    page = reverse("admin:versioning_trackedmodel_move", args=[model.pk, model.current_version_id])
    assert "writer is at 1.0.0 already." in text(boss.get(page, follow=True))


def test_each_kind_of_event_has_words(boss: Client) -> None:
    assert set(event_words.WORDS) == set(EventKind)
    assert event_words.of("from.tomorrow") == "from.tomorrow"
    recommend()
    assert "applications get another version" in text(
        boss.get(reverse("admin:versioning_event_changelist"))
    )


@pytest.mark.django_db
def test_reasons_are_sentences() -> None:
    record = recommend()
    record.evidence, record.reasons = {}, ["newer by date", "Same line."]
    assert words.proof(record) == "Newer by date. Same line."
