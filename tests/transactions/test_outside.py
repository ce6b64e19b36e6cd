"""What must not happen inside a transaction: asking others. And what reading must not: write."""

import re
from typing import Any

import pytest
from django.contrib.admin import site
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from providers.base import Connection
from providers.http.client import Client as HttpClient
from providers.http.guard import HoldsOthersUp
from providers.models import Provider
from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import NOW, ApiKeyFactory, ProviderFactory, UpgradeRecordFactory
from tests.versioning.admin.test_pages import LISTS, make_rows
from tests.versioning.api import walk
from tests.versioning.api.conftest import Api
from tests.versioning.api.walk import Described
from versioning import tasks
from versioning.models import ApiKey, Approval, ModelVersion, Notice, TrackedModel, UpgradeRecord
from versioning.services.checks import schedules
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import recommendation

pytestmark = pytest.mark.django_db

OPERATIONS = walk.operations()
READS = [each for each in OPERATIONS if each.method == "get"]
POSTS = [each for each in OPERATIONS if each.method == "post"]
ASIDE = re.compile(r'"(django_session|versioning_apikey|auth_user)"')
"""Notes that a log-in or a key was used: no part of what is read."""


@pytest.fixture
def api() -> Api:
    return Api(ApiKeyFactory(scopes=list(ApiKey.Scope.values)).secret)


