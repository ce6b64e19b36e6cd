"""Lists of any size: what they count, how they sort, what a search finds, where pages end."""

import datetime as dt
import re
from contextlib import suppress

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.db import connection
from django.db.models import Q
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.functional import empty
from unfold.templatetags import unfold_list

from providers import lists
from providers.admin import Admin
from tests.factories import NOW, ModelVersionFactory, ProviderFactory, tracked
from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import outermost, text
from tests.versioning.admin.test_pages import make_rows
from versioning.models import CatalogueEntry, UpgradeRecord

pytestmark = pytest.mark.django_db

OURS = [each for each in admin.site._registry.values() if isinstance(each, Admin)]
LARGE = [each for each in OURS if each.is_large]
WORDS = [
    "writer",
    "WRITER one",
    "zeta-writer-2 reader",
    "trouvé zeta",
    "e zeta writer",
    "o'neil%_",
    '"writer two"',
    "1.1",
    "other",
]


def name_of(model_admin: ModelAdmin) -> str:
    return model_admin.opts.model_name


def entries(count: int) -> str:
    """Make so many catalogue entries; return the address of their list."""
    provider = ProviderFactory(slug="acme")
    CatalogueEntry.objects.bulk_create(
        CatalogueEntry(
            provider=provider, upstream_id=f"zeta-{n:04}", first_seen_at=NOW, last_seen_at=NOW
        )
        for n in range(count)
    )
    return reverse("admin:versioning_catalogueentry_changelist")


def shown(page: str) -> list[str]:
    return re.findall(r"zeta-\d{4}(?=</a>)", page)


class TestCounting:
    @pytest.fixture(autouse=True)
    def bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lists, "MOST_COUNTED", 70)
        monkeypatch.setattr(lists.BoundedPaginator, "most_counted", 70)

    def test_a_list_within_the_bound_says_how_many_it_has(self, boss: Client) -> None:
        page = " ".join(text(boss.get(entries(70))).split())
        assert re.search(r"\b70 catalogue entries", page)

    def test_a_longer_one_says_that_there_are_more(self, boss: Client) -> None:
        page = " ".join(text(boss.get(entries(100))).split())
        assert "more than 70 catalogue entries" in page
        assert not re.search(r"\b71 (catalogue|result)", page)

    def test_each_page_is_reached_and_the_last_leads_no_further(self, boss: Client) -> None:
        address = entries(100)
        found: list[str] = []
        for number in range(1, 5):
            page = boss.get(f"{address}?p={number}").content.decode()
            found += shown(page)
            assert ('rel="next"' in page) == (number < 4)
        assert found == [f"zeta-{n:04}" for n in range(100)]

    def test_a_page_beyond_the_end_is_empty(self, boss: Client) -> None:
        assert shown(boss.get(f"{entries(100)}?p=9000").content.decode()) == []

    def test_of_a_list_without_rows_none_are_looked_for(self, boss: Client) -> None:
        ModelVersionFactory()
        versions = reverse("admin:versioning_modelversion_changelist")
        with CaptureQueriesContext(connection) as asked:
            boss.get(versions, {"standing": "held"})
        read = [query["sql"] for query in asked if "staff_fields" in query["sql"]]
        assert [sql for sql in read if "COUNT" not in sql] == []

    @pytest.mark.parametrize("model_admin", OURS, ids=name_of)
    def test_no_list_counts_without_a_bound(self, model_admin: Admin, boss: Client) -> None:
        opts = model_admin.opts
        address = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        with CaptureQueriesContext(connection) as asked:
            for query in ("", "?q=zeta&p=1"):
                assert boss.get(address + query).status_code in (200, 302)
        counts = [
            each["sql"]
            for each in asked
            if re.match(r"SELECT COUNT\(", each["sql"]) and opts.db_table in each["sql"]
        ]
        own = [sql for sql in counts if f'FROM "{opts.db_table}"' in sql and "LIMIT" not in sql]
        assert not [sql for sql in own if "state" not in sql]  # the sidebar counts what waits


class TestSorting:
    @pytest.mark.parametrize("model_admin", LARGE, ids=name_of)
    def test_a_large_list_sorts_by_indexes_only(self, model_admin: Admin, boss: Client) -> None:
        request = RequestFactory().get("/")
        sorted_by = lists.sorted_by_an_index(model_admin.model)
        first = str(model_admin.ordering[0]).lstrip("-").removesuffix("_id")
        assert first in sorted_by
        for name in model_admin.get_sortable_by(request):
            assert model_admin._order_of(name) in sorted_by

    def test_the_largest_are_known_as_such(self) -> None:
        assert {name_of(each) for each in LARGE} >= {
            "modelversion", "upgraderecord", "catalogueentry", "check", "finding",
            "performancesample", "unknownmodel",
        }  # fmt: skip


