"""The page that says which version does a task best."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.factories import NOW, tracked
from tests.versioning.admin.pages import text
from versioning.admin import pareto_front
from versioning.models import ModelVersion, TrackedModel
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

pytestmark = pytest.mark.django_db


def page_of(client: Client, **query: str) -> str:
    page = client.get(reverse("admin:versioning_modelversion_best"), query)
    assert page.status_code == 200
    return text(page)


def report(model: TrackedModel, *, task: str, quality: float, n: int) -> None:
    """Have an application send so many samples of ten days."""
    items = [
        SampleIn(
            provider=model.provider.slug,
            model=model.name,
            task=task,
            quality=quality + (i % 2) / 50,
            time=NOW - timedelta(days=i % 10),
        )
        for i in range(n)
    ]
    assert ingestion.accept(items, api_key_id=None, now=NOW).accepted == n


@pytest.fixture
def models(db: None) -> list[TrackedModel]:
    found = [tracked(name=name, upstream_id=f"{name}-1") for name in ("zeta", "yotta", "xi")]
    for model, quality, n in zip(found, (0.6, 0.9, 0.99), (300, 300, 5), strict=True):
        report(model, task="summarise", quality=quality, n=n)
    report(found[0], task="extract", quality=0.7, n=40)
    return found


def test_the_whole_table_is_shown_the_best_first(
    viewer: Client, models: list[TrackedModel]
) -> None:
    ModelVersion.objects.filter(tracked_model=models[1]).update(
        retires_on=(NOW + timedelta(days=9)).date()
    )
    page = page_of(viewer, task="summarise")
    table = page[page.index("<tbody>") : page.index("</tbody>")]
    names = re.findall(r'<a class="hs-link"[^>]*>(\w+) ', table)
    assert names == ["yotta", "zeta", "xi"]
    assert re.search(r"0\.91 \(0\.\d\d to 0\.\d\d\)", table)
    assert "too few scores" in table
    assert "at least 30 scores come first" in table
    assert "on the 10 days that all of them served" in page
    assert table.count(">best</span>") == 1
    assert re.search(r'data-label="Retires">(in \d+ days|\d+ days ago)<', table)


def test_another_task_is_a_click_away(viewer: Client, models: list[TrackedModel]) -> None:
    page = page_of(viewer)
    assert "Who does “extract” best" in page
    assert 'href="?task=summarise"' in page
    assert "yotta" not in page


def test_without_tasks_it_says_how_to_name_them(viewer: Client) -> None:
    assert "No sample names a task yet." in page_of(viewer)


def test_a_task_that_nobody_does_is_not_found(viewer: Client, models: list[TrackedModel]) -> None:
    page = viewer.get(reverse("admin:versioning_modelversion_best"), {"task": "none"})
    assert page.status_code == 404


def test_it_asks_for_the_right_to_see_versions(models: list[TrackedModel]) -> None:
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(reverse("admin:versioning_modelversion_best")).status_code == 403


def test_the_page_asks_few_questions(
    viewer: Client, models: list[TrackedModel], django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(14):
        page_of(viewer, task="summarise")


def dot(name: str, cost: float | None, quality: float | None) -> pareto_front.FrontPoint:
    return pareto_front.FrontPoint(name, "1", cost, quality, None, None, "/")


def test_the_front_is_what_nothing_beats_in_both_and_the_unknown_is_named() -> None:
    plot = pareto_front.draw(
        [dot("dear", 3, 0.9), dot("beaten", 2, 0.5), dot("cheap", 1, 0.6), dot("dark", None, 0.9)]
    )
    assert plot is not None
    assert [mark.is_best for mark in plot.marks] == [True, False, True]
    assert [(one.words[:5], other.words[:4]) for one, other in plot.front] == [("cheap", "dear")]
    assert plot.left_out == ["dark"]
    dear, beaten, cheap = plot.marks
    assert cheap.x < beaten.x < dear.x
    assert dear.y < cheap.y < beaten.y


def test_one_dot_is_a_plot_and_none_is_not() -> None:
    assert pareto_front.draw([dot("free", 0.0, 0.9)]) is not None
    assert pareto_front.draw([dot("dark", None, 0.9)]) is None


def test_the_page_draws_what_has_a_cost(viewer: Client, models: list[TrackedModel]) -> None:
    assert "hs-front-plot" not in page_of(viewer, task="summarise")
    now_costs(models[0])
    page = page_of(viewer, task="summarise")
    assert page.count('class="hs-whisker"') == 1
    assert "Not drawn, for their cost or quality is unknown" in page


def now_costs(model: TrackedModel) -> None:
    sample = SampleIn(
        provider=model.provider.slug, model=model.name, task="summarise", quality=0.6,
        cost_usd=Decimal("0.001"), time=NOW,
    )  # fmt: skip
    ingestion.accept([sample] * 5, api_key_id=None, now=NOW)


def test_costs_that_are_many_times_each_other_lie_by_ratios() -> None:
    plot = pareto_front.draw([dot("a", 0.001, 0.9), dot("b", 0.01, 0.8), dot("c", 0.1, 0.7)])
    assert plot is not None
    assert plot.is_log
    a, b, c = (mark.x for mark in plot.marks)
    assert b - a == pytest.approx(c - b, abs=0.02)
