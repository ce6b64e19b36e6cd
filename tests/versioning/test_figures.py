"""A walk over the declared figures: each travels from the way in through every door to the docs."""

import json
import re
import subprocess
import sys
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import ApiKeyFactory, ModelVersionFactory, tracked
from tests.otlp import export, span
from tests.versioning.admin.pages import text
from versioning.domain.figure_kinds import Field, Figure, Kept, Unit
from versioning.domain.figures import (
    CHARTS,
    FIELDS,
    FIGURES,
    GATES,
    LIMITS,
    SHOWN,
    SUMS,
)
from versioning.models import ApiKey, PerformanceSample, Policy, RollupPart, TrackedModel
from versioning.services.samples import rollups
from versioning.services.samples.rollup_rebuild import verify

pytestmark = pytest.mark.django_db

TOLD: dict[Unit, tuple[Any, Any]] = {
    Unit.SCORE: (0.5, 1.0),
    Unit.MILLISECONDS: (100.0, 300.0),
    Unit.USD: ("0.001", "0.003"),
    Unit.TOKENS: (2, 6),
    Unit.YES_NO: (True, False),
}
"""What two answered requests tell of each figure; parts of tokens lie within their side."""

SIDES = ("input_tokens", "output_tokens")


@pytest.fixture
def secret() -> str:
    return ApiKeyFactory(scopes=ApiKey.Scope.values).secret


def send(secret: str, address: str, body: Any = None) -> Any:
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    if body is None:
        return client.get(address).json()
    return client.post(address, json.dumps(body), content_type="application/json").json()


@pytest.fixture
def model(secret: str) -> TrackedModel:
    """A model of which two requests told every figure, one failed, and one told nothing."""
    model = tracked(name="zeta")
    known = {
        "provider": model.provider.slug, "model": "zeta",
        "time": timezone.now().isoformat(),
    }  # fmt: skip
    samples = [
        known | {field.name: told(field, n) for field in FIELDS} | {"task": name}
        for n, name in enumerate(("first", "second"))
    ]
    failed = samples[0] | {"error": "timeout", "task": "failed", "quality": None}
    silent = known | {"task": "silent"}
    answer = send(secret, "/api/performance-samples", [*samples, failed, silent])
    assert answer == {"accepted": 4, "duplicates": 0, "rejected": []}
    return model


def told(field: Field, n: int) -> Any:
    value = TOLD[field.unit][n]
    return value * 10 if field.name in SIDES else value


def kept(field: Field, told: Any) -> Any:
    return int(Decimal(told) * 10**9) if field.unit is Unit.USD else told


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_what_is_told_is_kept_and_what_is_not_told_is_unknown(
    model: TrackedModel, field: Field
) -> None:
    stored = dict(PerformanceSample.objects.values_list("task__text", field.kept_as))

    wanted = tuple(kept(field, told(field, n)) for n in range(2))
    assert (stored["first"], stored["second"]) == wanted
    assert stored["silent"] is None
    if field.of_answered:
        assert stored["failed"] is None


# A rebuild sees one moment of the database: its transaction must be its own.
@pytest.mark.django_db(transaction=True)
def test_sums_are_folded_and_remade_as_they_were(model: TrackedModel) -> None:
    def read() -> Any:
        entries = rollups.read(version_ids=[model.current_version_id])
        return rollups.SampleSums.total(entry.sums for entry in entries).settled

    parts = read()
    rollups.fold(now=timezone.now())
    assert not RollupPart.objects.exists()
    folded = read()
    call_command("rebuild_rollups", stdout=StringIO())

    assert verify().differences == ()
    for each, *kept in zip(SUMS, parts, folded, read(), strict=True):
        assert kept[0] == kept[1] == kept[2], each.name
        if each.kept is Kept.RATE:
            assert kept[0] == (2, 1)
        if each.kept is Kept.MOMENTS and each.answered:
            assert kept[0].n == 2


def test_the_api_gives_every_figure_of_a_sample_and_of_a_version(
    model: TrackedModel, secret: str
) -> None:
    samples = send(secret, "/api/performance-samples")["results"]
    first = next(sample for sample in samples if sample["task"] == "first")
    name = f"{model.provider.slug}/{model.name}"
    history = send(secret, f"/api/model-versions/{name}/history")

    for field in FIELDS:
        given, sent = first[field.name], told(field, 0)
        assert given == sent or Decimal(given) == Decimal(sent), field.name
    (version,) = history["results"]
    total = version["performance"]["total"]
    assert set(total) == {shown.name for shown in SHOWN}
    assert all(total[shown.name] is not None for shown in SHOWN)


def test_pages_show_every_figure_that_has_a_place_there(
    model: TrackedModel, admin_client: Client
) -> None:
    samples = text(admin_client.get(reverse("admin:versioning_performancesample_changelist")))
    first = PerformanceSample.objects.get(task__text="first")
    one = text(
        admin_client.get(reverse("admin:versioning_performancesample_change", args=[first.pk]))
    )
    version = text(
        admin_client.get(
            reverse("admin:versioning_modelversion_change", args=[model.current_version_id])
        )
    )
    row = text(admin_client.get(reverse("admin:versioning_trackedmodel_change", args=[model.pk])))

    for field in FIELDS:
        assert f"column-{field.name}_shown" in samples or not field.listed, field.name
        assert field.words.lower() in one.lower()
    for shown in SHOWN:
        assert f">{shown.table}</th>" in version or not shown.table, shown.name
    for figure in CHARTS:
        assert figure.chart in row


