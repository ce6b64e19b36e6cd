"""A model's page shows its versions as a line: what followed what, when it served, what waits."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import NOW, ModelVersionFactory
from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import decide, text
from versioning.models import ModelVersion, TrackedModel

pytestmark = pytest.mark.django_db


def line(client: Client, model: TrackedModel) -> str:
    """Return the line of descent as one line of text."""
    page = text(client.get(reverse("admin:versioning_trackedmodel_change", args=[model.pk])))
    card = page[page.index('aria-labelledby="descent"') :]
    card = card[card.index(">") + 1 : card.index("</section>")]
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", card).split()))


def test_each_version_says_what_it_follows_and_when_it_served(reviewer: Client) -> None:
    record = recommend()
    model, newer = record.tracked_model, record.to_version
    ModelVersion.objects.filter(pk=newer.pk).update(previous_version=record.from_version)
    assert "1.1.0 candidate zeta-writer-2 after 1.0.0" in line(reviewer, model)
    assert "1.0.0 in use zeta-writer-1 served since 1 Mar 2026" in line(reviewer, model)

    decide(reviewer, record, "approve")
    ModelVersion.objects.filter(pk=record.from_version_id).update(gone_at=NOW)

    told = line(reviewer, model)
    assert "1.1.0 in use zeta-writer-2" in told
    assert re.search(r"1\.0\.0 gone zeta-writer-1 served 1 Mar 2026 to \d+ \w+ \d+", told)


def test_a_long_line_is_cut_and_costs_no_more_queries(reviewer: Client) -> None:
    model = recommend().tracked_model
    page = reverse("admin:versioning_trackedmodel_change", args=[model.pk])
    reviewer.get(page)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert reviewer.get(page).status_code == 200
        return len(asked)

    few = queries()
    for number in range(20):
        ModelVersionFactory(tracked_model=model, label=f"9.{number}.0")

    assert queries() == few
    assert "All 22 versions" in line(reviewer, model)
