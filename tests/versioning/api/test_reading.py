"""Single samples, the news of checks, and what ids stood for, read over HTTP."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import NOW, ProviderFactory, UserFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import AliasTarget, Check, Finding

pytestmark = pytest.mark.django_db


def report(api: Api, *samples: dict[str, object]) -> None:
    model = tracked(name="zeta")
    known = {
        "provider": model.provider.slug,
        "model": "zeta",
        "task": "chat",
        "time": timezone.now().isoformat(),
    }
    body = [{**known, **sample} for sample in samples]
    assert api.post("/api/performance-samples", body).json()["accepted"] == len(samples)


def test_a_sample_is_read_as_it_was_reported(api: Api) -> None:
    report(api, {"quality": 0.5, "cost_usd": "0.000000001", "input_tokens": 3, "tags": {"a": "b"}})

    (sample,) = api.get("/api/performance-samples").json()["results"]

    assert (sample["task"], sample["source"], sample["quality"]) == ("chat", "production", 0.5)
    assert sample["cost_usd"] == "0.000000001"
    assert (sample["input_tokens"], sample["output_tokens"], sample["error"]) == (3, None, None)
    assert sample["version"]["label"] == "1.0.0"
    assert "b" in sample["tags"]
    assert sample["at"].endswith("Z")


def test_samples_are_filtered_and_the_newest_come_first(api: Api) -> None:
    report(api, {}, {"error": "timeout"}, {"source": "canary"})

    def errors(query: str) -> list[str | None]:
        return [
            row["error"] for row in api.get(f"/api/performance-samples?{query}").json()["results"]
        ]

    assert errors("") == [None, "timeout", None]
    assert errors("failed=true") == ["timeout"]
    assert errors("failed=false") == [None, None]
    assert errors("source=canary") == [None]
    assert errors("version_id=0") == []


def test_one_sample_is_read_by_its_id_and_by_whoever_may_see_samples(
    api: Api, with_scopes: Callable[..., Api], client: Client
) -> None:
    report(api, {})
    report_of = with_scopes("ingest")
    (sample,) = api.get("/api/samples").json()["results"]  # the older name
    address = f"/api/performance-samples/{sample['id']}"

    assert api.get(address).json() == sample
    assert_problem(api.get("/api/performance-samples/0"), 404, "not-found")
    assert_problem(report_of.get(address), 403, "permission-denied")
    client.force_login(UserFactory(is_staff=True))
    assert client.get("/api/performance-samples").status_code == 403
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert client.get("/api/performance-samples").json()["results"] == [sample]
    assert api.delete("/api/performance-samples")["Allow"] == "GET, POST"


def test_samples_come_page_by_page(api: Api) -> None:
    report(api, *[{"request_id": f"r{n}"} for n in range(5)])

    first = api.get("/api/performance-samples?limit=3").json()
    second = api.get(first["next"].removeprefix("http://testserver")).json()

    found = [row["id"] for row in first["results"] + second["results"]]
    assert found == sorted(found, reverse=True)
    assert (len(found), second["next"]) == (5, None)


@pytest.mark.parametrize("many", [1, 5])
def test_a_page_of_samples_takes_the_same_queries(api: Api, many: int) -> None:
    report(api, *[{"task": f"t{n}", "error": f"e{n}"} for n in range(many)])
    api.get("/api/performance-samples"), api.get("/api/performance-samples")

    with CaptureQueriesContext(connection) as queries:
        assert len(api.get("/api/performance-samples").json()["results"]) == many

    assert len(queries) == 3  # the key, whether there are teams, the page


def test_the_news_of_all_checks_are_one_list(api: Api) -> None:
    model = tracked()
    for provider, kind in ((model.provider, "gone"), (ProviderFactory(), "new_version")):
        check = Check.objects.create(
            provider=provider, trigger="staff", state="changed", started_at=NOW, lease_until=NOW
        )
        Finding.objects.create(
            check_run=check, kind=kind, upstream_id="x", sentence="News.", found_at=NOW
        )

    def kinds(query: str) -> list[str]:
        return [row["kind"] for row in api.get(f"/api/findings{query}").json()["results"]]

    assert kinds("") == ["new_version", "gone"]
    assert kinds(f"?provider={model.provider.slug}") == ["gone"]
    assert kinds("?kind=new_version") == ["new_version"]
    assert kinds(f"?tracked_model={model.pk}") == []


def test_what_an_alias_stood_for_is_told(api: Api) -> None:
    provider = ProviderFactory()
    before = NOW - dt.timedelta(days=1)
    for target, since, until in (("zeta-1", before, NOW), ("zeta-2", NOW, None)):
        AliasTarget.objects.create(
            provider=provider, alias="zeta", target=target, since=since, until=until
        )

    rows = api.get(f"/api/providers/{provider.slug}/aliases").json()["results"]

    assert [(row["target"], row["until"] is None) for row in rows] == [
        ("zeta-2", True),
        ("zeta-1", False),
    ]
