"""Mistral's documented answers."""

from datetime import date

from providers.kinds.mistral.adapter import Mistral
from tests.providers.conftest import ScriptedServer, answer, read_fixture
from tests.providers.shapes import connect, listed


def test_the_rows_of_one_model_s_aliases_are_one_model(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("mistral", "models"))
    (model,) = listed(connect(Mistral, server)).values()
    assert (model.id, model.aliases) == ("zephyrus-large-2411", ("zephyrus-large-latest",))


def test_the_stated_replacement_and_its_date_are_kept(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("mistral", "models"))
    (model,) = listed(connect(Mistral, server)).values()
    assert (model.retires_on, model.retires_precision) == (date(2026, 2, 27), "exact")
    assert model.replacement == "zephyrus-medium-latest"
    assert model.source.startswith("https://docs.mistral.ai/")


def test_the_time_of_asking_is_no_release(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("mistral", "models"))
    (model,) = listed(connect(Mistral, server)).values()
    assert model.released is None
    assert model.capabilities == ("chat", "tools")