@pytest.fixture
def provider(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setenv("HOTSWAP_KEY_SIM", KEY)
    simulator.world.add("openai", "zeta-1")
    return ProviderFactory(base_url=simulator.base_url("openai"))


def address_of(operation: Described) -> str:
    """Return the operation's address with parts that stand for rows, as far as there are any."""
    model = TrackedModel.objects.select_related("provider").first()
    names = {"provider": model.provider.slug, "slug": model.provider.slug, "model": model.name}
    rows = {
        "tracked-models": model,
        "model-versions": UpgradeRecord.objects.first(),
        "notices": Notice.objects.first(),
    }
    row = next((row for name, row in rows.items() if name in operation.path), model)
    return operation.address(row.pk, **names)


def changes_among(queries: CaptureQueriesContext) -> list[str]:
    return [
        query["sql"]
        for query in queries.captured_queries
        if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
        and not ASIDE.search(query["sql"])
    ]


def test_nothing_is_asked_within_a_transaction(simulator: Simulator) -> None:
    client = HttpClient(Connection(base_url=simulator.base_url("openai"), api_key=KEY))

    @one_transaction
    def ask() -> None:
        client.get("/models")

    with pytest.raises(HoldsOthersUp), transaction.atomic():
        client.get("/models")
    with pytest.raises(HoldsOthersUp):
        ask()


def test_a_test_of_a_provider_holds_nobody_up_under_a_key(api: Api, provider: Provider) -> None:
    address = f"/api/providers/{provider.slug}/test"
    first = api.post(address, Idempotency_Key="one")
    again = api.post(address, Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (200, 200), first.content
    assert again["Idempotent-Replayed"] == "true"
    assert first.json() == again.json()


@pytest.mark.parametrize("operation", POSTS, ids=str)
def test_no_operation_asks_others_within_a_transaction(
    operation: Described, api: Api, simulator: Simulator
) -> None:
    make_rows(1)
    Provider.objects.update(base_url=simulator.base_url("openai"))
    answer = api.post(address_of(operation), {"reason": "why"}, Idempotency_Key="one")
    assert answer.status_code < 500, answer.content


@pytest.mark.parametrize("entry", schedules.entries(), ids=lambda entry: entry.name)
def test_no_task_asks_others_within_a_transaction(entry: Any, simulator: Simulator) -> None:
    make_rows(1)
    UpgradeRecordFactory(state="approved")
    Provider.objects.update(base_url=simulator.base_url("openai"))
    Notice.objects.filter(kind="fault").delete()
    task = entry.task.removeprefix("versioning.")
    getattr(tasks, task)(**entry.arguments)
    assert list(Notice.objects.filter(kind="fault").values_list("sentence", flat=True)) == []


@pytest.mark.parametrize("operation", READS, ids=str)
def test_reading_over_the_api_writes_nothing(operation: Described, api: Api) -> None:
    make_rows(1)
    address = address_of(operation)
    with CaptureQueriesContext(connection) as queries:
        answer = api.get(address)
    assert answer.status_code < 500
    assert changes_among(queries) == []


def test_reading_pages_of_the_admin_writes_nothing(admin_client: Client) -> None:
    make_rows(1)
    pages = [reverse(f"admin:{name}") for name in LISTS] + [reverse("admin:index")]
    for model in site._registry:
        row = model._default_manager.first()
        if row is not None:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            pages += [reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "history")]
    written = {}
    for page in pages:
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(page).status_code in (200, 302), page
        if changes_among(queries):
            written[page] = changes_among(queries)
    assert written == {}


class TestEvidenceUnderAKey:
    """What a decision looks at again outlives its refusal, with an Idempotency-Key as without."""

    @pytest.fixture
    def record(self) -> UpgradeRecord:
        record = UpgradeRecordFactory()
        # As a check wrote it, and before samples said something else.
        recommendation.refresh_evidence(record_id=record.pk, now=NOW)
        record.refresh_from_db()
        old = {**record.evidence, "decision": "upgrade", "verdict": "better"}
        UpgradeRecord.objects.filter(pk=record.pk).update(evidence=old, evidence_hash="old")
        return record

    @pytest.mark.parametrize(
        ("verb", "body"),
        [
            ("approve", {"reason": "go"}),
            ("reject", {"reason": "no"}),
            ("snooze", {"until": "2199-01-01T00:00:00Z"}),
        ],
    )
    @pytest.mark.parametrize("key", [None, "one"])
    def test_412_once_then_200(
        self, record: UpgradeRecord, api: Api, verb: str, body: dict[str, str], key: str | None
    ) -> None:
        there = f"/api/model-versions/upgrade-recommendations/{record.pk}"
        more = {} if key is None else {"Idempotency_Key": key}
        refused = api.post(f"{there}/{verb}", body, If_Match='"old"', **more)
        assert refused.status_code == 412
        etag = api.get(there)["ETag"]
        assert etag != '"old"'
        again = api.post(f"{there}/{verb}", body, If_Match=etag, **more)
        assert again.status_code == 200, again.content

    def test_a_move_by_name_too(self, record: UpgradeRecord, api: Api) -> None:
        model = record.tracked_model
        there = f"/api/model-versions/{model.provider.slug}/{model.name}/upgrade"
        refused = api.post(there, {}, If_Match='"old"', Idempotency_Key="one")
        assert refused.status_code == 412
        record.refresh_from_db()
        assert record.evidence_hash != "old"
        again = api.post(there, {}, If_Match=f'"{record.evidence_hash}"', Idempotency_Key="one")
        assert again.status_code == 200, again.content

    def test_reading_leaves_it_and_the_sweep_renews_it(
        self, record: UpgradeRecord, api: Api
    ) -> None:
        Approval.objects.create(
            record=record, actor_kind="staff", actor_name="ada", basis="old", given_at=NOW
        )
        api.get(f"/api/model-versions/upgrade-recommendations/{record.pk}")
        record.refresh_from_db()
        assert record.evidence_hash == "old"
        assert record.approvals.standing().count() == 1

        tasks.look_again()

        record.refresh_from_db()
        assert record.evidence_hash != "old"
        assert record.approvals.standing().count() == 0


def test_what_waits_and_may_never_go_costs_the_same_however_much_there_is() -> None:
    def queries_of_the_sweep() -> int:
        ModelVersion.objects.update(answers_at=timezone.now())  # each is asked for once
        with CaptureQueriesContext(connection) as queries:
            tasks.carry_on()
        return len(queries)

    UpgradeRecordFactory()
    few = queries_of_the_sweep()
    for _ in range(20):
        UpgradeRecordFactory()
    assert queries_of_the_sweep() == few


def test_readyz_asks_the_same_queries_however_many_providers_there_are(
    admin_client: Client,
) -> None:
    def queries_of_it() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get("/readyz").status_code == 200
        return len(queries)

    make_rows(1)
    queries_of_it()
    few = queries_of_it()
    make_rows(6)
    assert queries_of_it() == few
    assert len(admin_client.get("/readyz").json()["checks"]) == Provider.objects.count()
