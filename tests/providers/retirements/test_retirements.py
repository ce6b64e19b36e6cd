"""Published retirement dates: a document, or a file on this machine."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from providers.base import Connection, Nonsense, Unavailable
from providers.kinds.retirements.adapter import Retirements
from tests.providers.conftest import NOW, ScriptedServer, answer, read_fixture
from tests.providers.shapes import connect, listed


def test_a_row_tells_date_replacement_and_source(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("retirements", "document"))
    models = listed(connect(Retirements, server))
    sure = models["quill-4-0613"]
    assert (sure.provider, sure.replacement) == ("openai", "quill-5")
    assert (sure.retires_on, sure.retires_precision) == (date(2026, 6, 6), "exact")
    assert sure.source == "https://acme.example/deprecations"


def test_a_date_without_a_precision_is_not_taken_as_sure(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("retirements", "document"))
    model = listed(connect(Retirements, server))["gemstone-2"]
    assert model.retires_precision == "tentative"
    assert model.source == server.url


def test_a_row_that_says_nothing_is_counted(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("retirements", "document"))
    (dropped,) = connect(Retirements, server).list_models(at=NOW).dropped
    assert "(gemstone-3) has neither a date nor a replacement" in dropped


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings: Any) -> None:
    settings.HOTSWAP = settings.HOTSWAP | {"FILES_DIR": str(tmp_path)}


def test_a_file_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "dates.json"
    file.write_text(json.dumps(read_fixture("retirements", "document")))
    assert "quill-4-0613" in listed(Retirements(Connection(file.as_uri())))


def test_a_file_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        listed(Retirements(Connection((tmp_path / "none.json").as_uri())))


def test_a_file_that_is_no_json_is_nonsense(tmp_path: Path) -> None:
    (tmp_path / "dates.json").write_text("no json")
    with pytest.raises(Nonsense, match="not JSON"):
        listed(Retirements(Connection((tmp_path / "dates.json").as_uri())))


def test_a_file_of_more_values_than_may_be_read_is_nonsense(tmp_path: Path) -> None:
    (tmp_path / "dates.json").write_text("[" + "[]," * 600_000 + "[]]")
    with pytest.raises(Nonsense, match="more than 524,288 values"):
        listed(Retirements(Connection((tmp_path / "dates.json").as_uri())))
