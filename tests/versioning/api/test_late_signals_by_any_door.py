"""The same signals by every door, together or apart: the same row of a sample."""

import itertools
from typing import Any

import pytest

from tests.factories import tracked
from versioning.domain.signals import Signal
from versioning.models import PerformanceSample, TrackedModel
from versioning.services import sample_settings

pytestmark = pytest.mark.django_db
SAMPLES, SCORES = "/api/performance-samples", "/api/performance-samples/scores"
TOLD = ({"valid_output": True}, {"user_feedback": -1})


@pytest.fixture
def writer(db: None) -> TrackedModel:
    return tracked(name="writer", provider__slug="acme")


def by_batch(api: Any, told: dict[str, object]) -> None:
    answer = api.post(SCORES, [{"request_id": "a", "signals": told}])
    assert answer.json()["rejected"] == []


def by_address(api: Any, told: dict[str, object]) -> None:
    answer = api.patch(f"{SAMPLES}/a/scores", {"signals": told})
    assert answer.status_code < 300


def send(api: Any, told: dict[str, object], *, error: str) -> None:
    body = {"model": "writer", "request_id": "a", "latency_ms": 900, "error": error}
    assert api.post(SAMPLES, {**body, "signals": told}).json()["accepted"] == 1


def span(api: Any, told: dict[str, object], *, error: str) -> None:
    given = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "zeta-1",
        "hotswap.provider": "acme",
        "hotswap.model": "writer",
        "hotswap.request_id": "a",
        **{f"hotswap.{name}": value for name, value in told.items()},
        **({"error.type": error} if error else {}),
    }

    def value(given: object) -> dict[str, object]:
        kinds = {bool: "boolValue", int: "intValue", str: "stringValue"}
        return {kinds[type(given)]: given}

    one = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "chat",
        "startTimeUnixNano": "1790000000000000000",
        "endTimeUnixNano": "1790000000900000000",
        "attributes": [{"key": key, "value": value(what)} for key, what in given.items()],
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}
    answer = api.post("/v1/traces", body)
    assert (answer.status_code, answer.json()) == (200, {})


@pytest.mark.parametrize("error", ["", "timeout"])
@pytest.mark.parametrize("door", [send, span])
@pytest.mark.parametrize("later", [by_batch, by_address])
@pytest.mark.parametrize("order", list(itertools.permutations(("sample", 0, 1))))
def test_by_every_door_and_in_every_order_it_is_the_same(
    api: Any, writer: TrackedModel, door: Any, later: Any, order: tuple[Any, ...], error: str
) -> None:
    for step in order:
        if step == "sample":
            door(api, {}, error=error)
        else:
            later(api, TOLD[step])
    apart = PerformanceSample.objects.values_list("quality", "signals").get()
    PerformanceSample.objects.all().delete()
    door(api, TOLD[0] | TOLD[1], error=error)
    assert apart == PerformanceSample.objects.values_list("quality", "signals").get()
    weights = sample_settings.signal_weights()
    valid = weights[Signal.VALID_OUTPUT]
    known = valid + weights[Signal.USER_FEEDBACK]
    assert apart[0] == pytest.approx(0.0 if error else valid / known)
