"""Names that people give: readable for others, and such that clients can ask for them."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.factories import ModelVersionFactory, ProviderFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.domain.evaluation.cases import Case, read_csv, write_csv
from versioning.domain.naming import problem_of_name
from versioning.models import TrackedModel
from versioning.services import keys
from versioning.services.actors import Actor
from versioning.services.errors import Invalid

pytestmark = pytest.mark.django_db

UNREADABLE = ["new\nline", "a\rb", "a\tb", "a\x1bb", "a\u202eb", "a\u2066b", "a\u200fb", "a\u2028b"]
UNADDRESSABLE = [".", "..", "a/../b", "./a", "a/.", "/a", "a/", "a//b"]
GOOD = ["org/zeta:free", "zeta-4.1", "a..b", "…", "модель", "नमूना\u200d", "a b", "qwen/2.5+@v1"]


def given(api: Api, name: str) -> dict[str, Any]:
    """Return what each door that makes a name answers, by the door."""
    slug = ProviderFactory().slug
    model = tracked()
    version = ModelVersionFactory(tracked_model=model)
    suite = api.post("/api/evaluation-suites", {"name": "sums", "scorers": ["number"]}).json()["id"]
    times = {"starts_at": "2027-12-01T00:00:00Z", "ends_at": "2028-01-02T00:00:00Z"}
    fresh = {"slug": "fresh", "kind": "ollama", "base_url": "http://127.0.0.1:9"}
    return {
        "track": api.post("/api/tracked-models", {"provider": slug, "name": name}),
        "upstream": api.post(
            "/api/tracked-models", {"provider": slug, "name": "x", "upstream_id": name}
        ),
        "label": api.patch(f"/api/versions/{version.pk}", {"label": name[:50]}),
        "provider": api.post("/api/providers", {**fresh, "name": name}),
        "rename": api.patch(f"/api/providers/{slug}", {"name": name}),
        "suite": api.post("/api/evaluation-suites", {"name": name, "scorers": ["number"]}),
        "freeze": api.post("/api/freezes", {"name": name, **times}),
        "tag": api.post("/api/slice-tags", {"name": name[:40]}),
        "rule": api.post(
            f"/api/tracked-models/{model.pk}/rules", {"kind": "ignore", "pattern": name}
        ),
        "case": api.post(
            f"/api/evaluation-suites/{suite}/cases",
            {"cases": [{"key": name, "prompt": "2 + 2?", "expected": "4"}]},
        ),
    }


@pytest.mark.parametrize("name", UNREADABLE)
def test_no_door_takes_what_others_can_not_read(api: Api, name: str) -> None:
    answers = given(api, name)
    rejected = answers.pop("case").json()["rejected"]
    assert len(rejected) == 1
    for door, answer in answers.items():
        problem = assert_problem(answer, 422, "invalid")
        pointer = {"label": "/label", "rule": "/pattern", "upstream": "/upstream_id"}
        assert problem["errors"][0]["pointer"] == pointer.get(door, "/name"), door
    with pytest.raises(Invalid):
        keys.create_api_key(
            name=name, scopes=["read"], now=tracked().created_at, actor=Actor.command()
        )


@pytest.mark.parametrize("name", UNADDRESSABLE)
def test_a_name_that_clients_tidy_away_is_refused_at_every_door(
    api: Api, admin_client: Client, name: str
) -> None:
    provider = ProviderFactory()
    answer = api.post("/api/tracked-models", {"provider": provider.slug, "name": name})
    assert assert_problem(answer, 422, "invalid")["errors"][0]["pointer"] == "/name"
    form = {"provider": provider.pk, "upstream_id": "zeta-1", "name": name}
    page = admin_client.post(reverse("admin:versioning_trackedmodel_add"), form)
    assert "name" in page.context["form"].errors
    with pytest.raises(CommandError):
        call_command("track", provider.slug, "zeta-1", name=name)
    assert not TrackedModel.objects.exists()


@pytest.mark.parametrize("name", GOOD)
def test_what_is_only_unusual_is_taken(api: Api, name: str) -> None:
    assert problem_of_name(name) == ""
    slug = ProviderFactory().slug
    assert api.post("/api/tracked-models", {"provider": slug, "name": name}).status_code == 201
    assert api.get(f"/api/model-versions/{slug}/{name}/current").status_code == 200


FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "'=1",
    "''@x",
    "-",
    "=cmd|' /C calc'!A0",
]
PLAIN = ["-0.5", "+3", "-1e-5", "4", "a=b", "'quoted'", "don't", ""]


@pytest.mark.parametrize("text", [*FORMULAS, *PLAIN])
@pytest.mark.parametrize("field", ["expected", "prompt"])
def test_no_cell_of_an_export_is_run_and_all_come_back(text: str, field: str) -> None:
    messages = ({"role": "user", "content": text or "x"},)
    case = Case(key="four", messages=messages, expected=text if field == "expected" else "4")

    written = write_csv([case])

    cells = [cell for row in _rows(written)[1:] for cell in row]
    assert all(_is_number(cell) or cell[:1] not in tuple("=+-@\t\r") or not cell for cell in cells)
    (back,) = read_csv(written).cases
    assert back == case
    if text in PLAIN and text and field == "expected":
        assert text in cells


def _rows(text: str) -> list[list[str]]:
    import csv
    import io

    return list(csv.reader(io.StringIO(text, newline="")))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return json.dumps(cell) != ""