class TestSearching:
    """However many matches another table has, the same rows are found."""

    @pytest.fixture(params=["by key", "row by row", "each word anew"], autouse=True)
    def way(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        most = -1 if request.param == "row by row" else 1_000
        monkeypatch.setattr(lists, "FEW", most)
        monkeypatch.setattr(lists, "MANY", most)
        if request.param == "each word anew":  # none leaves few rows for the next
            monkeypatch.setattr(lists, "MOST_LEFT", -1)

    @pytest.fixture
    def rows(self) -> None:
        for name in ("writer one", "writer two", "reader", "lecteur trouvé"):
            recommend(name=name)
        extra = tracked(name="odd", upstream_id="o'neil%_", provider__slug="other")
        ModelVersionFactory(tracked_model=extra, upstream_id="zeta-writer-9", label="9.9.9")
        CatalogueEntry.objects.create(
            provider=extra.provider, upstream_id="zeta-writer", first_seen_at=NOW,
            last_seen_at=NOW + dt.timedelta(days=1),
        )  # fmt: skip

    @pytest.mark.parametrize(
        "model_admin", [each for each in OURS if each.search_fields], ids=name_of
    )
    def test_a_search_finds_what_a_plain_join_finds(self, model_admin: Admin, rows: None) -> None:
        everything = model_admin.model._default_manager.all()
        for words in WORDS:  # over one world: to make it costs more than all the searches
            found, may_repeat = model_admin.get_search_results(
                RequestFactory().get("/"), everything, words
            )
            plain = everything
            for word in [words.strip('"')] if words.startswith('"') else words.split():
                condition = Q()
                for field in model_admin.search_fields:
                    condition |= Q(**{f"{field}__icontains": word})
                plain = plain.filter(condition)
            assert not may_repeat, words
            assert sorted(row.pk for row in found) == sorted({row.pk for row in plain}), words

    def test_some_of_it_is_found_at_all(self, rows: None, boss: Client) -> None:
        page = text(boss.get(reverse("admin:versioning_upgraderecord_changelist") + "?q=one"))
        assert "writer one" in page
        assert "writer two" not in page
        assert UpgradeRecord.objects.count() > 1


@pytest.mark.parametrize(
    "model_admin", [each for each in OURS if hasattr(each, "in_words")], ids=name_of
)
def test_a_row_without_a_sentence_can_be_opened(model_admin: ModelAdmin, boss: Client) -> None:
    make_rows(2)
    if any(field.name == "sentence" for field in model_admin.opts.get_fields()):
        model_admin.model._default_manager.update(sentence="")
    name = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist"
    page = text(boss.get(reverse(name)))
    assert re.findall(r"<a [^>]*/change/[^>]*>\s*</a>", page) == []


def test_a_page_makes_nothing_that_it_does_not_show(boss: Client) -> None:
    """Neither the models by apps, which the menu has no use for, nor the headers for each row."""
    for number in range(3):
        tracked(name=f"writer-{number}", provider__slug=f"acme-{number}")
    page = boss.get(reverse("admin:versioning_trackedmodel_changelist"))
    assert page.context["available_apps"]._wrapped is empty
    headers = unfold_list.result_headers(page.context["cl"])
    assert headers is unfold_list.result_headers(page.context["cl"])
    assert len(headers) == len(page.context["cl"].list_display)


def test_an_apps_own_page_shows_its_models(boss: Client) -> None:
    page = boss.get(reverse("admin:app_list", args=["versioning"]))
    assert reverse("admin:versioning_webhook_changelist") in page.content.decode()
    assert boss.get("/admin/nothing/").status_code == 404


@pytest.mark.parametrize("model_admin", OURS, ids=name_of)
class TestWhateverThePage:
    """A page of thirty rows must not read all others."""

    def test_no_row_is_counted_or_added_up_that_is_not_shown(
        self, boss: Client, model_admin: ModelAdmin
    ) -> None:
        make_rows(2)
        name = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist"
        with CaptureQueriesContext(connection) as asked:
            assert boss.get(reverse(name)).status_code == 200
        table = f'FROM "{model_admin.opts.db_table}"'
        for query in asked.captured_queries:
            outer = outermost(query["sql"])
            if table in outer:
                assert "GROUP BY" not in outer, outer
                assert "SELECT DISTINCT" not in outer, outer


def test_no_column_is_called_as_only_the_table_calls_it(
    rf: RequestFactory, admin_user: object
) -> None:
    request = rf.get("/")
    request.user = admin_user  # type: ignore[assignment]
    shown = {str(name) for page in OURS for inline in page.inlines for name in inline.fields or ()}
    for page in OURS:
        for name in (*page.list_display, *flatten_fieldsets(page.get_fieldsets(request))):
            with suppress(AttributeError):  # a field of the form alone: it says its own label
                shown.add(str(label_for_field(name, page.model, page)).lower())
    assert shown.isdisjoint({"sentence", "shrunk to"})
    assert "in words" in shown
