"""models.dev: prices, limits and dates of everybody's models."""

from datetime import date
from decimal import Decimal

from providers.kinds.modelsdev.adapter import ModelsDev
from tests.providers.conftest import NOW, ScriptedServer, answer, read_fixture
from tests.providers.shapes import connect, listed


def test_a_row_tells_price_limits_and_whose_it_is(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("modelsdev", "api"))
    model = listed(connect(ModelsDev, server))["quill-2"]
    assert model.provider == "acme"
    assert (model.input_price, model.output_price) == (Decimal("2.5"), Decimal(10))
    assert (model.context_tokens, model.output_tokens) == (128_000, 16_384)
    assert model.capabilities == ("tools", "attachments")


def test_a_month_is_taken_as_its_last_day(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("modelsdev", "api"))
    assert listed(connect(ModelsDev, server))["quill-2"].released == date(2025, 2, 28)


def test_a_broken_provider_spoils_only_itself(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("modelsdev", "api"))
    dropped = connect(ModelsDev, server).list_models(at=NOW).dropped
    assert len(dropped) == 2
    assert "of broken is not an object" in dropped[1]
