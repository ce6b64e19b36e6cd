"""What requests used, told by applications, against what another version takes."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import ModelVersionFactory, TrackedModelFactory
from versioning.models import ModelVersion, RequestUse
from versioning.services import keys
from versioning.services.actors import Actor
from versioning.services.evaluation import compatibility
from versioning.services.samples import request_uses, rollups

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def version() -> ModelVersion:
    tracked = TrackedModelFactory(name="writer", current_version=None)
    found: ModelVersion = ModelVersionFactory(tracked_model=tracked, upstream_id="writer-1")
    tracked.current_version = found
    tracked.save()
    return found


def post(client: Client, items: list[dict[str, Any]]) -> dict[str, Any]:
    made = keys.create_api_key(name="app", scopes=["ingest"], now=NOW, actor=Actor.command())
    answer = client.post(
        "/api/performance-samples",
        json.dumps([{"model": "writer", **item} for item in items]),
        content_type="application/json",
        headers={"Authorization": f"Bearer {made.secret}"},
    )
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def test_shares_are_of_the_requests_that_told(client: Client, version: ModelVersion) -> None:
    sent = [
        {"parameters": ["temperature", "tools"], "input_tokens": 900, "output_tokens": 20},
        {"parameters": ["temperature"], "modalities": ["text", "image"], "input_tokens": 70},
        {"parameters": []},
        {"input_tokens": 5_000},
    ]
    assert post(client, sent)["accepted"] == 4
    found = request_uses.uses_of(version_id=version.pk, now=NOW)
    assert found is not None
    assert found.requests == 3
    assert found.parameters == pytest.approx({"temperature": 2 / 3, "tools": 1 / 3})
    assert found.modalities == pytest.approx({"image": 1 / 3, "text": 1 / 3})
    assert (found.longest_input, found.longest_output) == (900, 20)


def test_repeated_request_adds_nothing(client: Client, version: ModelVersion) -> None:
    told = {"parameters": ["tools"], "request_id": "r1"}
    post(client, [told, told])
    made = keys.create_api_key(name="again", scopes=["ingest"], now=NOW, actor=Actor.command())
    for _ in range(2):
        client.post(
            "/api/performance-samples",
            json.dumps({"model": "writer", **told}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {made.secret}"},
        )
    found = request_uses.uses_of(version_id=version.pk, now=NOW)
    assert found is not None
    assert found.requests == 2  # one of each key


def test_folding_changes_no_figure(client: Client, version: ModelVersion) -> None:
    for _ in range(3):
        post(client, [{"parameters": ["tools"], "input_tokens": 10}])
    before = request_uses.uses_of(version_id=version.pk, now=NOW)
    rollups.fold(now=NOW)
    assert request_uses.uses_of(version_id=version.pk, now=NOW) == before
    assert RequestUse.objects.count() == 2  # all that told, and tools


def test_names_that_are_none_are_refused(client: Client, version: ModelVersion) -> None:
    for names in (["a b"], [""], ["x" * 61], ["tools\x00"], ["p"] * 51):
        answer = post(client, [{"parameters": names}])
        assert answer["rejected"][0]["code"] == "invalid-field", names


def test_preflight_says_what_must_change_and_for_how_many(
    client: Client, version: ModelVersion
) -> None:
    sent = [{"parameters": ["tools"], "modalities": ["image"], "input_tokens": 900}]
    post(client, sent + [{"parameters": ["seed"], "modalities": ["text"]}] * 3)
    new = ModelVersionFactory(
        tracked_model=version.tracked_model,
        parameters=["seed"],
        input_modalities=["text"],
        context_tokens=500,
        output_tokens=None,
    )
    rows = compatibility.preflight_of_requests(from_version=version, to_version=new, now=NOW)
    said = {row.what: (row.fit.value, row.share) for row in rows}
    assert said == {
        "tools": ("must_change", 0.25),
        "image input": ("must_change", 0.25),
        "context length": ("must_change", 1.0),
        "output length": ("unknown", 1.0),
        "seed": ("ok", 0.75),
        "text input": ("ok", 0.75),
    }


def test_without_told_requests_nothing_is_said(version: ModelVersion) -> None:
    new = ModelVersionFactory(tracked_model=version.tracked_model)
    assert not compatibility.preflight_of_requests(from_version=version, to_version=new, now=NOW)
