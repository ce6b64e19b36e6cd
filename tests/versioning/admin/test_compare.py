"""Any two versions side by side, as a page, as CSV and as JSON."""

import csv
import datetime as dt
import io

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import tracked
from tests.versioning.admin.pages import text
from versioning.models import SliceTag, TrackedModel
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

COMPARE = reverse("admin:versioning_modelversion_compare")


def report(model: TrackedModel, *, quality: float, task: str = "extract", n: int = 40) -> None:
    now = timezone.now()
    samples = [
        SampleIn(
            provider=model.provider.slug, model=model.name, task=task, latency_ms=300,
            quality=quality + (i % 2) / 50, time=now - dt.timedelta(days=i % 10),
            tags={"language": "de" if i % 4 else "fr"},
        )
        for i in range(n)
    ]  # fmt: skip
    assert ingestion.accept(samples, api_key_id=None, now=now).accepted == n


@pytest.fixture
def models(db: None) -> list[TrackedModel]:
    found = [tracked(name=name, upstream_id=f"{name}-1") for name in ("zeta", "yotta")]
    for model, quality in zip(found, (0.6, 0.9), strict=True):
        report(model, quality=quality)
        report(model, quality=quality, task="=summarise")
    return found


def asked(models: list[TrackedModel], **more: str) -> dict[str, str]:
    return {
        "from": str(models[0].current_version_id),
        "to": str(models[1].current_version_id),
    } | more


def test_versions_of_two_models_stand_side_by_side(
    viewer: Client, models: list[TrackedModel]
) -> None:
    page = text(viewer.get(COMPARE, asked(models)))
    assert "zeta 1.0.0 against" in page
    assert "these are versions of different models" in page
    assert 'class="hs-interval' in page
    assert ">0.61<" in page
    assert ">0.91<" in page


def test_a_task_narrows_the_figures(viewer: Client, models: list[TrackedModel]) -> None:
    report(models[0], quality=0.1, task="other")
    page = text(viewer.get(COMPARE, asked(models, task="extract")))
    assert '<option value="extract" selected>' in page
    assert '<option value="other">' in page
    assert 'data-label="zeta 1.0.0">40<' in page
    assert "task=extract&amp;format=csv" in page


def test_json_has_what_the_api_says(viewer: Client, models: list[TrackedModel]) -> None:
    answer = viewer.get(COMPARE, asked(models, format="json")).json()
    assert answer["from_version"]["model"] == "zeta"
    assert answer["figures"]["to"]["samples"] == 80
    assert answer["sentence"] == answer["details"]["sentence"]
    assert [part["name"] for part in answer["details"]["tasks"]] == ["=summarise", "extract"]


def test_csv_has_a_line_for_each_metric_and_runs_nothing(
    viewer: Client, models: list[TrackedModel]
) -> None:
    answer = viewer.get(COMPARE, asked(models, format="csv"))
    assert "comparison.csv" in answer["Content-Disposition"]
    lines = list(csv.DictReader(io.StringIO(text(answer))))
    parts = [line["part"] for line in lines if line["what"] == "quality" and line["low"]]
    assert parts == ["", "'=summarise", "extract"]
    assert float(lines[0]["change"]) == pytest.approx(0.3, abs=1e-3)
    (samples,) = [line for line in lines if line["what"] == "samples"]
    assert (samples["from"], samples["to"]) == ("80", "80")
    (cost,) = [line for line in lines if line["what"] == "cost_usd"]
    assert cost["from"] == ""  # unknown, not 0


@pytest.mark.parametrize("given", ["", "x", "-1", "9" * 30, "1e3"])
def test_what_is_no_version_asks_for_one(
    viewer: Client, models: list[TrackedModel], given: str
) -> None:
    page = viewer.get(COMPARE, asked(models, to=given))
    assert page.status_code == 200
    assert "Figures side by side" not in text(page)
    assert viewer.get(COMPARE, asked(models, to=given, format="json")).status_code == 400


def test_an_unknown_version_and_the_same_one_are_told_by_the_field(
    viewer: Client, models: list[TrackedModel]
) -> None:
    page = text(viewer.get(COMPARE, asked(models, to="999999999")))
    assert "There is no such version: choose another one." in page
    same = str(models[0].current_version_id)
    assert "This is the same version" in text(viewer.get(COMPARE, asked(models, to=same)))


def test_without_samples_it_says_so(viewer: Client, models: list[TrackedModel]) -> None:
    new = tracked(name="xi", upstream_id="xi-1")
    page = text(viewer.get(COMPARE, asked([models[0], new])))
    assert "not enough data" in page
    assert 'data-label="xi 1.0.0">–<' in page


def test_models_and_versions_lead_to_it(viewer: Client, models: list[TrackedModel]) -> None:
    model = reverse("admin:versioning_trackedmodel_change", args=[models[0].pk])
    version = reverse("admin:versioning_modelversion_change", args=[models[0].current_version_id])
    assert f"{COMPARE}?from={models[0].current_version_id}" in text(viewer.get(model))
    assert f"{COMPARE}?from=&amp;to={models[0].current_version_id}" in text(viewer.get(version))


def test_it_asks_for_the_right_to_see_versions(models: list[TrackedModel]) -> None:
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(COMPARE, asked(models)).status_code == 403


def test_it_asks_as_many_queries_for_more_tasks(
    viewer: Client, models: list[TrackedModel], django_assert_num_queries
) -> None:
    with CaptureQueriesContext(connection) as few:
        viewer.get(COMPARE, asked(models))
    for n in range(6):
        report(models[0], quality=0.5, task=f"t{n}", n=5)
    with django_assert_num_queries(len(few)):
        viewer.get(COMPARE, asked(models))


def test_a_slice_narrows_both(viewer: Client, db: None) -> None:
    SliceTag.objects.create(name="language")
    both = [tracked(name=name, upstream_id=f"{name}-1") for name in ("zeta", "yotta")]
    for model in both:
        report(model, quality=0.5)
    answer = viewer.get(COMPARE, asked(both, slice="language=fr", format="json")).json()
    assert answer["slice"] == "language=fr"
    assert answer["figures"]["from"]["samples"] == 10
    assert answer["details"]["quality"]["n_current"] == 10
    assert '<option value="language=de">' in text(viewer.get(COMPARE, asked(both)))
