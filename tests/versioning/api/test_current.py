"""``current``: the version to use now, cheap and conditional."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, ModelVersionFactory, UpgradeRecordFactory, tracked
from tests.versioning.api.conftest import Api
from versioning.domain.transitions import State
from versioning.models import Canary, ModelVersion, TrackedModel, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.upgrades import decisions, moves

pytestmark = pytest.mark.django_db

QUICK = "*/*"
FULL = "application/json; q=0.9, */*"
"""An Accept header that the quick way leaves to the framework."""


@pytest.fixture(params=[QUICK, FULL])
def accept(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(db: None) -> TrackedModel:
    return tracked(name="org/zeta", upstream_id="zeta-1")


@pytest.fixture
def address(model: TrackedModel) -> str:
    return f"/api/model-versions/{model.provider.slug}/org/zeta/current"


def recommended(model: TrackedModel, upstream_id: str) -> UpgradeRecord:
    version = ModelVersionFactory(tracked_model=model, upstream_id=upstream_id)
    return UpgradeRecordFactory(tracked_model=model, to_version=version)


@pytest.fixture
def canary(model: TrackedModel) -> Canary:
    """A canary of zeta-2 at 30 %."""
    record = recommended(model, "zeta-2")
    UpgradeRecord.objects.filter(pk=record.pk).update(state=State.CANARY.value)
    return Canary.objects.create(
        record=record,
        salt="salt",
        steps=[{"weight": 30, "hours": 1}],
        began_at=NOW,
        step_began_at=NOW,
    )


def test_it_names_what_to_send_requests_to(api: Api, address: str, accept: str) -> None:
    answer = api.get(address, Accept=accept)

    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "private, max-age=2, stale-if-error=86400"
    body = answer.json()
    assert body["name"] == "org/zeta"
    assert body["canary"] is None
    assert (body["version"]["label"], body["version"]["upstream_id"]) == ("1.0.0", "zeta-1")


def test_both_ways_of_answering_say_the_same(api: Api, address: str, model: TrackedModel) -> None:
    ModelVersion.objects.update(input_price="0.1", retires_on=dt.date(2027, 1, 1))

    quick, full = api.get(address, Accept=QUICK), api.get(address, Accept=FULL)

    assert quick.content == full.content
    assert quick["ETag"] == full["ETag"]
    assert quick["Sunset"] == full["Sunset"]
    assert quick.json()["version"]["input_price"] == "0.100000"


def test_what_the_client_has_already_is_304(api: Api, address: str, accept: str) -> None:
    etag = api.get(address)["ETag"]

    for given in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = api.get(address, Accept=accept, If_None_Match=given)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer["ETag"] == etag


def test_an_upgrade_changes_the_answer_at_once_and_a_rollback_back(
    api: Api, address: str, accept: str, model: TrackedModel
) -> None:
    before = api.get(address, Accept=accept)
    record = recommended(model, "zeta-2")
    decisions.approve(record_id=record.pk, actor=Actor.command(), now=NOW)

    after = api.get(address, Accept=accept, If_None_Match=before["ETag"])
    api.post(address.replace("current", "rollback"), {"reason": "worse"})
    back = api.get(address, Accept=accept, If_None_Match=after["ETag"])

    assert after.json()["version"]["upstream_id"] == "zeta-2"
    assert back.json()["version"]["upstream_id"] == "zeta-1"


@pytest.mark.parametrize(
    "change", [{"gone_at": NOW}, {"input_price": 2}, {"deprecated_on": dt.date(2026, 1, 1)}]
)
def test_news_of_the_version_changes_the_etag(
    api: Api, address: str, accept: str, change: dict[str, Any]
) -> None:
    etag = api.get(address, Accept=accept)["ETag"]

    ModelVersion.objects.update(**change)

    assert api.get(address, Accept=accept, If_None_Match=etag).status_code == 200


def test_a_version_that_goes_away_says_when_and_where_to_look(
    api: Api, address: str, accept: str
) -> None:
    ModelVersion.objects.update(deprecated_on=dt.date(2026, 1, 1), retires_on=dt.date(2026, 7, 1))

    answer = api.get(address, Accept=accept)

    assert answer["Deprecation"] == "@1767225600"
    assert answer["Sunset"] == "Wed, 01 Jul 2026 00:00:00 GMT"
    successor = address.replace("current", "upgrades?state=recommended")
    assert answer["Link"] == f'<{successor}>; rel="successor-version"'
    assert api.get(successor).status_code == 200


@pytest.mark.parametrize("query", ["", "?key=user-1"])
def test_it_costs_a_query_for_the_key_one_for_teams_and_one_for_the_answer(
    api: Api, address: str, query: str
) -> None:
    api.get(address)  # notes the key's use
    api.get(address)  # remembers key and answer

    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = api.get(address + query)

    assert answer.status_code == 200
    assert (
        len(queries) == 3
    )  # the key, whether there are teams (kept, outside of tests), the answer


def test_in_a_canary_each_key_keeps_its_version(api: Api, address: str, canary: Canary) -> None:
    def ask() -> list[str]:
        answers = (api.get(f"{address}?key=user-{n}").json() for n in range(100))
        return [answer["version"]["upstream_id"] for answer in answers]

    first = ask()

    assert first == ask()
    assert 15 <= Counter(first)["zeta-2"] <= 45
    Canary.objects.update(steps=[{"weight": 60, "hours": 1}])
    grown = ask()
    assert all(
        after == "zeta-2" for before, after in zip(first, grown, strict=True) if before == "zeta-2"
    )
    assert grown != first


@pytest.mark.parametrize("key", ["a b", " x ", "ζ", "%2F", "1" * 200])
def test_both_ways_of_answering_put_a_key_into_the_same_arm(
    api: Api, address: str, canary: Canary, key: str
) -> None:
    query = {"key": key}
    headers = {"Authorization": f"Bearer {api.secret}"}

    quick = api.client.get(address, query, headers=headers)
    full = api.client.get(address, query, headers={**headers, "Accept": FULL})

    assert quick.json() == full.json()


def test_without_a_key_a_canary_is_told_with_its_weight(
    api: Api, address: str, accept: str, canary: Canary
) -> None:
    body = api.get(address, Accept=accept).json()

    assert body["version"]["upstream_id"] == "zeta-1"
    assert body["canary"]["version"]["upstream_id"] == "zeta-2"
    assert body["canary"]["weight"] == 0.3


def test_the_end_of_a_canary_is_seen_at_once(api: Api, address: str, canary: Canary) -> None:
    etag = api.get(address)["ETag"]

    moves.move(record_id=canary.record_id, to=State.ABORTED, actor=Actor.command(), now=NOW)

    answer = api.get(address, If_None_Match=etag)
    assert answer.json()["canary"] is None


@pytest.mark.parametrize("query", ["?key=", "?key=a&key=b", f"?key={'x' * 201}", "?kex=a"])
def test_a_key_that_can_not_be_used_is_400(api: Api, address: str, query: str) -> None:
    assert api.get(address + query).status_code == 400


def test_a_parameter_map_travels_with_its_version(api: Any) -> None:
    model = tracked(name="writer")
    version = model.current_version
    assert version is not None
    address = f"/api/model-versions/{model.provider.slug}/writer/current"
    before = api.get(address)
    assert before.json()["version"]["parameter_map"] == {}

    wanted = {"rename": {"max_tokens": "max_completion_tokens"}, "drop": ["top_k"]}
    changed = api.patch(f"/api/versions/{version.pk}", {"parameter_map": wanted})
    assert changed.status_code == 200
    after = api.get(address)
    assert after.json()["version"]["parameter_map"] == wanted
    assert after["ETag"] != before["ETag"]
    assert api.patch(f"/api/versions/{version.pk}", {"parameter_map": []}).status_code == 422
