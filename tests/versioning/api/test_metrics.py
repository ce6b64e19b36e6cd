"""What monitoring gets: true, with the same number of queries however much there is."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client.parser import text_string_to_metric_families

from tests.factories import ProviderFactory, UpgradeRecordFactory, UserFactory, tracked
from tests.versioning.api.conftest import Api
from versioning import tasks
from versioning.models import Canary, Check, ModelVersion, Tally
from versioning.services.checks import schedules

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[3]
DAY = dt.timedelta(days=1)


def figures_of(text: str) -> dict[str, dict[str, float]]:
    """Return what was told: name of the metric to values, by their labels' values."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = {" ".join(s.labels.values()): s.value for s in family.samples}
    return found


@pytest.fixture
def told(api: Api) -> Any:
    return lambda: figures_of(api.get("/metrics").content.decode())


def test_the_names_are_those_of_the_guide_and_follow_the_conventions(told: Any) -> None:
    guide = (ROOT / "docs/operations.md").read_text()
    named = set(re.findall(r"^\| `(hotswap_\w+)", guide, re.MULTILINE))

    assert set(told()) == named
    assert {
        name for name in named if re.search("_(ms|days|hours|age|count|kb)(_|$)", name)
    } == set()


@pytest.mark.parametrize("file", ["deploy/prometheus/alerts.yml", "deploy/grafana/dashboard.json"])
def test_what_is_shipped_for_monitoring_names_metrics_that_are_there(told: Any, file: str) -> None:
    read = yaml.safe_load((ROOT / file).read_text())  # JSON is YAML, too
    rules = [rule for group in read.get("groups", ()) for rule in group["rules"]]
    targets = [each for panel in read.get("panels", ()) for each in panel["targets"]]
    asked = [each["expr"] for each in (*rules, *targets)]

    assert len(asked) > 10
    assert set(re.findall(r"hotswap_\w+", " ".join(asked))) - set(told()) == set()
    if not rules:
        assert set(told()) <= set(re.findall(r"hotswap_\w+", " ".join(asked)))


def test_a_key_with_the_scope_read_may_ask_and_so_may_staff(
    with_scopes: Any, stranger: Api, client: Client
) -> None:
    assert stranger.get("/metrics").status_code == 401
    assert with_scopes("ingest").get("/metrics").status_code == 403
    assert with_scopes("read").get("/metrics").status_code == 200
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert client.get("/metrics").status_code == 200


