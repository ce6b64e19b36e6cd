"""What is kept for good is written in the form that `domain/evidence.py` and
`domain/baseline.py` describe.

In whichever test something of `versioning` writes evidence or a run's result, it is held against
the schema of its version, and against its reader: nothing beside it, and nothing that the reader
loses. Tests themselves may write older and newer documents; those may be copied, word for word.
``tests/conftest.py`` fails the test in which something was otherwise.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from django.db.models import JSONField
from jsonschema import Draft202012Validator

from versioning.domain import evidence
from versioning.domain.baseline import Baseline, read_baseline
from versioning.domain.stored_documents import SCHEMA_VERSION
from versioning.models import (
    EvaluationRun,
    Look,
    ModelVersion,
    OutcomeReport,
    UpgradeRecord,
    UpgradeStep,
)

KEPT: list[tuple[Any, str, type[msgspec.Struct], Callable[[Mapping[str, Any]], Any]]] = [
    (UpgradeRecord, "evidence", evidence.Evidence, evidence.read),
    (UpgradeStep, "evidence", evidence.Evidence, evidence.read),
    (Look, "evidence", evidence.Evidence, evidence.read),
    (OutcomeReport, "promised", evidence.Evidence, evidence.read),
    (OutcomeReport, "real", evidence.Evidence, evidence.read),
    (ModelVersion, "baseline", Baseline, read_baseline),
    (EvaluationRun, "result", evidence.RunResult, evidence.read_run),
]
"""Every column that keeps such a document, its shape and its reader."""

SERVICES = str(Path(__file__).parents[2] / "versioning" / "services")

broken: list[str] = []
"""What was found since the last look; cleared by the fixture that looks."""

given: list[str] = []
"""Documents that the test itself wrote."""


def hold() -> None:
    """Look at each document on its way to the database from now on."""
    for model, name, kind, read in KEPT:
        _hold(model._meta.get_field(name), f"{model.__name__}.{name}", kind, read)


def wrong_in(
    document: Mapping[str, Any], kind: type[msgspec.Struct], read: Callable[..., Any]
) -> str:
    """Say what is wrong with a document of today's version; empty where nothing is."""
    validator = Draft202012Validator(msgspec.json.schema(kind))
    faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(document)]
    if faults:
        return "; ".join(faults)
    again = read(document).as_dict()
    return "" if again == document else f"is read as {_text(again)}"


def _hold(
    field: JSONField, name: str, kind: type[msgspec.Struct], read: Callable[..., Any]
) -> None:
    to_database = field.get_db_prep_value

    def held(value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, Mapping) and value:
            broken.extend(f"{name} {why}" for why in _why(value, kind, read))
        return to_database(value, connection, prepared)

    field.get_db_prep_value = held  # type: ignore[method-assign]


def _why(
    document: Mapping[str, Any], kind: type[msgspec.Struct], read: Callable[..., Any]
) -> list[str]:
    if not _is_written_by_services():
        given.append(_text(document))
        return []
    if _text({k: v for k, v in document.items() if k != "way_back"}) in given:
        return []
    if document.get("schema_version") != SCHEMA_VERSION:
        return [f"has no number, or an old one: {_text(document)}"]
    why = wrong_in(document, kind, read)
    return [f"{why}: {_text(document)}"] if why else []


def _is_written_by_services() -> bool:
    frame = sys._getframe(2)
    while frame.f_back is not None:
        if frame.f_code.co_filename.startswith(SERVICES):
            return True
        frame = frame.f_back
    return False


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, default=str)
