"""Evidence kept for good is read whatever version of Hotswap wrote it."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.versioning.documents import wrong_in
from versioning.domain.baseline import UnreadBaseline, read_baseline
from versioning.domain.evidence import (
    Evidence,
    KeptFigures,
    KeptGate,
    KeptJudgement,
    KeptNeeded,
    KeptPart,
    RunResult,
    UnreadEvidence,
    UnreadRun,
    read,
    read_run,
)
from versioning.domain.statistics.comparison import Comparison
from versioning.domain.statistics.gates import Gate
from versioning.domain.statistics.verdict import Judgement, Needed, PartVerdict, QualityFigures
from versioning.domain.stored_documents import SCHEMA_VERSION, STEPS

KEPT = Path(__file__).with_name("documents")
"""Documents as each version wrote them; the number at the end of a name is the schema's."""

OLDER = sorted(path.name for path in KEPT.glob("*-1.json") if not path.name.startswith("run"))
TODAY = sorted(path.name for path in KEPT.glob(f"*-{SCHEMA_VERSION}.json"))


def stored(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((KEPT / name).read_text())
    return document


@pytest.mark.parametrize("name", OLDER)
def test_an_older_document_is_read_whole(name: str) -> None:
    document = stored(name)
    told = {**document, **document.get("details", {})}
    told.pop("details", None)
    found = read(document)
    again = found.as_dict()
    assert {key: again[key] for key in told} == told
    assert not isinstance(found, UnreadEvidence)
    assert (found.schema_version, wrong_in(again, Evidence, read)) == (SCHEMA_VERSION, "")


@pytest.mark.parametrize("name", TODAY)
def test_a_document_of_today_is_read_and_written_alike(name: str) -> None:
    is_run = name.startswith("run")
    kind, reader = (RunResult, read_run) if is_run else (Evidence, read)
    assert wrong_in(stored(name), kind, reader) == ""


def test_a_result_of_a_run_without_a_number_is_read() -> None:
    document = stored("run-1.json")
    found = read_run(document).as_dict()
    assert {key: found[key] for key in document} == document


def test_each_version_has_a_reader_and_a_stored_document() -> None:
    versions = {int(path.stem.rpartition("-")[2]) for path in KEPT.glob("*.json")}
    assert versions == set(range(1, SCHEMA_VERSION + 1))
    assert set(STEPS) == versions - {SCHEMA_VERSION}


@pytest.mark.parametrize(
    ("computed", "kept"),
    [
        (Comparison, Evidence),
        (PartVerdict, KeptPart),
        (QualityFigures, KeptFigures),
        (Judgement, KeptJudgement),
        (Needed, KeptNeeded),
        (Gate, KeptGate),
    ],
)
def test_whatever_is_computed_is_kept(computed: Any, kept: Any) -> None:
    names = {field.name for field in fields(computed)}
    assert names <= set(kept.__struct_fields__)


@pytest.mark.parametrize("number", [SCHEMA_VERSION + 1, 97, 0, -1, "2", 2.0, True, None])
def test_a_version_that_is_not_known_is_handed_over_as_it_is(number: object) -> None:
    document = {"schema_version": number, "decision": "UPGRADE", "quality": ["otherwise"]}
    found = read(document)
    assert isinstance(found, UnreadEvidence)
    assert "shown as it is" in found.sentence
    assert (found.as_dict(), found.decision, found.speaks_for) == (document, "", False)
    assert found.is_measured  # looking again writes what is known
    assert isinstance(read_run(document), UnreadRun)


@pytest.mark.parametrize("bad", [[], "x", 7, {"a": 1}, [1, None, {"name": 3}], "NaN", True])
@pytest.mark.parametrize("name", sorted(Evidence.__struct_fields__))
def test_one_bad_value_makes_none_of_the_others_unknown(name: str, bad: object) -> None:
    document = stored("live-2.json")
    if name == "schema_version":
        return
    found = read(document | {name: bad}).as_dict()
    same = {key: value for key, value in document.items() if key != name}
    assert {key: found[key] for key in same} == same


def test_one_bad_value_by_name_costs_only_itself() -> None:
    document = stored("run-2.json")
    arms = {**document["arms"], "current": {**document["arms"]["current"], "requests": "many"}}
    found = read_run({**document, "arms": arms})
    assert found.arms["current"] == msgspec.structs.replace(
        read_run(document).arms["current"], requests=0
    )
    assert found.arms["candidate"] == read_run(document).arms["candidate"]


def test_a_baseline_without_a_number_is_read_and_what_it_lacks_is_unknown() -> None:
    document = {"samples": 3, "quality": 0.7, "cost_usd": "0.0012", "tasks": {"": {"samples": 3}}}
    found = read_baseline(document).as_dict()
    assert {key: found[key] for key in ("samples", "quality", "cost_usd")} == {
        "samples": 3,
        "quality": 0.7,
        "cost_usd": "0.0012",
    }
    assert (found["schema_version"], found["error_rate"]) == (SCHEMA_VERSION, None)
    assert (found["tasks"][""]["samples"], found["tasks"][""]["quality"]) == (3, None)


@pytest.mark.parametrize("number", [SCHEMA_VERSION + 1, "2", None])
def test_a_baseline_of_another_schema_is_handed_over_as_it_is(number: object) -> None:
    document = {"schema_version": number, "samples": "otherwise"}
    found = read_baseline(document)
    assert isinstance(found, UnreadBaseline)
    assert "otherwise" in found.text
    assert "shown as it is" in found.why


def test_nothing_kept_is_nothing_known() -> None:
    assert read({}) == Evidence()
    assert not read({}).is_measured