def test_it_speaks_the_format_that_is_asked_for(api: Api) -> None:
    plain = api.get("/metrics", Accept="text/plain;version=0.0.4")
    assert plain["Content-Type"].startswith("text/plain; version=0.0.4")
    openly = api.get(
        "/metrics", Accept="application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2"
    )
    assert openly["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert openly.content.endswith(b"# EOF\n")


def test_samples_are_counted_by_what_became_of_them(api: Api, told: Any) -> None:
    model = tracked(name="zeta")
    good = {"provider": model.provider.slug, "model": "zeta", "request_id": "a"}
    batch = [good, good | {"request_id": "b"}, {"model": 7}]
    for _ in range(2):
        assert api.post("/api/performance-samples", batch).status_code == 200

    def counted() -> None:
        found = told()
        assert found["hotswap_samples_total"] == {"accepted": 2, "duplicate": 2, "taken_back": 0}
        assert sum(found["hotswap_rejected_samples_total"].values()) == 2

    counted()
    tasks.fold_samples()
    counted()
    rows = Tally.objects.filter(kind=Tally.Kind.SAMPLE).values_list("result").order_by("result")
    assert len(rows) == len(set(rows))


def test_how_far_sums_are_behind(api: Api, told: Any) -> None:
    model = tracked(name="zeta")
    sample = {"provider": model.provider.slug, "model": "zeta"}
    assert told()["hotswap_fold_lag_seconds"] == {"": 0}
    api.post("/api/performance-samples", [sample])
    assert told()["hotswap_fold_lag_seconds"] == {}  # nobody knows: nothing was ever added up
    tasks.fold_samples()
    assert told()["hotswap_fold_lag_seconds"] == {"": 0}
    api.post("/api/performance-samples", [sample])
    Tally.objects.filter(kind=Tally.Kind.STAGE).update(last_at=timezone.now() - DAY)
    assert told()["hotswap_fold_lag_seconds"][""] == pytest.approx(86_400, abs=60)


def test_a_stage_that_fails_is_counted_as_that(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> int:
        raise RuntimeError("for a test")

    monkeypatch.setattr("versioning.services.samples.rollups.fold", fail)
    tasks.fold_samples()

    found = told()
    assert found["hotswap_stages_total"]["failed Sums of samples"] == 1
    assert found["hotswap_stages_total"]["done Late scores"] == 1
    assert found["hotswap_last_stage_timestamp_seconds"]["done Late scores"] > 0
    assert found["hotswap_open_notices"] == {"fault": 1}


def test_checks_by_provider_and_result(told: Any) -> None:
    ProviderFactory(slug="away")  # nothing listens there
    ProviderFactory(slug="off", enabled=False)
    old = timezone.now() - 3 * DAY
    provider = ProviderFactory(slug="quiet")
    for days, state in ((3, "unchanged"), (1, "failed")):
        at = timezone.now() - days * DAY
        Check.objects.create(
            provider=provider, trigger="schedule", state=state, started_at=at, lease_until=at
        )
    tasks.check_provider(provider_slug="away", trigger="schedule")

    found = told()

    assert found["hotswap_checks_total"]["away unavailable"] == 1
    good = found["hotswap_last_good_check_timestamp_seconds"]
    assert set(good) == {"away", "quiet"}
    assert good["away"] == 0
    assert good["quiet"] == pytest.approx(old.timestamp(), abs=60)


def test_decisions_moves_and_retirements(told: Any) -> None:
    today = timezone.localdate()
    for days in (-1, 0, 7, 8, 30, 31, 90, 91, None):
        model = tracked()
        urgent_on = None if days is None else today + days * DAY
        UpgradeRecordFactory(tracked_model=model, urgent_on=urgent_on)
        ModelVersion.objects.filter(pk=model.current_version_id).update(retires_on=urgent_on)
    UpgradeRecordFactory(step="maybe")

    found = told()

    assert found["hotswap_waiting_decisions"] == {
        "overdue": 1, "week": 2, "month": 2, "quarter": 2, "later": 1, "none": 1
    }  # fmt: skip
    assert found["hotswap_upgrades_total"] == {"completed": 10}
    assert found["hotswap_tracked_models"] == {"": 10}
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    assert found["hotswap_next_retirement_timestamp_seconds"] == {"": midnight.timestamp()}


def test_canaries_and_what_is_under_way(told: Any) -> None:
    for paused in (None, timezone.now()):
        record, now = UpgradeRecordFactory(state="canary"), timezone.now()
        Canary.objects.create(
            record=record, salt="s", steps=[], began_at=now, step_began_at=now, paused_at=paused
        )
    UpgradeRecordFactory(state="testing")

    found = told()

    assert found["hotswap_canaries"] == {"running": 1, "paused": 1}
    assert found["hotswap_upgrades_under_way"] == {"approved": 0, "testing": 1, "canary": 2}


def test_the_last_beat_is_what_the_scheduler_wrote_down(told: Any) -> None:
    assert told()["hotswap_last_beat_timestamp_seconds"] == {"": 0}
    at = timezone.now()
    schedules.install_schedules()
    PeriodicTask.objects.filter(name="Add up samples").update(last_run_at=at)
    assert told()["hotswap_last_beat_timestamp_seconds"] == {"": pytest.approx(at.timestamp())}


def test_as_many_queries_for_much_as_for_little(
    api: Api, django_assert_max_num_queries: Any
) -> None:
    api.get("/metrics")
    with django_assert_max_num_queries(16) as asked:
        api.get("/metrics")
        little = len(asked)
    for n in range(20):
        UpgradeRecordFactory()
        ProviderFactory()
        Tally.objects.create(
            kind="stage", subject=str(n), result="done", times=1, last_at=timezone.now()
        )
    api.get("/metrics")  # the key's row changed: it is read anew once
    with django_assert_max_num_queries(little):
        api.get("/metrics")