def test_two_versions_stand_side_by_side_with_every_figure(
    model: TrackedModel, admin_client: Client
) -> None:
    other = ModelVersionFactory(tracked_model=model, upstream_id="zeta-2", label="2.0.0")
    query = f"?from={model.current_version_id}&to={other.pk}"
    address = reverse("admin:versioning_modelversion_compare") + query
    page, lines = text(admin_client.get(address)), text(admin_client.get(address + "&format=csv"))

    for shown in SHOWN:
        assert f"<td>{shown.pair}</td>" in page or not shown.pair, shown.name
        assert f"\n{shown.name}," in lines or shown.says.value.endswith("by name"), shown.name


def test_a_policy_has_every_limit_over_the_api_and_on_its_page(
    secret: str, admin_client: Client
) -> None:
    wanted = {limit.setting: f"{limit.least}.5000" for limit in LIMITS}
    made = send(secret, "/api/policies", wanted)
    page = text(
        admin_client.get(reverse("admin:versioning_policy_change", args=[Policy.objects.get().pk]))
    )

    assert {name: made[name] for name in wanted} == wanted
    for limit in LIMITS:
        assert f'name="{limit.setting}"' in page


def test_what_is_true_or_false_is_read_from_spans(secret: str) -> None:
    flags = [field.name for field in FIELDS if field.unit is Unit.YES_NO]
    model = tracked(name="zeta", upstream_id="zeta-1")
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "zeta-1",
        "gen_ai.provider.name": model.provider.slug,
        **{f"hotswap.{name}": True for name in flags},
    }
    began = int(timezone.now().timestamp()) * 10**9
    times = {"startTimeUnixNano": str(began), "endTimeUnixNano": str(began + 10**8)}
    assert send(secret, "/v1/traces", export(span(attributes, **times))) == {}

    sample = PerformanceSample.objects.get()
    assert all(getattr(sample, name) is True for name in flags)


def test_names_are_told_apart() -> None:
    for names in (
        [field.name for field in FIELDS],
        [column for each in SUMS for column in each.columns],
        [shown.name for shown in SHOWN],
        [gated.name for gated in GATES],
        [limit.setting for limit in LIMITS],
    ):
        assert len(names) == len(set(names))


def rows() -> list[str]:
    """Return the table of docs/samples.md."""
    return [
        "| figure | a sample tells | sums keep | shown as | limits |",
        "| --- | --- | --- | --- | --- |",
        *map(row_of, FIGURES),
    ]


def row_of(figure: Figure) -> str:
    field = figure.field
    told = f"`{field.name}`, {field.unit.value}: {field.meaning}" if field else "is counted"
    sums = "; ".join(
        f"`{each.name}`: {each.kept.value}{', of answered requests' if each.answered else ''}"
        for each in figure.sums
    )
    shown = ", ".join(f"`{each.name}`" for each in figure.shown)
    limits = ", ".join(
        f"`{limit.setting}` ({'none' if limit.default is None else limit.default})"
        for limit in (figure.gated.limits if figure.gated else ())
    )
    cells = (figure.name.replace("_", " "), told, sums, shown, limits)
    return "|" + "|".join(f" {cell or '–'} " for cell in cells) + "|"


def test_the_docs_have_every_figure() -> None:
    docs = Path("docs/samples.md").read_text()
    wanted = "\n".join(rows())
    assert wanted in docs, f"docs/samples.md has the table of figures, as it is declared:\n{wanted}"
    given = re.findall(r"^\| `(\w+)`", docs.partition("## Figures")[0], re.MULTILINE)
    assert not {field.name for field in FIELDS} & set(given), "a figure stands in one table alone"


def test_what_is_true_or_false_is_nothing_else(model: TrackedModel, secret: str) -> None:
    flags = [field.name for field in FIELDS if field.unit is Unit.YES_NO]
    known = {"provider": model.provider.slug, "model": "zeta"}
    samples = [known | {name: wrong} for name in flags for wrong in ("yes", 1)]

    answer = send(secret, "/api/performance-samples", samples)

    assert answer["accepted"] == 0
    assert [item["code"] for item in answer["rejected"]] == ["invalid-field"] * len(samples)
    assert all("bool" in item["detail"] for item in answer["rejected"])


def test_one_more_figure_that_is_declared_travels_through_every_door(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.versioning.one_more_figure", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    assert json.loads(done.stdout) == {
        "stored": [True, False, None],
        "differences": 0,
        "sums": [2, 1],
        "sample": [None, False, True],
        "version": 0.5,
        "policy": "0.0200",
        "gates": [*(gated.name for gated in GATES if gated.limits[0].default), "refusals"],
        **dict.fromkeys(("list", "table", "chart", "form", "schema"), True),
    }
